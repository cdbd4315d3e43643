"""The section on tasks that all talks are set: sentences and tables from shared.csv."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.recorded import Recorded
from whyspiking.report.same_task_figures import COSTS, span_words
from whyspiking.report.same_task_rows import Cell, Ground, Method, Row
from whyspiking.verdicts.common_ground import (
    BETTER,
    CONTROL,
    EQUAL,
    FLOOR,
    METHOD,
    NO_CONTROL,
    OTHER,
    UNDECIDED,
    VERDICTS,
    WORSE,
)

LOOK = {
    # verdict -> symbol, colour class; the symbols are the marks of the figure
    BETTER: ("▲", "green"),
    EQUAL: ("◆", "blue"),
    WORSE: ("■", "red"),
    UNDECIDED: ("●", "grey"),
    NO_CONTROL: ("–", "grey"),
}

KINDS = {CONTROL: "control", FLOOR: "floor", OTHER: "for comparison"}
"""What stands beside the methods, in words."""


def ground_of(
    shared: Table,
    talks: Mapping[str, registry.Talk],
    recorded: Recorded,
    guests: Sequence[Row] = (),
) -> Ground:
    """The shared tasks of a run; where it has none of them, those of the recorded run.

    Args:
        shared: Rows of shared.csv.
        talks: Talk by name.
        recorded: The recorded run.
        guests: Of `community/`.
    """
    own = Ground(shared, talks, guests=guests)
    if own.cells or recorded.shared.empty:
        return own
    known = recorded.shared[recorded.shared["talk"].isin(list(talks))]
    return Ground(known, talks, recorded=True, guests=guests)


def words(config: Mapping[str, Any]) -> dict[str, str]:
    """Verdict -> how it is written."""
    points = f"equal within {100 * config['shared']['delta']:g} points"
    return {verdict: points if verdict == EQUAL else verdict for verdict in VERDICTS}


def sentences(ground: Ground, config: Mapping[str, Any]) -> Markup:
    """How many methods with spikes are better, equal and worse, task by task.

    Of a task on which nobody has a result, why.
    """
    told = []
    for _, group in itertools.groupby(ground.cells, key=lambda cell: cell.name):
        cells = list(group)
        told.append((cells[0].task, [_counted(ground, cell, words(config)) for cell in cells]))
    return html.macros("same_task").sentences(told, ground.without)


def _counted(ground: Ground, cell: Cell, said: Mapping[str, str]) -> tuple[Any, ...]:
    def spikes(row: Row) -> bool:
        return ground.talks[row["talk"]].experiments[row["experiment"]].simulated

    spiking = {m: row for m, row in cell.methods.items() if spikes(row)}
    counts: dict[str, list[str]] = {}
    for verdict in (BETTER, EQUAL, WORSE, UNDECIDED):
        found = [ground.label(m) for m, row in spiking.items() if row["verdict"] == verdict]
        if found or verdict != UNDECIDED:
            counts[said[verdict]] = found
    above = {
        word: [ground.label(m) for m, row in spiking.items() if row["above_floor"] == word]
        for word in ("yes", "no", UNDECIDED)
    }
    quiet = [
        (ground.label(m), said[row["verdict"]])
        for m, row in cell.methods.items()
        if not spikes(row)
    ]
    alone = [ground.label(m) for m, row in spiking.items() if row["verdict"] == NO_CONTROL]
    return cell, counts, list(spiking), above, alone, quiet


def matrix(ground: Ground, config: Mapping[str, Any]) -> Markup:
    """Method x task: accuracy and verdict, or the reason why there is none."""
    reasons: dict[str, str] = {}

    def cell_of(cell: Cell, method: Method) -> tuple[Row | None, str]:
        if method in cell.methods:
            return cell.methods[method], ""
        why = ground.why(cell, method[0]) or "another network of the talk was set this task"
        return None, reasons.setdefault(why, html.letter(len(reasons)))

    rows = [
        (method[0], ground.label(method), _says(ground, method), cells)
        for method in ground.methods
        for cells in [[cell_of(cell, method) for cell in ground.cells]]
    ]
    names = dict.fromkeys(
        (row["kind"], row["variant"])
        for cell in ground.cells
        for row in cell.rows
        if row["kind"] != METHOD
    )
    references = []
    for kind, name in sorted(names):
        own = [_reference(cell, name) for cell in ground.cells]
        says = next(row["says"] for row in own if row is not None)
        references.append((f"{labels.variant(name)}, {KINDS[kind]}", says, own))
    heads = [cell.title for cell in ground.cells]
    chances = [cell.task.chance for cell in ground.cells]
    told = (heads, rows, references, chances, reasons, words(config), LOOK)
    return html.macros("same_task").matrix(*told)


def community(ground: Ground) -> Markup:
    """Networks from elsewhere, apart; nothing where there is none."""
    rows = [(cell.title, guest) for cell in ground.cells for guest in cell.guests]
    return html.macros("same_task").community(rows) if rows else Markup()


def _says(ground: Ground, method: Method) -> str:
    found = (cell.methods[method]["says"] for cell in ground.cells if method in cell.methods)
    return next(found, "")


def _reference(cell: Cell, name: str) -> Row | None:
    return next((r for r in cell.rows if r["variant"] == name and r["kind"] != METHOD), None)


def fronts(ground: Ground) -> Markup:
    """Whom no other method beats in accuracy at the same price or less."""
    told = [
        (label, [(cell, list(map(ground.label, cell.front(cost)))) for cell in ground.one_each])
        for cost, label in COSTS.items()
    ]
    return html.macros("same_task").fronts(told)


def spans(ground: Ground, found: Table) -> Markup:
    """How far each method comes, with its range over seeds."""
    rows = []
    for method in ground.methods:
        own: Table = tables.where(found, talk=method[0], variant=method[1])
        for row in own.to_dict("records"):
            ends = [span_words({**row, "span": row[end]}) for end in ("low", "high")]
            around = f"{ends[0]} to {ends[1]} over {row['seeds']} seeds"
            around = "" if ends[0] == ends[1] else around
            rows.append((ground.label(method), row["threshold"], span_words(row), around))
    return html.macros("same_task").spans(rows)


def rules(ground: Ground) -> Markup:
    """What each rule keeps and must be told, once a method where its tasks agree."""
    rows: dict[tuple[str, ...], tuple[str, Row]] = {}
    for method in ground.methods:
        for cell in ground.cells:
            if method in cell.methods:
                row = cell.methods[method]
                key = (ground.label(method), row["rule"])
                rows.setdefault(key, (ground.label(method), row))
    return html.macros("same_task").rules(list(rows.values()))


def held_equal(ground: Ground, config: Mapping[str, Any]) -> Markup:
    """Sizes, samples and tried settings, task by task."""
    rows = []
    for _, group in itertools.groupby(ground.cells, key=lambda cell: cell.name):
        cells = list(group)
        row = next(iter(cells[0].methods.values()))
        experiment = ground.talks[row["talk"]].experiments[row["experiment"]]
        values = registry.params(experiment, config).values
        methods = [row for cell in cells for row in cell.methods.values()]
        shown, seeds = ([row[key] for row in methods] for key in ("presentations", "seeds"))
        own = [row for cell in cells for row in cell.rows if row["tried"]]
        tried = [row["tried"] for row in own] or [0]
        rows.append((cells[0].task, values, np.unique(shown), np.unique(seeds), np.unique(tried)))
    return html.macros("same_task").held(
        [(task, values, *([int(x) for x in n] for n in numbers)) for task, values, *numbers in rows]
    )
