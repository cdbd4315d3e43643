"""Measures of a device that learns: before and after its deviations, and relearned."""

from __future__ import annotations

from whyspiking.contract import types as ct
from whyspiking.measures import scoring
from whyspiking.talks.neftci import brian_network, device


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> dict[str, float]:
    """Accuracy at the stages of a device's life, what was lost, and what learning brings back.

    Differences, no share of the loss: every device counts, however little it lost.
    """
    if device.CONTROL not in task.stimulus.arrays:
        return {}
    outcome = brian_network.decode(params, recording, task)
    accuracies = {
        f"accuracy_{name}": scoring.score(scoring.select(outcome, trials))
        for name, trials in device.periods(task).items()
        if name != "lesson"
    }
    designed, built, relearned = (
        accuracies[f"accuracy_{name}"] for name in ("designed", "built", "relearned")
    )
    return accuracies | {
        "lost": designed - built,
        "gained": relearned - built,
        "above_half_way": relearned - (designed + built) / 2,
    }
