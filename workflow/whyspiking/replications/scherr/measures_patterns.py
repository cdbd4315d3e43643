"""What this talk measures of its networks beyond the common battery."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking import scoring
from whyspiking.contract import Condition, Params, Recording, Task, Traces
from whyspiking.replications.scherr import oneshot_task
from whyspiking.replications.scherr.stages import decode


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """The error of patterns; nothing beyond the common metrics for decisions."""
    outcome = decode(params, recording, task)
    if not isinstance(outcome, Traces):
        return {}
    if params.experiment != "oneshot":
        return {"nmse": scoring.nmse(outcome)}
    before = recording.traces["output"][:, : oneshot_task.n_steps(params)]
    return {
        "nmse": oneshot_task.nmse(np.asarray(outcome.outputs), task.targets),
        "nmse_before": oneshot_task.nmse(before, task.targets),
    }
