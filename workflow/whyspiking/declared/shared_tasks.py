"""The tasks that the learning methods of all talks are set: what they fix, and for whom.

Each is declared in `task.yaml` of its folder in `tasks`, which also has its generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain, product
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field

from whyspiking.declared.parameters import Change, Changes, Parameter, Parameters, Scaled
from whyspiking.declared.strict_yaml import (
    Block,
    Wrong,
    parsed,
    read_yaml,
    refuse,
)

FOLDER = Path(__file__).parents[1] / "tasks"
FILE = "task.yaml"
WINDOW_MS = 50.0
"""In which the spikes of a cue, or of a sample, come; `model_window_ms` of a talk stretches it."""
JITTER_UNITS = 8
"""In that window: jitter of shared tasks is measured in one of them, 6.25 ms, for all methods."""
TRIED = (6, 8, 16)
"""Settings that are tried for every method, by their accuracy on validation data. On static tasks:
three rates, or four where the best of three was the lowest or highest, each with two values of
another. On tasks with time: a grid of eight, and one more around and beyond its best."""


type InputKind = Literal[
    "events; an earlier one must be kept",
    "events; none must be kept for long",
    "one number per input",
]
"""How an input arrives, in the order of the table that says when to use spikes."""


class SharedTask(Block):
    """A task, and what all that are set it have in common.

    Attributes:
        position: Place in tables and figures, from 1.
        title: How readers call it.
        description: What it is, in words.
        question: The one question that it isolates.
        input_kind: How an input arrives, for the table that says when to use spikes.
        chance: Accuracy of a guess.
        input_times: What the times of its input spikes are (`experiments.InputTimes`).
        same_trials: Whether networks of all seeds are tested on the same trials.
        parameters: Of every experiment.
        scale_overrides: What scales change of them.
    """

    position: int
    title: str
    description: str
    question: str
    input_kind: InputKind
    chance: float = Field(gt=0, lt=1)
    input_times: Literal["constructed", "trains"]
    same_trials: bool = False
    parameters: Parameters
    scale_overrides: Scaled


@cache
def shared_tasks() -> dict[str, SharedTask]:
    """All of them by the name of their folder, in the order of their positions."""
    tasks = {
        path.parent.name: parsed(SharedTask, read_yaml(path), name_file(path.parent.name))
        for path in sorted(FOLDER.glob(f"*/{FILE}"))
    }
    return dict(sorted(tasks.items(), key=lambda entry: entry[1].position))


def name_file(task: str) -> str:
    """Name the file of a task in messages."""
    return f"tasks/{task}/{FILE}"


def joined(
    name: str, task: str, parameters: Parameters, scaled: Scaled
) -> tuple[dict[str, Parameter], dict[str, Changes]]:
    """Parameters of an experiment that takes part, and what scales change of them.

    Args:
        name: Of the experiment.
        task: That it shares; it bears the name of its data.
        parameters: Its own, as in talk.yaml.
        scaled: What scales change of its own.

    Raises:
        Wrong: If there is no such task, or the experiment differs from it.
    """
    known = shared_tasks()
    if task not in known:
        raise Wrong(
            f"{name}.data.data_set",
            f"is '{task}', which has no shared task; expected one of {', '.join(known)}. Correct "
            "it, or remove 'shared_task'.",
        )
    found = known[task]
    own_keys = {*parameters, *chain.from_iterable(cast("Changes", x) for x in scaled.values())}
    for key in sorted(own_keys & {*found.parameters, "shared_task"}):
        raise Wrong(
            f"{name}.parameters.{key}",
            f"is given here, but shared task '{task}' fixes it for all talks ({name_file(task)}); "
            "expected no value here. Remove it.",
        )
    named: Parameter = {"value": task, "source": name_file(task)}
    changes: dict[str, Changes] = {
        scale: cast("Changes", part) for scale, part in found.scale_overrides.items()
    }
    for scale, part in scaled.items():
        changes[scale] = {**changes.get(scale, {}), **cast("dict[str, Change]", part)}
    return {**parameters, **found.parameters, "shared_task": named}, changes


def check_tuned(
    name: str,
    tuned: Mapping[str, Sequence[Mapping[str, list[Any]]]],
    described: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> None:
    """Equal effort: as many settings for every method that is compared.

    Args:
        name: Of the experiment.
        tuned: Variant -> grids of parameter -> values.
        described: Variant -> parameter -> what the file has of it, with `value`.

    Raises:
        Wrong: If there are too few or too many, or the experiment has what was not tried.
    """
    for variant, grids in tuned.items():
        place = f"{name}.shared_task.tuning_grids.{variant}"
        own = {key: entry["value"] for key, entry in described.get(variant, {}).items()}
        what = "is not a {0} of the experiment; expected the name of a {0}. Correct it."
        tried: dict[str, list[Any]] = {}
        for key, values in chain.from_iterable(grid.items() for grid in grids):
            tried.setdefault(key, []).extend(values)
        refuse(
            (variant not in described, place, what.format("variant")),
            *((key not in own, f"{place}.{key}", what.format("parameter")) for key in tried),
            *(
                (
                    own.get(key) not in values,
                    f"{place}.{key}",
                    f"has {values}, but the experiment has {own.get(key)}; expected one of the "
                    "values that were tried. Correct it.",
                )
                for key, values in tried.items()
            ),
            (
                len(settings(grids)) not in TRIED,
                place,
                f"has {len(settings(grids))} settings; expected one of "
                f"{', '.join(map(str, TRIED))}, as for every method. Give other lists of values.",
            ),
        )


def settings(grids: Sequence[Mapping[str, list[Any]]]) -> list[dict[str, Any]]:
    """All combinations of the values of every grid, each once, the last parameter fastest."""
    told: list[dict[str, Any]] = []
    for grid in grids:
        every = (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
        told += [setting for setting in every if setting not in told]
    return told


def presentations(values: Mapping[str, Any]) -> int:
    """Samples that training shows, repeats counted; a network that needs fewer says how many.

    Args:
        values: Parameters of an experiment.
    """
    return values.get("n_presented", values["n_train"] * values["epochs"])
