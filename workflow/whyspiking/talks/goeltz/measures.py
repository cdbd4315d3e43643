"""How many spikes a decision needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract.types import Condition, Params, Recording, Task


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Share of the hidden neurons, of all layers, that have fired when the first output fires."""
    if condition.perturbation != "none":
        return {}
    first = {name: spikes.first_ms() for name, spikes in recording.spikes.items()}
    decision = first.pop("output").min(axis=1)
    hidden = np.hstack([times for name, times in first.items() if name.startswith("hidden")])
    decided = np.isfinite(decision)
    if not decided.any():
        return {"hidden_before_decision": float("nan")}
    fired = hidden[decided] <= decision[decided, None]
    return {"hidden_before_decision": float(fired.mean())}
