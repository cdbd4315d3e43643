"""What is measured of the digits beyond the score."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.comsa import model

NEARLY_ALL = 0.99
"""Least share of hidden neurons in before the decision of a network in the slow regime."""


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Share of hidden neurons that fire before the decision, and the regime that it tells."""
    if condition.perturbation != "none":
        return {}
    hidden, output = (recording.spikes[name].first_ms() for name in ("hidden", "output"))
    share = model.hidden_before_decision(hidden, output.min(axis=1))
    return {"hidden_before_decision": share, "slow_regime": float(share >= NEARLY_ALL)}
