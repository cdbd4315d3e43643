"""Rows of shared.csv as figures and sentences need them: by cell, method and task."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from whyspiking.declared.community_file import CommunityRow
from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import SharedTask, shared_tasks
from whyspiking.plots.figures import MARKERS, PALETTE
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report.sentences import surname
from whyspiking.verdicts.common_ground import ABSENT, CONTROL, FLOOR, METHOD

type Row = Mapping[str, Any]
type Method = tuple[str, str]
"""Talk and variant."""


def guest(row: CommunityRow) -> Row:
    """A row of `community/` as figures and tables of the shared tasks show it."""
    at = math.nan if row.at is None else float(row.at)
    return {**row.model_dump(exclude={"made", "measures"}), "at": at}


@dataclass(frozen=True)
class Cell:
    """One shared task at one of its own values, and all that was set it.

    Attributes:
        name: Of the task.
        task: The task.
        at: Its own value; nan where it has none.
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
        """Its own value with unit; empty where it has none."""
        own = self.task.own
        return "" if own is None else f"{self.at:g} {own.unit}"

    @property
    def title(self) -> str:
        """How readers call it."""
        return ", ".join(filter(None, (self.task.title, self.value)))

    @cached_property
    def methods(self) -> dict[Method, Row]:
        """What the talks trained by their own rules."""
        own = [row for row in self.rows if row["kind"] == METHOD]
        return {(row["talk"], row["variant"]): row for row in own}

    def front(self, cost: str) -> list[Method]:
        """Methods that no other beats in accuracy at the same price or less, the cheapest first.

        Args:
            cost: A column of shared.csv; what has none does not take part.
        """
        priced = {method: row for method, row in self.methods.items() if row[cost] > 0}
        best, found = -math.inf, []
        for method, row in sorted(priced.items(), key=lambda x: (x[1][cost], -x[1]["accuracy"])):
            if row["accuracy"] > best:
                best = row["accuracy"]
                found.append(method)
        return found

    @property
    def controls(self) -> list[Row]:
        """Those that a method is held against, the most precise first; the first one if none is."""
        steps = self.task.matched
        own = sorted(self._of(CONTROL), key=lambda row: steps[row["variant"]])
        used = {row["control"] for row in self.methods.values()}
        return [row for row in own if row["variant"] in used] or own[:1]

    @property
    def floor(self) -> Row | None:
        """The best one."""
        return max(self._of(FLOOR), key=lambda row: row["accuracy"], default=None)

    def _of(self, kind: str) -> list[Row]:
        return [row for row in self.rows if row["kind"] == kind]


@dataclass(frozen=True)
class Ground:
    """All shared tasks of a run.

    Attributes:
        shared: Rows of shared.csv.
        talks: Talk by name, in the order of the report.
        recorded: Whether they are of the recorded run.
        guests: Rows of `community/`: task, at (nan where it has none), name, accuracy, low, high.
    """

    shared: Table
    talks: Mapping[str, Talk]
    recorded: bool = False
    guests: Sequence[Row] = ()

    @cached_property
    def cells(self) -> list[Cell]:
        """Those in which somebody has a result."""
        found = []
        for name, task in shared_tasks().items():
            own: Table = tables.where(self.shared, task=name)
            rows = [row for row in own.to_dict("records") if row["kind"] != ABSENT]
            for at in dict.fromkeys(str(row["at"]) for row in rows):
                here = [row for row in rows if str(row["at"]) == at]
                guests = [g for g in self.guests if (g["task"], str(g["at"])) == (name, at)]
                cell = Cell(name, task, float(at), here, guests)
                if cell.methods:
                    found.append(cell)
        return found

    @cached_property
    def methods(self) -> list[Method]:
        """All with a result, in the order of the talks; a talk without any has no variant."""
        found = dict.fromkeys(method for cell in self.cells for method in cell.methods)
        own = [(talk, variant) for name in self.talks for talk, variant in found if talk == name]
        having = {talk for talk, _ in own}
        return own + [(name, "") for name in self.talks if name not in having]

    def label(self, method: Method) -> str:
        """How figures and tables call a method."""
        talk, variant = method
        several = sum(name == talk for name, _ in self.methods) > 1
        named = several and variant != "spiking"
        return surname(self.talks[talk]) + (f" ({labels.variant(variant)})" if named else "")

    def look(self, method: Method) -> dict[str, str]:
        """Colour and marker, the same in all figures; open where a talk has it beside another."""
        place = list(self.talks).index(method[0])
        colour = PALETTE[place % len(PALETTE)]
        first = next(m for m in self.methods if m[0] == method[0])
        return {
            "color": colour,
            "marker": MARKERS[(place + place // len(PALETTE)) % len(MARKERS)],
            "markerfacecolor": colour if method == first else "none",
        }

    @property
    def without(self) -> list[tuple[SharedTask, list[tuple[str, str]]]]:
        """Tasks on which nobody has a result, with the reason of every talk."""
        having = {cell.name for cell in self.cells}
        found = []
        for name, task in shared_tasks().items():
            own: Table = tables.where(self.shared, task=name, kind=ABSENT)
            rows = own.to_dict("records")
            if name not in having and rows:
                told = [(surname(self.talks[row["talk"]]), row["why"]) for row in rows]
                found.append((task, told))
        return found

    @property
    def one_each(self) -> list[Cell]:
        """One cell a task: where methods differ most."""

        def differing(cell: Cell) -> float:
            return float(np.std([row["accuracy"] for row in cell.methods.values()]))

        by_task = itertools.groupby(self.cells, key=lambda cell: cell.name)
        return [max(cells, key=differing) for _, cells in by_task]

    def why(self, cell: Cell, talk: str) -> str:
        """Why a talk has no result in a cell; empty where another of its networks has one."""
        own: Table = tables.where(self.shared, task=cell.name, talk=talk, kind=ABSENT)
        for row in own.to_dict("records"):
            if math.isnan(row["at"]) or row["at"] == cell.at:
                return row["why"]
        return ""
