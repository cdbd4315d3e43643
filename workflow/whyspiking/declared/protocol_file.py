"""Reads and checks what was fixed of tasks before a number was computed (protocol.yaml)."""

from __future__ import annotations

import functools
import itertools
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

Kind = Literal["spikes", "leaky", "units"]
"""What a network is built of: neurons that spike; leaky units that send numbers; ReLU or gated
units."""
Text = Annotated[str, Field(min_length=5)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Floor(Block):
    """A static reader: what it is told, and with what it decides."""

    input: Text = Field(description="What it is told of a trial.")
    description: Text = Field(description="With what it decides.")


class Built(Block):
    """A network built by hand.

    Attributes:
        unit_type: What it is built of.
        engine: What runs it for the record.
        min_accuracy: Accuracy that it is expected to reach: 98 %, or what is known of the ceiling.
        known_result: What a pilot had found.
        source: Where.
    """

    unit_type: Kind
    engine: Literal["brian2", "numpy"]
    min_accuracy: Share
    known_result: Text
    source: Text

    @model_validator(mode="after")
    def _check(self) -> Built:
        says = (
            f"is '{self.engine}' for a network with spikes; expected brian2, which runs all "
            "networks with spikes. Correct it, and add the network to `to_brian`."
        )
        refuse((self.unit_type == "spikes" and self.engine != "brian2", "engine", says))
        return self


class Floors(Block):
    """What the floors of a task may be.

    Attributes:
        must_fail: Those that must be at chance.
        may_exceed_chance: Floor that may be higher -> what that means.
        known_result: What a pilot had found.
    """

    known_result: Text
    must_fail: Unique[Some[Name]]
    may_exceed_chance: dict[Name, Text]


class TaskOfGround(Block):
    """A task: its question, its shortcut, its floors and the smallest networks known.

    Attributes:
        generator: What draws the trials; another version is another task.
        no_network_known: Kind of which no built network is known -> what is.
        hand_designed: Networks built by hand, by name.
    """

    question: Text = Field(description="Its question.")
    shortcut: Text = Field(description="What one knows who cheats.")
    generator: Text
    chance: Share = Field(description="Accuracy of a guess.")
    baseline_expectations: Floors = Field(description="What its floors may be.")
    hand_designed: dict[Name, Built] = Field(default_factory=dict)
    no_network_known: dict[Kind, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> TaskOfGround:
        known = {b.unit_type for b in self.hand_designed.values()} | set(self.no_network_known)
        lacking = [kind for kind in get_args(Kind) if kind not in known]
        says = (
            f"does not mention {', '.join(lacking)}; expected a network under 'hand_designed', "
            "or an entry under 'no_network_known' that says that no such network is known. Add one "
            "of them."
        )
        refuse((lacking, "no_network_known", says))
        return self


class Training(Block):
    """How networks of every family are trained on a task.

    Attributes:
        n_distinct: Training trials that differ.
        presentations_per_trial: How often each is shown.
        chunk_size: Trials that are drawn at once, of which `n_distinct` is a multiple.
        batch: Trials an update, where no grid says otherwise.
        answer_ms: Last part of a trial, in which the readout is scored.
        spike_penalties: Of a message, of the networks that are recorded, in units of the loss.
        source: Where from.
    """

    n_distinct: Count
    presentations_per_trial: Count
    chunk_size: Count
    batch: Count
    answer_ms: Positive
    spike_penalties: Unique[Some[Annotated[float, Field(ge=0)]]]
    source: Text

    @property
    def parts(self) -> int:
        """Parts of a training."""
        return self.n_distinct * self.presentations_per_trial // self.chunk_size


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
        unit_model: Kind of its units, as in `training.reference.units`.
        gain: Of its input weights at the start.
        n_hidden_tuning: Units at which settings are tried.
        n_hidden: Units of the networks that are recorded.
        grids: Settings, each a sum of products; those after the first were moved. The last decides
            what can be chosen.
        reason: What the grid is of.
    """

    unit_model: Literal["spiking", "rectified", "sigmoid", "gru", "static"]
    gain: Positive = 3.0
    n_hidden_tuning: Count
    n_hidden: Unique[Some[Count]]
    grids: Some[Some[Product]]
    reason: Text

    @model_validator(mode="after")
    def _check(self) -> Tuned:
        says = "is {value}; expected sizes that include that of 'n_hidden_tuning'. Add it."
        refuse((self.n_hidden_tuning not in self.n_hidden, "n_hidden", says))
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
        n_hidden: How many units.
        setting_filter: Which settings of the family's first grid fit, where sides have equally
            many.
        setting: The best of them.
    """

    family: Name
    n_hidden: Count
    setting_filter: Only
    setting: Setting


class Contrast(Block):
    """What two cells differ by, and what that is expected to do to accuracy; a claim each.

    Attributes:
        cell: A cell.
        compared_with: Another; `cell` less `compared_with` is judged, paired by seed.
        n_distinct: Distinct training trials.
        criterion: Where that is expected, null at an open side.
        criterion_reason: Why this direction and criterion.
        known_result: What had been seen before.
    """

    cell: Name
    compared_with: Name
    n_distinct: Count
    criterion: Edges
    criterion_reason: Text
    known_result: Text


class Samples(Block):
    """Networks that are shown few distinct trials of a task, and contrasts between them.

    Attributes:
        task: Of the protocol.
        seeds: Of data and networks.
        n_distinct: How many training trials differ, a network each, at the same presentations.
        cells: By the name of their variant.
        contrasts: By the names of their claims.
    """

    task: Name
    seeds: Unique[Some[int]]
    n_distinct: Unique[Some[Count]]
    cells: dict[Name, Cell]
    contrasts: dict[Name, Contrast]


class Changes(Block):
    """When units that never are silent tell their state: it has changed by more than a threshold.

    Attributes:
        value: Thresholds of which the largest is taken that loses little.
        max_accuracy_loss: So much accuracy on validation trials at most.
        source: Where from.
    """

    value: Unique[Some[Positive]]
    max_accuracy_loss: Share
    source: Text


class Rule(Block):
    """How tables are read: value of a constant or what a function does, and where (module:name)."""

    description: Text = Field(description="What it says.")
    value: Any = Field(None, description="Of a constant.")
    implementation: str = Field(pattern="^[a-z_.]+:[A-Za-z_]+$", description="module:name.")


class Protocol(Block):
    """The whole file.

    Attributes:
        seeds: Of the data that are recorded.
        tuning_seeds: Of data and networks by which settings are chosen.
        amendments: What was changed since the file was first there, and why; a line each.
        margin: How far above chance a floor at chance may be, on `n_test` trials.
        n_test: Trials on which floors are scored.
        solution_threshold: How far from guessing to the reference a floor must come to decide a
            task.
        reference_baseline: The floor that is told the whole trial.
        baselines: Static readers.
        tasks: By name.
        training: By task: what is the same for all families.
        families: Of trained networks, by task.
        change_threshold: When units that never are silent tell their state.
        chosen_settings: What tuning has found, by task and family.
        comparison_rules: Rules of `verdicts.advantage`.
        samples: Networks that are shown few distinct trials.
    """

    seeds: Unique[Some[int]]
    tuning_seeds: Unique[Some[int]]
    amendments: Listed[Text]
    margin: Parameter
    n_test: Parameter
    solution_threshold: Parameter
    reference_baseline: Name
    baselines: dict[Name, Floor]
    tasks: dict[Name, TaskOfGround]
    training: dict[Name, Training]
    families: dict[Name, dict[Name, Tuned]]
    change_threshold: Changes
    chosen_settings: dict[Name, dict[Name, Setting]]
    comparison_rules: dict[Name, Rule]
    samples: Samples

    @model_validator(mode="after")
    def _check(self) -> Protocol:
        for name, task in self.tasks.items():
            expected = task.baseline_expectations
            told = [*expected.must_fail, *expected.may_exceed_chance, self.reference_baseline]
            says = (
                f"has {', '.join(told[:-1])}; expected every entry of the file's 'baselines' "
                f"except {self.reference_baseline} exactly once, under 'must_fail' or "
                "'may_exceed_chance'. Correct it."
            )
            wrong = sorted(told) != sorted(self.baselines)
            refuse((wrong, f"tasks.{name}.baseline_expectations", says))
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
            for side in (contrast.cell, contrast.compared_with):
                says = f"names {side}; expected one of {', '.join(sorted(cells))}. Correct it."
                refuse((side not in cells, place, says))
                tuned = self.families[cells[side].family][task]
                sizes.append(len(list(tuned.settings(0, cells[side].setting_filter))))
            says = (
                f"chooses from {sizes[0]} and {sizes[1]} settings; expected the same number on "
                "both sides, and at least one. Correct 'setting_filter' of the cells."
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
