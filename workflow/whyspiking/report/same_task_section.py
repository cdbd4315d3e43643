"""The section on tasks that all talks are set: a table a task, from shared.csv and frontiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.frontier_figure import ACCOUNT, CLOCKED
from whyspiking.report.same_task_rows import Row, SharedTasks
from whyspiking.verdicts.advantage import END_TO_END, EQUAL_UNITS
from whyspiking.verdicts.frontiers import EVERYTHING, LIF, RULE, TRAINED, best

NO_REFERENCE = "no references in this run"
HELD = ((EQUAL_UNITS, ""), (EVERYTHING, ACCOUNT), (EVERYTHING, CLOCKED), (END_TO_END, ""))
"""Columns of what a method gives away: what it is held against, under which account."""
FAMILIES = {
    LIF: "reference with spikes",
    "twin": "its graded twin",
    "gated": "gated units",
    "relu": "ReLU units, told at once",
}
"""Family of references -> how a table calls it."""


def task_tables(ground: SharedTasks, frontiers: Table, advantage: Table) -> Markup:
    """A table a task: what every method reaches and gives away, and the best of all references.

    Args:
        ground: The shared tasks.
        frontiers: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
    """
    cells = []
    for cell in ground.cells:
        networks = tables.where(frontiers, task=cell.name)
        read = {
            (row["who"], row["beside"], row["cost"]): row
            for row in tables.where(advantage, task=cell.name).to_dict("records")
        }
        most = max(int(row["presentations"]) for row in cell.methods.values())
        rows = []
        for method, row in cell.methods.items():
            label = ground.label(method)
            own: Table = tables.where(networks, kind=RULE, family=label)
            gaps = [read.get((label, *held)) for held in HELD]
            why = NO_REFERENCE if networks[networks["kind"] == TRAINED].empty else ""
            if row["presentations"] < most:
                why = f"shown {row['presentations']:,} of {most:,}: not counted"
            one = next((x for (who, *_), x in read.items() if who == label), None)
            rows.append((label, row, own[[ACCOUNT, CLOCKED]].mean() / 1e3, gaps, one, why))
        trained = best(tables.where(networks, kind=TRAINED), "family", "seed")
        means = trained.groupby("family")[["test", "units", "messages", ACCOUNT, CLOCKED]].mean()
        others = [(FAMILIES[name], means.loc[name]) for name in FAMILIES if name in means.index]
        absent = {ground.talks[name].surname: why for name, why in cell.absent.items()}
        cells.append((cell, rows, others, absent))
    return html.macros("same_task").task_tables(cells, ACCOUNT, CLOCKED)


def community(ground: SharedTasks) -> Markup:
    """Networks from elsewhere, apart; nothing where there is none."""
    rows = [(cell.task.title, guest) for cell in ground.cells for guest in cell.guests]
    return html.macros("same_task").community(rows) if rows else Markup()


def rules(ground: SharedTasks) -> Markup:
    """Memory and signals of each rule, once a method where its tasks agree."""
    first: dict[tuple[str, str], tuple[str, Row]] = {}
    for method in ground.methods:
        for row in (cell.methods[method] for cell in ground.cells if method in cell.methods):
            label = ground.label(method)
            first.setdefault((label, row["rule"]), (label, row))
    return html.macros("same_task").rules(list(first.values()))


def held_equal(ground: SharedTasks, config: Mapping[str, Any]) -> Markup:
    """Sizes, samples and tried settings, task by task."""
    rows = []
    for cell in ground.cells:
        methods = list(cell.methods.values())
        experiment = ground.talks[methods[0]["talk"]].experiments[methods[0]["experiment"]]
        values = registry.params(experiment, config).values
        shown, seeds, tried = (
            sorted({int(row[key]) for row in methods})
            for key in ("presentations", "seeds", "tried")
        )
        rows.append((cell.task, values, shown, seeds, tried))
    return html.macros("same_task").held(rows)
