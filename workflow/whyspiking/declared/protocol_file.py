"""Reads and checks what was fixed of tasks before a number was computed (protocol.yaml)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from whyspiking.declared.parameters import Parameter
from whyspiking.declared.strict_yaml import (
    Block,
    Listed,
    Name,
    Some,
    Unique,
    parsed,
    read_yaml,
    refuse,
)

Kind = Literal["spikes", "leaky", "units"]
"""What a network is built of: neurons that spike; leaky units that send numbers; ReLU or gated
units."""
Text = Annotated[str, Field(min_length=5)]
Share = Annotated[float, Field(gt=0, le=1)]


class Floor(Block):
    """A static reader: what it is told, and with what it decides."""

    reads: Text
    says: Text


class Built(Block):
    """A network built by hand.

    Attributes:
        kind: What it is built of.
        engine: What runs it for the record.
        least: Accuracy that it is expected to reach: 98 %, or what is known of the ceiling.
        known: What a pilot had found.
        source: Where.
    """

    kind: Kind
    engine: Literal["brian2", "numpy"]
    least: Share
    known: Text
    source: Text

    @model_validator(mode="after")
    def _check(self) -> Built:
        says = (
            f"is '{self.engine}' of a network with spikes; expected brian2, which runs all such. "
            "Correct it, and give the network to `to_brian`."
        )
        refuse((self.kind == "spikes" and self.engine != "brian2", "engine", says))
        return self


class Floors(Block):
    """What the floors of a task may be.

    Attributes:
        veto: Those that must be at chance.
        high: Floor that may be higher -> what that means.
        known: What a pilot had found.
    """

    known: Text
    veto: Unique[Some[Name]]
    high: dict[Name, Text]


class TaskOfGround(Block):
    """A task: its question, what a cheat knows, its floors and the smallest networks known.

    Attributes:
        generator: What draws the trials; another version is another task.
        unknown: Kind of which no built network is known -> what is.
    """

    asks: Text
    cheat: Text
    generator: Text
    chance: Share
    floors: Floors
    built: dict[Name, Built] = Field(default_factory=dict)
    unknown: dict[Kind, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> TaskOfGround:
        known = {built.kind for built in self.built.values()} | set(self.unknown)
        lacking = [kind for kind in get_args(Kind) if kind not in known]
        says = (
            f"says nothing of {', '.join(lacking)}; expected a network under 'built', or under "
            "'unknown' that nobody knows one. Add it."
        )
        refuse((lacking, "unknown", says))
        return self


class Protocol(Block):
    """The whole file.

    Attributes:
        seeds: Of the data that are recorded.
        changed: What was changed since the file was first there, and why; a line each.
        margin: How far above chance a floor at chance may be, on `n_test` trials.
        decides: How far from guessing to the reference a floor must come to decide a task.
        reference: The floor that is told the whole trial.
        floors: Static readers.
        tasks: By name.
    """

    seeds: Unique[Some[int]]
    changed: Listed[Text]
    margin: Parameter
    n_test: Parameter
    decides: Parameter
    reference: Name
    floors: dict[Name, Floor]
    tasks: dict[Name, TaskOfGround]

    @model_validator(mode="after")
    def _check(self) -> Protocol:
        for name, task in self.tasks.items():
            told = [*task.floors.veto, *task.floors.high, self.reference]
            says = (
                f"has {', '.join(told[:-1])}; expected every entry of the file's 'floors' but "
                f"{self.reference} once, under 'veto' or 'high'. Correct it."
            )
            refuse((sorted(told) != sorted(self.floors), f"tasks.{name}.floors", says))
        return self


@functools.cache
def load(path: Path) -> Protocol:
    """Read and check a protocol.

    Raises:
        UserError: If a task has no floors, a network with spikes is not run in Brian2, or anything
            else does not fit.
    """
    return parsed(Protocol, read_yaml(path), f"talks/{path.parent.name}/{path.name}")
