"""The section on tasks that all talks are set: sentences and tables from shared.csv."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.same_task_rows import Cell, Ground, Method, Row, rows_where
from whyspiking.verdicts.common_ground import (
    BETTER,
    CONTROL,
    EQUAL,
    FLOOR,
    METHOD,
    NO_CONTROL,
    OTHER,
    TWIN,
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

KINDS = {CONTROL: "control", TWIN: "twin", FLOOR: "floor", OTHER: "for comparison"}
"""What stands beside the methods, in words."""


def words(config: Mapping[str, Any]) -> dict[str, str]:
    """Verdict -> how it is written."""
    points = f"equal within {100 * config['shared']['delta']:g} points"
    return {verdict: points if verdict == EQUAL else verdict for verdict in VERDICTS}


def matrix(ground: Ground, config: Mapping[str, Any]) -> Markup:
    """Method x task: accuracy and verdict, or the reason why there is none."""
    reasons: dict[str, str] = {}

    def cell_of(cell: Cell, method: Method) -> tuple[Row | None, str]:
        if method in cell.methods:
            return cell.methods[method], ""
        why = ground.why(cell, method[0]) or "another network of the talk was set this task"
        return None, reasons.setdefault(why, html.letter(len(reasons)))

    rows = []
    for method in ground.methods:
        own = [cell_of(cell, method) for cell in ground.cells]
        rows.append((method[0], ground.label(method), _says(row for row, _ in own), own))
    names = {
        (row["kind"], row["variant"])
        for cell in ground.cells
        for row in cell.rows
        if row["kind"] != METHOD
    }
    references = []
    for kind, name in sorted(names):
        own = [_reference(cell, name) for cell in ground.cells]
        # The size is in its name; what it is stands where it has its full size.
        says = "" if "_at_" in name else _says(own)
        references.append((f"{labels.variant(name)}, {KINDS[kind]}", says, own))
    heads = [cell.title for cell in ground.cells]
    chances = [cell.task.chance for cell in ground.cells]
    return html.macros("same_task").matrix(
        heads, rows, references, chances, reasons, words(config), LOOK
    )


def community(ground: Ground) -> Markup:
    """Networks from elsewhere, apart; nothing where there is none."""
    rows = [(cell.title, guest) for cell in ground.cells for guest in cell.guests]
    return html.macros("same_task").community(rows) if rows else Markup()


def _says(rows: Iterable[Row | None]) -> str:
    """What the first of some rows says of its network."""
    return next((row["says"] for row in rows if row is not None), "")


def _reference(cell: Cell, name: str) -> Row | None:
    return next((r for r in cell.rows if r["variant"] == name and r["kind"] != METHOD), None)


def task_tables(ground: Ground, prices: Table, config: Mapping[str, Any]) -> Markup:
    """A table a task: every method beside its matched control and the best floor, with prices.

    Args:
        ground: The shared tasks.
        prices: Rows of prices.csv.
        config: Of the run; `shared.delta` is what counts as equal.
    """
    cells = []
    for cell in ground.cells:
        priced = {
            (r["talk"], r["variant"]): r
            for r in rows_where(prices, task=cell.name)
            if str(r["at"]) == str(cell.at)
        }
        rows = [
            (ground.label(method), row, priced.get(method), ground.spikes(row))
            for method, row in cell.methods.items()
        ]
        others = [
            (labels.variant(row["variant"]), KINDS[row["kind"]], row)
            for row in (*cell.controls, cell.floor)
            if row is not None
        ]
        absent = {ground.label((name, "")): ground.why(cell, name) for name in ground.talks}
        cells.append((cell, rows, others, {k: why for k, why in absent.items() if why}))
    return html.macros("same_task").task_tables(cells, words(config), LOOK)


def spans(ground: Ground, span: Table) -> Markup:
    """How far each method comes, with its range over seeds."""
    rows = []
    for talk, variant in ground.methods:
        for row in rows_where(span, talk=talk, variant=variant):
            low, high = (_span_words({**row, "span": row[end]}) for end in ("low", "high"))
            around = "" if low == high else f"{low} to {high} over {row['seeds']} seeds"
            rows.append((ground.label((talk, variant)), row["threshold"], _span_words(row), around))
    return html.macros("same_task").spans(rows)


def _span_words(row: Row) -> str:
    """A span in words."""
    if np.isinf(row["span"]):
        beyond = ("<", row["least"]) if row["span"] < 0 else (">", row["largest"])
        return f"{beyond[0]} {beyond[1]:g} {row['unit']}"
    return f"{row['span']:.0f} {row['unit']}"


def rules(ground: Ground) -> Markup:
    """Memory and signals of each rule, once a method where its tasks agree."""
    every = [
        (ground.label(method), cell.methods[method])
        for method in ground.methods
        for cell in ground.cells
        if method in cell.methods
    ]
    first: dict[tuple[str, str], tuple[str, Row]] = {}
    for label, row in every:
        first.setdefault((label, row["rule"]), (label, row))
    return html.macros("same_task").rules(list(first.values()))


def held_equal(ground: Ground, config: Mapping[str, Any]) -> Markup:
    """Sizes, samples and tried settings, task by task."""
    rows = []
    for cells in ground.by_task:
        methods = [row for cell in cells for row in cell.methods.values()]
        experiment = ground.talks[methods[0]["talk"]].experiments[methods[0]["experiment"]]
        shown, seeds = (
            sorted({int(r[key]) for r in methods}) for key in ("presentations", "seeds")
        )
        tried = {int(row["tried"]) for cell in cells for row in cell.rows if row["tried"]}
        values = registry.params(experiment, config).values
        rows.append((cells[0].task, values, shown, seeds, sorted(tried or {0})))
    return html.macros("same_task").held(rows)
