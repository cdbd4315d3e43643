"""The matrix talk x axis: as a table for every reader, and as a figure for a slide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import (
    GREEN,
    GREY,
    INK,
    OLIVE,
    RED,
    Plate,
    require,
    row_of_panels,
)
from whyspiking.report import html, sentences
from whyspiking.report.sentences import surname
from whyspiking.verdicts.answers import CLAIMS, DIVIDED, NO, NONE, PART, WORDS, YES, Answer, Stand
from whyspiking.verdicts.axes import FAVOURS

FITTING = 26
"""Letters that fit side by side in a cell of the figure."""
COLOURS = {YES: GREEN, PART: OLIVE, NO: RED, DIVIDED: OLIVE}


def table(answers: Sequence[Answer], talks: Mapping[str, Talk]) -> Markup:
    """Talk x axis as an HTML table: a word and one number."""
    rows = [
        (name, surname(talk), [_cell_of(answer, name) for answer in answers])
        for name, talk in talks.items()
    ]
    missing = dict.fromkeys(
        reason for _, _, cells in rows for word, reason, _ in cells if word == NONE
    )
    return html.macros("answers").matrix(
        [answer.axis.capitalize() for answer in answers],
        rows,
        [(answer.word, _total(answer)) for answer in answers],
        {reason: html.letter(number) for number, reason in enumerate(missing)},
        {word: sentences.MEANINGS[word] for word in WORDS},
        sentences.LOOK,
    )


def _cell_of(answer: Answer, talk: str) -> tuple[str, str, Sequence[Markup]]:
    """Word, reason and lines of a cell."""
    stand = answer.stands[talk]
    return stand.word, stand.reason, _lines(stand)


def _lines(stand: Stand) -> list[Markup]:
    """One number: the strongest effect; where comparisons disagree, how many favour spikes."""
    strongest = stand.strongest
    if strongest is None:
        return [Markup("no matched control")] if stand.apart else []
    if stand.word == PART:
        return [Markup("{} of {} favour").format(stand.count(FAVOURS), len(stand.findings))]
    name = "claim" if strongest.measure == CLAIMS else strongest.measure
    return [Markup("{} {}").format(name, sentences.number(strongest))]


def _total(answer: Answer) -> str:
    return f"yes in {len(answer.talks(YES))} of {answer.measured}" if answer.measured else ""


def figure(answers: Sequence[Answer], talks: Mapping[str, Talk]) -> Plate:
    """The same as a figure that stands on a slide by itself.

    Args:
        answers: The axes, one column each.
        talks: Talk by name, one row each.

    Raises:
        NotMeasuredError: If nothing was measured on any axis.
    """
    require(any(answer.measured for answer in answers), "No axis was measured at this scale.")
    rows = len(talks) + 1
    plate, (ax,) = row_of_panels(0.45 + 0.5 * rows, width=1.6 + 1.6 * len(answers))
    ax.set(xlim=(-0.72, len(answers)), ylim=(rows, -0.75))
    ax.set_axis_off()
    words = []
    for column, answer in enumerate(answers):
        ax.text(column + 0.05, -0.3, answer.axis.capitalize(), fontsize=11, fontweight="bold")
        for row, (name, talk) in enumerate(talks.items()):
            word, _, lines = _cell_of(answer, name)
            _cell(ax, column, row, word, [_plain(line) for line in lines])
            words.append(f"{surname(talk)}, {answer.axis}: {word}")
        total = [f"yes in {len(answer.talks(YES))} of {answer.measured} talks"]
        _cell(ax, column, rows - 1, answer.word, total if answer.measured else [])
        words.append(f"all talks, {answer.axis}: {answer.word}")
    for row, name in enumerate([*map(surname, talks.values()), "All talks"]):
        ax.text(-0.7, row + 0.4, name, fontsize=10, fontweight="bold", va="center")
    ax.axhline(rows - 1.05, color=INK, linewidth=0.8)
    return plate.says(
        "What each talk says on each axis. ▲ yes: an interval favours spikes and none speaks "
        "against them (energy: all favour them); ◆ in part; ■ no; ● undecided: no interval "
        "excludes the null; – n/a: not measured. Below: the strongest effect that supports the "
        "word, with its 95 % t interval over seeds; for “in part” how many comparisons favour "
        "spikes.",
        "Matrix of talks and axes. " + "; ".join(words) + ".",
        "axes.csv",
    )


def _cell(ax: Axes, column: int, row: int, word: str, lines: Sequence[str]) -> None:
    symbol, _ = sentences.LOOK[word]
    look: dict[str, Any] = {"facecolor": COLOURS.get(word, GREY), "edgecolor": "none"}
    ax.add_patch(Rectangle((column, row), 0.96, 0.84, alpha=0.13, **look))
    ax.add_patch(Rectangle((column, row), 0.025, 0.84, **look))
    place: dict[str, Any] = {"va": "center"}
    head = f"{symbol} {word}"
    ax.text(column + 0.05, row + 0.22, head, fontsize=9.5, fontweight="bold", **place)
    for y, line in zip((row + 0.46, row + 0.46 + 0.22), lines, strict=False):
        ax.text(column + 0.05, y, line, fontsize=7.5 * min(1.0, FITTING / len(line)), **place)


def _plain(shown: str) -> str:
    """Markup of a number as text; powers of ten as 1e6."""
    return Markup(re.sub(r"×10<sup>(.*?)</sup>", r"e\1", shown)).striptags()
