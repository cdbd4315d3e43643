"""Rows of `exchange/community/`: networks from elsewhere, by `python -m whyspiking measure`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.declared.strict_yaml import Block, Listed, MayLack, parsed, refuse
from whyspiking.errors import UserError
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.whole_files import read_json

FOLDER = Path("exchange/community")
FORMAT = 1

Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f<>]*$")]
"""A line of text without tags."""
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Said(Block):
    """What the command line says of a network in words, as the row will hold it.

    Attributes:
        name: How figures call it.
        says: What it is, and how it was trained.
        by: Who contributes it.
        link: Where the network and its training can be found; empty where nowhere.
    """

    name: Annotated[str, Field(min_length=2, max_length=40, pattern=r"^[^\x00-\x1f<>]*$")]
    says: Line
    by: Line
    link: Annotated[str, Field(pattern=r"^(https://[^\s<>\"']{3,200})?$")]


class Made(Block):
    """How it was run: all that its file leaves open.

    Attributes:
        sha256: Of the .nir file.
        whyspiking: Version that measured it.
        commit: Of the code; empty where it is not known.
        scale: Of the task and the battery; only "full" is compared.
        step_ms: Length of a step in ms of the task.
        graph_step_ms: The same in ms of the file's time constants.
        solver: How a step was solved.
        reset: What followed a spike.
        input_scale: Height of an input spike.
        current: What an input did to a synaptic current; left out: "filtered".
        readout: How the answer was read.
        trial_ms: Length of a trial.
        bias_ms: Times of further inputs.
    """

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    whyspiking: Line
    commit: Annotated[str, Field(pattern="^[0-9a-f]{0,40}$")]
    scale: Literal["smoke", "default", "full", "paper"]
    step_ms: Positive
    graph_step_ms: Positive
    solver: Literal["euler", "exact"]
    reset: Literal["value", "subtract", "later"]
    input_scale: float
    current: MayLack[Literal["filtered", "jump"]] = None
    readout: Literal["count", "first", "max", "sum", "last"]
    trial_ms: Positive
    bias_ms: Listed[float]


class CommunityRow(Said):
    """One network from elsewhere on one task.

    Attributes:
        format: Of this file.
        reproduced: Whether the maintainers measured the same file again and found the same row.
        task: What it was set.
        seed: Of the data.
        made: How it was run.
        neurons: Of all layers but the input.
        synapses: That are not zero.
        trials: Of the test set.
        accuracy: On them, in Brian2.
        ci_low: Lower end of its 95 % interval over trials: one network has none over seeds.
        ci_high: Upper end.
        undecided: Share of trials without an answer.
        spikes_hidden: Per trial, of all layers that feed others.
        measures: Further measures by name of the glossary, after perturbation and location.
    """

    format: Literal[1]
    reproduced: bool
    task: str
    seed: Annotated[int, Field(ge=0)]
    made: Made
    neurons: Annotated[int, Field(gt=0)]
    synapses: Annotated[int, Field(gt=0)]
    trials: Annotated[int, Field(gt=0)]
    accuracy: Share
    ci_low: Share
    ci_high: Share
    undecided: Share
    spikes_hidden: Annotated[float, Field(ge=0)]
    measures: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+\.[a-z0-9_]+$")], float]

    @model_validator(mode="after")
    def _check(self) -> CommunityRow:
        """Numbers and names that fit each other."""
        tasks = (*shared_tasks(), "mnist")
        names = [name for name in self.measures if name.rpartition(".")[2] not in GLOSSARY]
        refuse(
            (
                self.task not in tasks,
                "task",
                f"is '{self.task}'; expected one of {', '.join(tasks)}. Correct it.",
            ),
            (
                not self.ci_low <= self.accuracy <= self.ci_high,
                "accuracy",
                f"is {self.accuracy}, outside its interval {self.ci_low} to {self.ci_high}; "
                f"expected ci_low "
                "<= accuracy <= ci_high. Correct them.",
            ),
            (
                names,
                "measures",
                f"has {names[:3]}; expected names 'perturbation.location.metric' with a metric of "
                "the glossary. Correct or remove them.",
            ),
        )
        return self


def read(path: Path) -> CommunityRow:
    """One row.

    Raises:
        UserError: If the file is no row of this format; it names key, value and remedy.
    """
    return parsed(CommunityRow, read_json(path, "format"), str(path))


def load(folder: Path = FOLDER) -> list[CommunityRow]:
    """All rows of a folder, by name of the file; none where there is no such folder.

    Raises:
        UserError: If one is no row, or two have one name on one task.
    """
    rows: dict[tuple[str, str], CommunityRow] = {}
    for path in sorted(folder.glob("*.json")):
        row = read(path)
        if row.made.scale != "full":
            raise UserError(
                f"{path}: 'made.scale' is '{row.made.scale}'; expected 'full', as in the "
                "reference results. Measure the network again without --scale"
            )
        if (row.name, row.task) in rows:
            raise UserError(
                f"{path}: there is another row named '{row.name}' on task '{row.task}'; expected "
                "different names. Rename one of them"
            )
        rows[row.name, row.task] = row
    return list(rows.values())
