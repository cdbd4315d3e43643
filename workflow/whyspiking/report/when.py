"""When should I use spikes? A row a task, by how its input arrives; page and README."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from whyspiking.measures.accounting import ACCOUNTS, MAIN
from whyspiking.report import html
from whyspiking.report.first_screen import BESIDES, Answered, span
from whyspiking.report.frontier_figure import ACCOUNT
from whyspiking.verdicts.advantage import ALIKE, WAYS, WITHHELD
from whyspiking.verdicts.frontiers import TRAINED

KINDS = {
    "events, an earlier one must be kept": ("Span", "Volley"),
    "events, none need be kept for long": ("Sound",),
    "one number an input": ("Yin-Yang", "Randman"),
}
"""How an input arrives -> tasks of that kind, by the first words of their titles."""
HEADS = (
    "Your input",
    "As in",
    "Right answers in %, with / without",
    "Energy with spikes: by events",
    "Clocked",
    "Cheapest without",
    "Smallest ratio we can tell",
)


def section(answered: Answered) -> Markup:
    """The table for the page; nothing where there is no answer."""
    return html.macros("first_screen").when(
        HEADS, table(answered), WAYS, ALIKE, answered.rows(TRAINED, ACCOUNT).values()
    )


def markdown(answered: Answered | None) -> str:
    """The lines of its rows for README, each with its newline."""
    rows = table(answered) if answered else []
    rows = rows or [("No reference networks are recorded yet", *["–"] * (len(HEADS) - 1))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def table(answered: Answered) -> list[tuple[str, ...]]:
    """A row a task with the columns `HEADS`, all beside the best that is trained without."""
    kind = {task: name for name, tasks in KINDS.items() for task in tasks}
    found = []
    for task, row in answered.rows(TRAINED, ACCOUNT).items():
        rows = [answered.rows(TRAINED, cost)[task] for cost in MAIN]
        # The interval of a ratio must leave out 1: it is so many times as wide to either side.
        widths = [np.sqrt(x["high"] / x["low"]) for x in rows if np.isfinite(x["low"])]
        found.append(
            (
                kind.get(task, "otherwise"),
                task,
                " / ".join(answered.rights[task]),
                _energy(answered, task, clocked=False),
                _energy(answered, task, clocked=True),
                BESIDES.get(row["made_by"], row["made_by"]) if widths else "–",
                f"{_least(widths)} times" if widths else "–",
            )
        )
    return sorted(found, key=lambda row: [*KINDS, row[0]].index(row[0]))


def _least(ratios: list[float]) -> str:
    """The smallest and the largest, in digits that tell both from 1."""
    return " to ".join(dict.fromkeys(f"{x:.2f}" for x in (min(ratios), max(ratios))))


def _energy(answered: Answered, task: str, *, clocked: bool) -> str:
    """The ratio to the best without spikes, without memory and with it, and its word."""
    costs = [cost for cost in MAIN if ACCOUNTS[cost].clocked == clocked]
    rows = [answered.rows(TRAINED, cost)[task] for cost in costs]
    words = [row["word"] for row in rows]
    if WITHHELD in words:
        return "no verdict yet"
    if "" in words:
        return "too few right answers"
    told = words[0] if len(set(words)) == 1 else f"{words[0]}, {words[1]} with memory"
    return f"{span(row['ratio'] for row in rows)} times: {told}"
