"""The section on tasks that all talks are set: sentences and tables from shared.csv."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.same_task_figures import span_words
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


def sentences(ground: Ground, config: Mapping[str, Any]) -> Markup:
    """How many methods with spikes are better, equal and worse, task by task.

    Of a task on which nobody has a result, why.
    """
    counted = [
        (cells[0].task, [_counted(ground, cell, words(config)) for cell in cells])
        for cells in ground.by_task
    ]
    return html.macros("same_task").sentences(counted, ground.without)


def _counted(ground: Ground, cell: Cell, wording: Mapping[str, str]) -> tuple[Any, ...]:
    spiking = [(ground.label(m), row) for m, row in cell.methods.items() if ground.spikes(row)]

    def those(column: str, word: str) -> list[str]:
        return [name for name, row in spiking if row[column] == word]

    counts = {wording[verdict]: those("verdict", verdict) for verdict in (BETTER, EQUAL, WORSE)}
    if undecided := those("verdict", UNDECIDED):
        counts[wording[UNDECIDED]] = undecided
    above = {word: those("above_floor", word) for word in ("yes", "no", UNDECIDED)}
    quiet = [
        (ground.label(m), wording[row["verdict"]])
        for m, row in cell.methods.items()
        if not ground.spikes(row)
    ]
    return cell, counts, spiking, above, those("verdict", NO_CONTROL), quiet


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
        references.append((f"{labels.variant(name)}, {KINDS[kind]}", _says(own), own))
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


def prices(ground: Ground, table: Table) -> Markup:
    """What every method and twin costs on every task, beside its smallest control, to be sorted.

    Args:
        ground: The shared tasks.
        table: Rows of prices.csv.
    """
    reasons: dict[str, str] = {}
    rows = []
    for cell in ground.cells:
        for row in rows_where(table, task=cell.name):
            if str(row["at"]) != str(cell.at):
                continue
            label = ground.label((row["talk"], row["variant"]))
            if row["kind"] == TWIN:
                label += f" ({labels.variant(row['variant'])})"
            mark = reasons.setdefault(row["why"], html.letter(len(reasons))) if row["why"] else ""
            rows.append((cell, label, row, mark))
    return html.macros("same_task").prices(rows, reasons)


def spans(ground: Ground, span: Table) -> Markup:
    """How far each method comes, with its range over seeds."""
    rows = []
    for talk, variant in ground.methods:
        for row in rows_where(span, talk=talk, variant=variant):
            low, high = (span_words({**row, "span": row[end]}) for end in ("low", "high"))
            around = "" if low == high else f"{low} to {high} over {row['seeds']} seeds"
            rows.append((ground.label((talk, variant)), row["threshold"], span_words(row), around))
    return html.macros("same_task").spans(rows)


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
