"""Pictures of the shared tasks: what an input looks like, and what must be decided.

The folder of a task has its picture, which is drawn with the generator that networks are trained
on, with seed 0.
"""

from __future__ import annotations

from whyspiking.contract.types import ExperimentParameters
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.plots.figures import Plate, row_of_panels
from whyspiking.tasks import generators

SAMPLES = {"n_train": 0, "n_validation": 0, "n_test": 200}
"""As many samples as pictures need."""


def list_pictures() -> list[str]:
    """List the tasks that have a picture, those with streams of spikes first."""
    tasks = [name for name in shared_tasks() if generators.has_module(name, "picture")]
    return sorted(tasks, key=lambda name: not generators.is_stream(name))


def picture(name: str) -> Plate:
    """What an input of a task looks like, and what must be decided; its caption is a line of words.

    Args:
        name: Of a task that has a picture.
    """
    plate, axes = row_of_panels(1.6, 2, width=2.4)
    for ax in axes:
        ax.tick_params(axis="y", length=0)
        ax.set(xlabel="ms", yticks=())
    axes[0].set_ylabel("inputs")
    task = shared_tasks()[name]
    values = {key: entry["value"] for key, entry in task.parameters.items()}
    params = ExperimentParameters("", name, "", {**values, **SAMPLES, "shared_task": name})
    drawing = generators.load_module(name, "picture")
    description = drawing.draw(params, axes)
    numbers = "frontiers.csv" if generators.is_stream(name) else "shared.csv"
    return plate.says(f"{task.title}. {drawing.CAPTION}", description, numbers)
