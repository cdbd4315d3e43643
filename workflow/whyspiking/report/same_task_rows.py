"""Rows of shared.csv as figures and sentences need them: by cell, method and task."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from whyspiking.declared.community_file import CommunityRow
from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import SharedTask, shared_tasks
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts.common_ground import ABSENT, CONTROL, FLOOR, METHOD

type Row = Mapping[str, Any]
type Method = tuple[str, str]
"""Talk and variant."""


def rows_where(table: Table, **places: Any) -> list[dict[str, Any]]:
    """The rows of a table that have these values in these columns, one after the other."""
    own: Table = tables.where(table, **places)
    return own.to_dict("records")


def guest(row: CommunityRow) -> Row:
    """A row of `community/` as figures and tables of the shared tasks show it."""
    at = math.nan if row.at is None else float(row.at)
    return {**row.model_dump(exclude={"made", "measures"}), "at": at}


@dataclass(frozen=True)
class Cell:
    """A shared task at one of its own values, with all results on it.

    Attributes:
        name: Name of the task.
        task: The task.
        at: The value of the task, e.g. a delay; nan where it has none.
        rows: All rows with a result.
        guests: Networks from elsewhere (`community/`), which take part in no comparison.
    """

    name: str
    task: SharedTask
    at: float
    rows: Sequence[Row]
    guests: Sequence[Row] = ()

    @property
    def value(self) -> str:
        """The value of the task with its unit; empty where it has none."""
        own = self.task.own
        return "" if own is None else f"{self.at:g} {own.unit}"

    @property
    def title(self) -> str:
        """Title of the task, with its value."""
        return ", ".join(filter(None, (self.task.title, self.value)))

    @property
    def sequence(self) -> bool:
        """Whether a control without spikes, too, takes the input step by step."""
        return "gru" in self.task.matched

    @cached_property
    def methods(self) -> dict[Method, Row]:
        """Rows of the methods, which the talks trained by their own rules, by talk and variant."""
        return {(row["talk"], row["variant"]): row for row in self._of(METHOD)}

    @property
    def controls(self) -> list[Row]:
        """Controls that a method is held against, the most precise first; else the first."""
        steps = self.task.matched
        own = sorted(self._of(CONTROL), key=lambda row: steps[row["variant"]])
        used = {row["control"] for row in self.methods.values()}
        return [row for row in own if row["variant"] in used] or own[:1]

    @property
    def floor(self) -> Row | None:
        """Row of the most accurate floor."""
        return max(self._of(FLOOR), key=lambda row: row["accuracy"], default=None)

    def _of(self, kind: str) -> list[Row]:
        return [row for row in self.rows if row["kind"] == kind]


@dataclass(frozen=True)
class Ground:
    """All shared tasks of a run.

    Attributes:
        shared: Rows of shared.csv.
        talks: Talk by name, in the order of the report.
        guests: Rows of `community/`: task, at (nan where it has none), name, accuracy, low, high.
    """

    shared: Table
    talks: Mapping[str, Talk]
    guests: Sequence[Row] = ()

    @cached_property
    def cells(self) -> list[Cell]:
        """Cells in which a talk has a result."""
        cells = []
        for name, task in shared_tasks().items():
            rows = [row for row in rows_where(self.shared, task=name) if row["kind"] != ABSENT]
            for at in dict.fromkeys(str(row["at"]) for row in rows):
                here = [row for row in rows if str(row["at"]) == at]
                guests = [g for g in self.guests if (g["task"], str(g["at"])) == (name, at)]
                cells.append(Cell(name, task, float(at), here, guests))
        return [cell for cell in cells if cell.methods]

    @cached_property
    def methods(self) -> list[Method]:
        """All with a result, in the order of the talks; a talk without any has no variant."""
        every = dict.fromkeys(method for cell in self.cells for method in cell.methods)
        own = {name: [method for method in every if method[0] == name] for name in self.talks}
        return [*itertools.chain(*own.values()), *((name, "") for name in own if not own[name])]

    def label(self, method: Method) -> str:
        """How figures and tables call a method."""
        talk, variant = method
        several = sum(name == talk for name, _ in self.methods) > 1
        own = f" ({labels.variant(variant)})" if several and variant != "spiking" else ""
        return self.talks[talk].surname + own

    @property
    def without(self) -> list[tuple[SharedTask, list[tuple[str, str]]]]:
        """Tasks on which nobody has a result, with the reason of every talk."""
        set_ = {cell.name for cell in self.cells}
        reasons = [
            (task, rows_where(self.shared, task=name, kind=ABSENT))
            for name, task in shared_tasks().items()
            if name not in set_
        ]
        return [
            (task, [(self.talks[row["talk"]].surname, row["why"]) for row in rows])
            for task, rows in reasons
            if rows
        ]

    @property
    def by_task(self) -> list[list[Cell]]:
        """The cells, those of one task together."""
        return [list(cells) for _, cells in itertools.groupby(self.cells, lambda cell: cell.name)]

    def spikes(self, row: Row) -> bool:
        """Whether the network of a row has spikes."""
        return self.talks[row["talk"]].experiments[row["experiment"]].simulated

    def why(self, cell: Cell, talk: str) -> str:
        """Why a talk has no result in a cell; empty where another of its networks has one."""
        rows = rows_where(self.shared, task=cell.name, talk=talk, kind=ABSENT)
        return next((r["why"] for r in rows if math.isnan(r["at"]) or r["at"] == cell.at), "")
