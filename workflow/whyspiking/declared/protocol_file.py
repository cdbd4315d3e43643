"""Reads and checks what was fixed of tasks before a number was computed (protocol.yaml)."""

from __future__ import annotations

import csv
import functools
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict, get_args

from pydantic import Field, model_validator

from whyspiking.declared.bands import Edges
from whyspiking.declared.parameters import Parameter
from whyspiking.declared.strict_yaml import (
    Block,
    Listed,
    MayLack,
    Name,
    Some,
    Unique,
    closed,
    parsed,
    read_yaml,
    refuse,
)
from whyspiking.errors import UserError

Kind = Literal["spikes", "leaky", "units"]
"""What a network is built of: neurons that spike; leaky units that send numbers; ReLU or gated
units."""
Text = Annotated[str, Field(min_length=5)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Floor(Block):
    """A static reader: what it is told, and with what it decides."""

    reads: Text = Field(description="What it is told of a trial.")
    says: Text = Field(description="With what it decides.")


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
            f"is '{self.engine}' for a network with spikes; expected brian2, which runs all "
            "networks with spikes. Correct it, and add the network to `to_brian`."
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
        built: Networks built by hand, by name.
    """

    asks: Text = Field(description="Its question.")
    cheat: Text = Field(description="What one knows who cheats.")
    generator: Text
    chance: Share = Field(description="Accuracy of a guess.")
    floors: Floors = Field(description="What its floors may be.")
    built: dict[Name, Built] = Field(default_factory=dict)
    unknown: dict[Kind, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> TaskOfGround:
        known = {built.kind for built in self.built.values()} | set(self.unknown)
        lacking = [kind for kind in get_args(Kind) if kind not in known]
        says = (
            f"does not mention {', '.join(lacking)}; expected a network under 'built', or an "
            "entry under 'unknown' that says that no such network is known. Add one of them."
        )
        refuse((lacking, "unknown", says))
        return self


class Training(Block):
    """How networks of every family are trained on a task.

    Attributes:
        distinct: Training trials that differ.
        shown: How often each.
        part: Trials that are drawn at once, of which `distinct` is a multiple.
        batch: Trials an update, where no grid says otherwise.
        answer_ms: Last part of a trial, in which the readout is scored.
        prices: Of a message, of the networks that are recorded, in units of the loss.
        source: Where from.
    """

    distinct: Count
    shown: Count
    part: Count
    batch: Count
    answer_ms: Positive
    prices: Unique[Some[Annotated[float, Field(ge=0)]]]
    source: Text

    @property
    def parts(self) -> int:
        """Parts of a training."""
        return self.distinct * self.shown // self.part


@closed
class Only(TypedDict, total=False):
    """Values that a setting may have, named as in `training.reference.units.Recipe`.

    Attributes:
        tau_ms: Shortest and longest time constant of the units, ms.
        recurrent: Whether units reach each other.
    """

    tau_ms: Some[Annotated[tuple[Positive, Positive], Field(strict=False)]]
    recurrent: Some[bool]


@closed
class Product(Only):
    """All combinations of some values."""

    rate: Annotated[Some[Positive], Field(description="Learning rates.")]
    batch: NotRequired[Annotated[Some[Count], Field(description="Trials an update.")]]
    gain: NotRequired[Annotated[Some[Positive], Field(description="Of input weights.")]]


class Tuned(Block):
    """A family on a task.

    Attributes:
        kind: Of its units, as in `training.reference.units`.
        gain: Of its input weights at the start.
        tuned_at: Units at which settings are tried.
        recorded: Units of the networks that are recorded.
        grids: Settings, each a sum of products; those after the first were moved. The last decides
            what can be chosen.
        why: What the grid is of.
    """

    kind: Literal["spiking", "rectified", "sigmoid", "gru", "static"]
    gain: Positive = 3.0
    tuned_at: Count
    recorded: Unique[Some[Count]]
    grids: Some[Some[Product]]
    why: Text

    @model_validator(mode="after")
    def _check(self) -> Tuned:
        says = "is {value}; expected sizes that include that of 'tuned_at'. Add it."
        refuse((self.tuned_at not in self.recorded, "recorded", says))
        return self

    def settings(
        self, grid: int = -1, only: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """The settings of a grid, by its place, that fit; the last parameter runs fastest."""
        for product in self.grids[grid]:
            varied: dict[str, Any] = {**product}
            for values in itertools.product(*varied.values()):
                setting = dict(zip(varied, values, strict=True))
                if all(setting.get(name) in fit for name, fit in (only or {}).items()):
                    yield setting


class Setting(Block):
    """One of a grid, named as in `training.reference.units.Recipe`."""

    rate: Positive = Field(description="Learning rate.")
    tau_ms: MayLack[Annotated[tuple[Positive, Positive], Field(strict=False)]] = Field(
        None, description="Shortest and longest time constant of the units, ms."
    )
    recurrent: MayLack[bool] = Field(None, description="Whether units reach each other.")
    batch: MayLack[Count] = Field(None, description="Trials an update.")
    gain: MayLack[Positive] = Field(None, description="Of input weights.")

    @property
    def given(self) -> dict[str, Any]:
        """What it sets."""
        return self.model_dump(exclude_none=True)


class Cell(Block):
    """Networks of which one thing is held against another cell.

    Attributes:
        family: Of the protocol.
        units: How many.
        only: Which settings of the family's first grid fit, where sides have equally many.
        setting: The best of them.
    """

    family: Name
    units: Count
    only: Only
    setting: Setting


class Contrast(Block):
    """What two cells differ by, and what that is expected to do to accuracy; a claim each.

    Attributes:
        of: A cell.
        versus: Another; `of` less `versus` is judged, paired by seed.
        at: Distinct training trials.
        band: Where that is expected, null at an open side.
        why: This direction and band.
        known: What had been seen before.
    """

    of: Name
    versus: Name
    at: Count
    band: Edges
    why: Text
    known: Text


class Samples(Block):
    """Networks that are shown few distinct trials of a task, and contrasts between them.

    Attributes:
        task: Of the protocol.
        seeds: Of data and networks.
        distinct: How many training trials differ, a network each, at the same presentations.
        cells: By the name of their variant.
        contrasts: By the names of their claims.
    """

    task: Name
    seeds: Unique[Some[int]]
    distinct: Unique[Some[Count]]
    cells: dict[Name, Cell]
    contrasts: dict[Name, Contrast]


class Changes(Block):
    """When units that never are silent tell their state: it has changed by more than a threshold.

    Attributes:
        value: Thresholds of which the largest is taken that loses little.
        loses: So much accuracy on validation trials at most.
        source: Where from.
    """

    value: Unique[Some[Positive]]
    loses: Share
    source: Text


class Rule(Block):
    """How tables are read: value of a constant or what a function does, and where (module:name)."""

    says: Text = Field(description="What it says.")
    value: Any = Field(None, description="Of a constant.")
    place: str = Field(pattern="^[a-z_.]+:[A-Za-z_]+$", description="module:name.")


class Protocol(Block):
    """The whole file.

    Attributes:
        seeds: Of the data that are recorded.
        tuning_seeds: Of data and networks by which settings are chosen.
        changed: What was changed since the file was first there, and why; a line each.
        margin: How far above chance a floor at chance may be, on `n_test` trials.
        n_test: Trials on which floors are scored.
        decides: How far from guessing to the reference a floor must come to decide a task.
        reference: The floor that is told the whole trial.
        floors: Static readers.
        tasks: By name.
        training: By task: what is the same for all families.
        families: Of trained networks, by task.
        changes: When units that never are silent tell their state.
        chosen: What tuning has found, by task and family.
        reading: Rules of `verdicts.advantage`.
        samples: Networks that are shown few distinct trials.
    """

    seeds: Unique[Some[int]]
    tuning_seeds: Unique[Some[int]]
    changed: Listed[Text]
    margin: Parameter
    n_test: Parameter
    decides: Parameter
    reference: Name
    floors: dict[Name, Floor]
    tasks: dict[Name, TaskOfGround]
    training: dict[Name, Training]
    families: dict[Name, dict[Name, Tuned]]
    changes: Changes
    chosen: dict[Name, dict[Name, Setting]]
    reading: dict[Name, Rule]
    samples: Samples

    @model_validator(mode="after")
    def _check(self) -> Protocol:
        for name, task in self.tasks.items():
            told = [*task.floors.veto, *task.floors.high, self.reference]
            says = (
                f"has {', '.join(told[:-1])}; expected every entry of the file's 'floors' except "
                f"{self.reference} exactly once, under 'veto' or 'high'. Correct it."
            )
            refuse((sorted(told) != sorted(self.floors), f"tasks.{name}.floors", says))
        same = sorted({*self.seeds} & {*self.tuning_seeds})
        says = (
            f"has {same}, which are also in 'seeds'; expected seeds that are not in 'seeds'. "
            "Change them."
        )
        refuse((same, "tuning_seeds", says))
        self._check_families()
        self._check_contrasts()
        return self

    def _check_families(self) -> None:
        """Known tasks, and as many settings for all."""
        sizes: dict[str, int] = {}
        for name, tasks in self.families.items():
            for task, tuned in tasks.items():
                place, known = f"families.{name}.{task}", {*self.tasks} & {*self.training}
                says = (
                    f"is not a task; expected one of {', '.join(sorted(known))}. Correct the name."
                )
                refuse((task not in known, place, says))
                for grid in range(len(tuned.grids)):
                    sizes[f"{place}.grids"] = len(list(tuned.settings(grid)))
                    first, *_, last = [*sizes.values()] * 2
                    says = (
                        f"has {last} settings in grid {grid + 1}; expected {first} as in the "
                        "other grids, because all families are tuned with the same effort. Add "
                        "or remove settings."
                    )
                    refuse((first != last, f"{place}.grids", says))

    def _check_contrasts(self) -> None:
        """Known cells, as many settings on both sides, and seeds by which none was chosen."""
        cells, task = self.samples.cells, self.samples.task
        same = sorted({*self.samples.seeds} & {*self.tuning_seeds})
        says = f"has {same}, with which settings are chosen; expected other seeds. Change them."
        refuse((same, "samples.seeds", says))
        for name, contrast in self.samples.contrasts.items():
            place, sizes = f"samples.contrasts.{name}", []
            for side in (contrast.of, contrast.versus):
                says = f"names {side}; expected one of {', '.join(sorted(cells))}. Correct it."
                refuse((side not in cells, place, says))
                tuned = self.families[cells[side].family][task]
                sizes.append(len(list(tuned.settings(0, cells[side].only))))
            says = (
                f"chooses from {sizes[0]} and {sizes[1]} settings; expected the same number on "
                "both sides, and at least one. Correct 'only' of the cells."
            )
            refuse((sizes[0] != sizes[1] or not sizes[0], place, says))


@functools.cache
def load(path: Path) -> Protocol:
    """Read and check a protocol.

    Raises:
        UserError: If a task has no floors, a network with spikes is not run in Brian2, or anything
            else does not fit.
    """
    return parsed(Protocol, read_yaml(path), f"talks/{path.parent.name}/{path.name}")


def check_tuned(path: Path) -> None:
    """See to it that every family was tuned before its networks are trained.

    Args:
        path: Of the protocol, beside the folder tuning/.

    Raises:
        UserError: If the protocol does not fit, a network of a last grid is not in tuning/, or what
            is chosen is no setting of that grid.
    """
    said, talk = load(path), path.parent.name
    for task, (family, own) in itertools.product(said.training, said.families.items()):
        if task not in own:
            continue
        settings, tried = list(own[task].settings()), path.with_name("tuning") / f"{task}.csv"
        known = _rows(tried) if tried.is_file() else set()
        names = [json.dumps(setting, sort_keys=True) for setting in settings]
        wanted = set(itertools.product([family], names, map(str, said.tuning_seeds)))
        chosen = said.chosen.get(task, {}).get(family)
        place, again = f"talks/{talk}/{path.name}", f"recording tune {talk} {task}/{family}`"
        if lacking := wanted - known:
            raise UserError(
                f"{place}: 'families.{family}.{task}.grids' asks for {len(wanted)} networks, and "
                f"tuning/{task}.csv lacks {len(lacking)} of them; expected all networks, because "
                f"a setting is chosen from them. Run `python -m whyspiking.{again}."
            )
        if chosen is None or chosen.given not in settings:
            raise UserError(
                f"{place}: 'chosen.{task}.{family}' is {chosen and chosen.given}; expected a "
                f"setting of the last grid. Write the setting that `python -m whyspiking.{again} "
                "prints."
            )


def _rows(path: Path) -> set[tuple[str, str, str]]:
    """Family, setting and seed of the networks of a table of tuning."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["family"], row["setting"], row["seed"]) for row in csv.DictReader(file)}
