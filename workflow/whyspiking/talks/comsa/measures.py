"""What is measured of the digits beyond the score."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.comsa import model


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Share of hidden neurons that fire before the decision."""
    if condition.perturbation != "none":
        return {}
    hidden, output = (recording.spikes[name].first_ms() for name in ("hidden", "output"))
    return {"hidden_before_decision": model.hidden_before_decision(hidden, output.min(axis=1))}
