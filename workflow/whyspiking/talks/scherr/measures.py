"""What is measured beyond the score: errors of patterns and movements."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract import types as ct
from whyspiking.measures import scoring
from whyspiking.talks.scherr import oneshot_task, pattern


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """The error of a pattern; of a movement, before and after the demonstration."""
    if task.n_classes:
        return {}
    if params.experiment != "oneshot":
        return {"nmse": scoring.nmse(pattern.decode(params, recording, task))}
    half_steps = oneshot_task.n_steps(params)
    outputs = recording.traces["output"]
    return {
        "nmse": oneshot_task.nmse(outputs[:, half_steps:], task.targets),
        "nmse_before": oneshot_task.nmse(outputs[:, :half_steps], task.targets),
    }
