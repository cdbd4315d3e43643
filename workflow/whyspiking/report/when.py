"""When should I use spikes? A row for each way in which input arrives, for page and README."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from whyspiking.measures.accounting import ACCOUNTS, MAIN
from whyspiking.report import html
from whyspiking.report.first_screen import BESIDES, Answered, span
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts.advantage import CHEAPER, DEARER, NO_DIFFERENCE, OPEN, WITHHELD
from whyspiking.verdicts.frontiers import EVERYTHING, TRAINED

KINDS = {
    "Times; an earlier event must be kept": ("Span", "Volley"),
    "Times; nothing need be kept for long": ("Sound",),
    "One number an input, all known before the answer": ("Yin-Yang", "Randman"),
}
"""How an input arrives -> tasks of that kind, by the first words of their titles."""
OTHER = "Otherwise"
HEADS = (
    "Input",
    "Right answers in %, with spikes and without",
    "Energy with spikes over the best without: hardware by events",
    "Clocked hardware",
    "What else would do, and its energy",
)
THEIRS = {
    CHEAPER: "more",
    DEARER: "less",
    NO_DIFFERENCE: "as much",
    OPEN: "open",
    WITHHELD: "no word yet",
    "": "more right answers",
}
"""Word of spikes over all accounts -> what a family needs that reaches the level."""


def section(answered: Answered) -> Markup:
    """The table for the page; nothing where there is no answer."""
    return html.macros("first_screen").when(HEADS, table(answered))


def markdown(answered: Answered | None) -> str:
    """The lines of its rows for README, each with its newline."""
    rows = table(answered) if answered else []
    rows = rows or [("No reference networks are recorded yet", *["–"] * (len(HEADS) - 1))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def table(answered: Answered) -> list[tuple[str, ...]]:
    """A row with the columns `HEADS` for each kind that has networks; in cells a part a task."""
    rows = answered.rows(TRAINED, ACCOUNT)
    kind = {task: name for name, tasks in KINDS.items() for task in tasks}
    found = []
    for name in (*KINDS, OTHER):
        told = [
            (
                f"{task} {' and '.join(answered.rights[task])} (at {100 * row['level']:.0f})",
                f"{task} {_energy(answered, task, clocked=False)}",
                f"{task} {_energy(answered, task, clocked=True)}",
                f"{task} {', '.join(_others(answered, task)) or 'nothing'}",
            )
            for task, row in rows.items()
            if kind.get(task, OTHER) == name
        ]
        found += [(name, *map("; ".join, zip(*told, strict=True)))] * bool(told)
    return found


def _energy(answered: Answered, task: str, *, clocked: bool) -> str:
    """The word beside the best without spikes, and the ratio: with memory and without."""
    costs = [cost for cost in MAIN if ACCOUNTS[cost].clocked == clocked]
    rows = [answered.rows(TRAINED, cost)[task] for cost in costs]
    words = {row["word"] for row in rows}
    if words == {WITHHELD}:
        return "no word yet"
    if "" in words:
        mine, theirs = (min(row[key] for row in rows) for key in ("reached", "reached_theirs"))
        return f"on {mine} of {rows[0]['seeds']} seeds, without on {theirs}"
    told = span(row["ratio"] for row in rows)
    return f"{words.pop() if len(words) == 1 else 'depends on memory'}, {told} times"


def _others(answered: Answered, task: str) -> Iterator[str]:
    """Families without spikes that reach the level on all seeds, and what they need.

    Networks built by hand are told of where they turn the word of all that is trained.
    """
    names = BESIDES | {EVERYTHING: "hand-built ones"}
    trained = answered.over[TRAINED][task]
    for beside, over in answered.over.items():
        row = answered.rows(beside, ACCOUNT).get(task)
        other = beside != TRAINED and (beside != EVERYTHING or over[task] != trained)
        if row and other and row["reached_theirs"] == row["seeds"]:
            needs = THEIRS.get(over[task], "it depends")
            yield f"{names.get(beside, beside).removeprefix('their ')} ({needs})"
