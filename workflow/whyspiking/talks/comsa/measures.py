"""Measures of the digits beyond the score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.comsa import model
from whyspiking.tasks import task_data

SLOW_FROM = 7.2
"""Least mean decision of the slow regime, time units: half of the 14.3 of the slow network that the
authors released; Figure 5 of arXiv v1 has about 14 in the one regime and 1.5 in the other."""
NEARLY_ALL = 0.99
"""The other definition: least share of hidden neurons in before the decision (released: 99.7 %)."""


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Measure the share of hidden neurons that fire before the decision, and the regime."""
    if condition.perturbation != "none":
        return {}
    hidden, output = (recording.spikes[name].first_ms() for name in ("hidden", "output"))
    decision_ms = output.min(axis=1)
    metrics = {
        "hidden_before_decision": (share := model.hidden_before_decision(hidden, decision_ms))
    }
    # Gates and shared tasks have time scales of their own.
    if params.experiment == "boolean" or task_data.takes_part(params):
        return metrics
    mean = model.mean_decision(decision_ms)
    if params.experiment == "regimes_published":
        distance = model.measure_distance(mean / params.unit_ms)
        metrics["regime_distance"] = distance * params.unit_ms
    is_slow = mean >= SLOW_FROM * params.unit_ms
    is_correct = np.isfinite(decision_ms) & (output.argmin(axis=1) == task.targets)
    return metrics | {
        "slow_regime": float(is_slow),
        "waits_for_hidden": float(share >= NEARLY_ALL),
        "accuracy_slow": float(is_correct.mean()) if is_slow else np.nan,
    }
