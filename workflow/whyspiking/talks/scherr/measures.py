"""What is measured of patterns beyond the score."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.measures import scoring
from whyspiking.talks.scherr import pattern


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """The error of a pattern; nothing of trials that have one class."""
    if task.n_classes:
        return {}
    return {"nmse": scoring.nmse(pattern.decode(params, recording, task))}
