"""What is measured of a device that learns: before and after its deviations, and relearned."""

from __future__ import annotations

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.measures import scoring
from whyspiking.talks.neftci import model, plastic


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> dict[str, float]:
    """Accuracy at the stages of a device's life, what was lost, and what share learning regains.

    Where less than `least_loss` was lost there is nothing to regain, and the share is nan.
    """
    if plastic.CONTROL not in task.stimulus.arrays:
        return {}
    outcome = model.decode(params, recording, task)
    found = {
        f"accuracy_{name}": scoring.score(scoring.select(outcome, trials))
        for name, trials in plastic.periods(task).items()
        if name != "lesson"
    }
    lost = found["accuracy_designed"] - found["accuracy_built"]
    regained = found["accuracy_relearned"] - found["accuracy_built"]
    enough = lost >= params.least_loss
    return found | {"lost": lost, "regained": regained / lost if enough else float("nan")}
