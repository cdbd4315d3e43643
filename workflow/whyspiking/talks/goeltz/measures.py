"""How many spikes a decision needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract import types as ct

MEASURED = ("mnist_deep", "few_spikes")
"""Experiments that ask for it."""


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Share of the hidden neurons, of all layers, that have fired when the first output fires."""
    if params.experiment not in MEASURED or condition.perturbation != "none":
        return {}
    first = {name: spikes.first_ms() for name, spikes in recording.spikes.items()}
    decision = first.pop("output").min(axis=1)
    hidden = np.hstack([times for name, times in first.items() if name.startswith("hidden")])
    decided = np.isfinite(decision)
    if not decided.any():
        return {"hidden_before_decision": float("nan")}
    fired = hidden[decided] <= decision[decided, None]
    return {"hidden_before_decision": float(fired.mean())}
