"""What this talk measures of its networks beyond the common battery."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from whyspiking import scoring
from whyspiking.contract import Condition, Params, Recording, Task
from whyspiking.replications.bohte import counts, simulation
from whyspiking.replications.bohte import task as tasks


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """The papers' own estimate of energy, and their scoring where steps are unlabelled."""
    if condition.perturbation != "none" or params.experiment in tasks.CLASSIFIED:
        return {}
    found = {"energy_ratio_published": counts.published_ratio(params, recording, task)}
    if params.experiment == tasks.ORIGINAL:
        outputs = simulation.outputs(params, recording)
        found["accuracy_padded"] = padded_accuracy(params, outputs, task)
    return found


def padded_accuracy(params: Params, outputs: NDArray, task: Task) -> float:
    """Accuracy with unlabelled steps counted as the first class, as in the published code."""
    return scoring.accuracy(tasks.outcome(params, outputs, task, padded=True))
