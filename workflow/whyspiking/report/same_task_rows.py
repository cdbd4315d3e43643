"""Rows of shared.csv as sentences and tables need them: by task and method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import SharedTask, shared_tasks
from whyspiking.records.tables import Table
from whyspiking.verdicts import common_ground
from whyspiking.verdicts.common_ground import ABSENT, METHOD

type Row = Mapping[str, Any]
type Method = tuple[str, str]
"""Talk and variant."""


@dataclass(frozen=True)
class Cell:
    """A shared task with all results on it.

    Attributes:
        name: Name of the task.
        task: The task.
        methods: Rows of the methods, which the talks trained by their own rules, by talk and
            variant.
        absent: Talk -> why it has no result.
        guests: Networks from elsewhere (`exchange/community/`), which take part in no comparison.
    """

    name: str
    task: SharedTask
    methods: Mapping[Method, Row]
    absent: Mapping[str, str]
    guests: Sequence[Row]


@dataclass(frozen=True)
class SharedTasks:
    """All shared tasks of a run.

    Attributes:
        shared: Rows of shared.csv.
        talks: Talk by name, in the order of the report.
        guests: Rows of `exchange/community/`.
    """

    shared: Table
    talks: Mapping[str, Talk]
    guests: Sequence[Row] = ()

    @cached_property
    def cells(self) -> list[Cell]:
        """Tasks on which a talk has a result."""
        rows = self.shared.to_dict("records")
        cells = []
        for name, task in shared_tasks().items():
            task_rows = [row for row in rows if row["task"] == name]
            methods = {(r["talk"], r["variant"]): r for r in task_rows if r["status"] == METHOD}
            absent = {row["talk"]: row["comment"] for row in task_rows if row["status"] == ABSENT}
            guests = [guest for guest in self.guests if guest["task"] == name]
            cells.append(Cell(name, task, methods, absent, guests))
        return [cell for cell in cells if cell.methods]

    def label(self, method: Method) -> str:
        """How figures and tables call a method."""
        return common_ground.label(self.talks[method[0]], method[1])
