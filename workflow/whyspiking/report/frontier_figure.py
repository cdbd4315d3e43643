"""The figure of the answer: right answers against energy, task by task, with spikes and without.

Drawn by events with 8 kB of memory; what changes where every unit costs energy in every step is
told beside it. Lines are trained networks of all sizes, stars those built by hand, dots the methods
of the talks (frontiers.csv); numbers are those of advantage.csv.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from whyspiking.plots.figures import BLUE, GREY, INK, RED, Plate, label_ends, require
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.verdicts.advantage import CHEAPER, NO_DIFFERENCE, OPEN, WITHHELD
from whyspiking.verdicts.frontiers import (
    BUILT,
    EVERYTHING,
    GATED,
    LIF,
    RULE,
    TRAINED,
    TWIN,
    Frontier,
    side,
)

ACCOUNT, CLOCKED = "8kb_events", "8kb_clocked"
COLUMNS, NAMED = 3, 1
"""Panels side by side, but on a narrow screen; methods of talks that are named, the best."""
HEADING = (
    "How many right answers for how much energy? Higher and further left is better.",
    "How many right answers\nfor how much energy?\nHigher and further left is better.",
)
"""On a wide screen, and on a narrow one."""
SAID = {NO_DIFFERENCE: "no difference", OPEN: "no clear difference", "": "not reached by both"}
MAKERS = {"relu": "told at once", TWIN: "graded twin", GATED: "gated units"}
"""Family -> how it is called where it is the best without spikes."""
DASHES = {TWIN: (4, 1.5), GATED: (1, 1.2)}


@dataclass(frozen=True)
class Panel:
    """One task.

    Attributes:
        title: Its question in few words.
        points: Its rows of frontiers.csv.
        read: (beside, cost) -> row of advantage.csv.
    """

    title: str
    points: Table
    read: Mapping[tuple[str, str], Mapping[str, Any]]

    def words(self) -> list[str]:
        """What spikes cost beside the best that is trained, and beside their graded twin."""
        row, clocked = (self.read[TRAINED, name] for name in (ACCOUNT, CLOCKED))
        if row["word"] == WITHHELD:
            return ["no word yet", f"{row['why'].partition(':')[0]} lies above the red line"]
        twin = self.read[TWIN, ACCOUNT]
        beside = f"beside the twin: {_told(twin)}" if twin["seeds"] else ""
        if not row["word"]:
            k, of = min(row["reached"], row["reached_theirs"]), row["seeds"]
            behind = "with" if k == row["reached"] else "without"
            return [
                f"{behind} spikes: too few right answers",
                f"80 % of the way on {k:g} of {of:g}",
                beside,
            ]
        ends = sorted((_short(row, end) for end in ("low", "high")), key=float)
        told = f"{' to '.join(ends)}; clocked: {_told(clocked)}".removesuffix(f" {row['word']}")
        return [f"spikes: {_told(row)}", told, beside]

    def of(self, kind: str) -> list[tuple[str, float, float]]:
        """Family, energy in nJ and accuracy in percent: means over seeds, best first."""
        own = self.points[self.points["kind"] == kind].groupby("family", sort=False)
        # A method without spikes has no energy here.
        means = own[[ACCOUNT, "test"]].mean().dropna().sort_values("test", ascending=False)
        return [(str(name), cost / 1e3, 100 * test) for name, cost, test in means.itertuples()]

    def fronts(self, beside: str, *, spikes: bool = False) -> list[Frontier]:
        """The frontiers of a side, one a seed."""
        own = side(self.points, beside, spikes=spikes).groupby("seed")
        return [Frontier.of(networks, ACCOUNT) for _, networks in own]


def _short(row: Mapping[str, Any], name: str = "ratio") -> str:
    """A ratio in few digits, as many times dearer, or cheaper where that is the word."""
    times = 1 / row[name] if row["word"] == CHEAPER else row[name]
    return f"{times:.0f}" if times >= 9.95 else f"{times:.1f}"


def _told(row: Mapping[str, Any]) -> str:
    """A row of advantage.csv in few words."""
    return SAID.get(row["word"]) or f"{_short(row)} times {row['word']}"


def panels(frontiers: Table, advantage: Table, titles: Mapping[str, str]) -> Iterator[Panel]:
    """The tasks on which trained networks with spikes and without are held beside each other."""
    for task, title in titles.items():
        told: Table = tables.where(advantage, task=task, who="spikes")
        rows = told.to_dict("records")
        read = {(row["beside"], row["cost"]): row for row in rows}
        if np.isfinite(read.get((TRAINED, ACCOUNT), {}).get("way", np.nan)):
            yield Panel(title, frontiers[frontiers["task"] == task], read)


def figure(
    frontiers: Table, advantage: Table, titles: Mapping[str, str], *, narrow: bool = False
) -> Plate:
    """A panel a task: accuracy against energy.

    Args:
        frontiers: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
        titles: Task -> its question in at most 40 letters, in order.
        narrow: For a screen as wide as a hand: panels below each other, lines named at their ends.

    Raises:
        NotMeasuredError: If no task has both sides.
    """
    shown = list(panels(frontiers, advantage, titles))
    require(shown, "No task has trained networks with spikes and without on the same seeds.")
    columns = 1 if narrow else COLUMNS
    rows = -(-(len(shown) + (not narrow)) // columns)
    plate = Plate(2.75 * rows, 3.75 if narrow else 9.0)
    axes = plate.panels(rows, columns, len(shown)).ravel()
    for ax, panel in zip(axes, shown, strict=False):
        _draw(ax, panel, narrow)
    if not narrow:
        axes[-1].legend(handles=_legend(), loc="center left").set_in_layout(False)
    plate.supxlabel("energy a trial, nJ (logarithmic)", fontsize=9)
    plate.supylabel("right answers, %", fontsize=9)
    plate.suptitle(HEADING[narrow], x=0.01, ha="left", weight="bold", fontsize=10.5)
    return plate.says(_caption(shown), _alt(shown), "frontiers.csv")


def _draw(ax: Axes, panel: Panel, narrow: bool) -> None:
    """One task."""
    lines: list[tuple[list[Frontier], str, dict[str, Any]]] = [
        (panel.fronts(TRAINED, spikes=True), "with spikes", {"color": RED, "lw": 2.4}),
        (panel.fronts(TRAINED), "without", {"color": BLUE, "lw": 2.4}),
    ]
    for family in (TWIN,) if narrow else DASHES:
        if own := panel.fronts(family):
            lines.append((own, family, {"color": BLUE, "lw": 1.2, "dashes": DASHES[family]}))
    seen = [x / 1e3 for own, *_ in lines for front in own for x in front.cost[1:]]
    seen += [x for kind in (BUILT, RULE) for _, x, _ in panel.of(kind)]
    x = np.geomspace(0.6 * min(seen), 1.5 * max(seen), 160)
    for own, label, look in lines:
        y = 100 * np.array([front.at(1e3 * x) for front in own])
        smallest = x >= np.exp(np.mean([np.log(front.cost[1] / 1e3) for front in own]))
        ax.plot(x, np.where(smallest, y.mean(0), np.nan), label=label, zorder=4, **look)
        if label not in DASHES:
            colour = look["color"]
            ax.plot(x, y.mean(0), color=colour, lw=0.8, alpha=0.5)
            ax.fill_between(x, y.min(0), y.max(0), where=smallest, color=colour, alpha=0.15, lw=0)
    guess = 100 * float(panel.points["guess"].iloc[0])
    ax.axhline(guess, color=GREY, lw=0.8, dashes=(4, 3))
    _write(ax, "guessing", (x[-1], guess), (-2, 2), ha="right")
    # A 17th of what is above guessing is left on either side.
    ax.set(xscale="log", xlim=(x[0], x[-1]), ylim=(1.06 * guess - 6, 106 - 0.06 * guess))
    _marks(ax, panel)
    few = x[-1] < 100 * x[0]
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.minorticks_off()
    ax.set_title("\n\n\n\n")  # the room for what follows
    for place, words in enumerate([panel.title, *panel.words()]):
        look = {"xycoords": "axes fraction", "weight": "bold" if place == 1 else "normal"}
        _write(ax, words, (0, 1), (0, 41 - 12.5 * place), size=9, **look)
    if narrow:
        label_ends(ax, gap=0.11)


def _marks(ax: Axes, panel: Panel) -> None:
    """What was built by hand, methods of the talks, and where both sides are compared."""
    built, both = panel.of(BUILT), panel.read[EVERYTHING, ACCOUNT]
    for family, at, height in built:
        colour, size = (RED, 8) if family == LIF else (BLUE, 14)  # both are seen at one place
        ax.plot(at, height, "*", color=colour, markersize=size, mew=0, zorder=20 - size)
    if built and both["word"] not in ("", WITHHELD):
        # Nothing else lies low on the right.
        look: dict[str, Any] = {"xycoords": "axes fraction", "ha": "right"}
        _write(ax, f"hand-built included:\n{_told(both)}", (1, 0.2), (-3, 0), **look)
    for place, (name, at, height) in enumerate(panel.of(RULE)):
        ax.plot(at, height, "o", color=RED, alpha=0.5, mew=0, zorder=3, gid="rule")
        _write(ax, name if place < NAMED else "", (at, height), (0, -23), ha="center")
    row = panel.read[TRAINED, ACCOUNT]
    mine, theirs, level = row["mine"] / 1e3, row["theirs"] / 1e3, 100 * row["level"]
    ax.plot([mine, theirs], [level] * 2, color=INK, lw=1.2, marker="|", ms=8, zorder=7, gid="bar")
    if np.isfinite(mine * theirs):
        middle = float(np.sqrt(mine * theirs))
        _write(ax, MAKERS.get(row["made_by"], ""), (middle, level), (0, -11), ha="center")


def _write(
    ax: Axes,
    words: str,
    at: tuple[float, float],
    move: tuple[float, float],
    *,
    size: float = 8.5,
    **look: Any,
) -> None:
    """Words at a place, moved by points, for which no room is made."""
    note = ax.annotate(words, at, move, textcoords="offset points", fontsize=size, **look)
    note.set_in_layout(False)  # it stands in the room of the empty title, or in the panel


def _legend() -> list[Line2D]:
    """What lines and marks mean, where there is room for it."""
    kinds = (
        ("with spikes", {"color": RED, "lw": 2.4}),
        ("without: best of all kinds", {"color": BLUE, "lw": 2.4}),
        (
            "graded twin: no spike",
            {"color": BLUE, "dashes": DASHES[TWIN], "lw": 1.2},
        ),
        ("gated units", {"color": BLUE, "dashes": DASHES[GATED], "lw": 1.2}),
        ("smallest network, else a coin", {"color": GREY, "lw": 0.8}),
        ("compared here", {"color": INK, "marker": "|", "markersize": 8, "lw": 1.2}),
        ("built by hand", {"color": GREY, "lw": 0, "marker": "*", "markersize": 10}),
        ("learning rule of a talk", {"color": RED, "lw": 0, "marker": "o", "alpha": 0.5}),
    )
    return [Line2D([], [], label=says, **look) for says, look in kinds]


def _caption(shown: Sequence[Panel]) -> str:
    """What is drawn, and at which accuracy it is compared."""
    ways: dict[str, list[str]] = {}
    for panel in shown:
        way = f"{100 * panel.read[TRAINED, ACCOUNT]['way']:g} %"
        ways.setdefault(way, []).append(panel.title.partition(":")[0])
    compared = "; ".join(f"{way} ({', '.join(titles)})" for way, titles in sorted(ways.items()))
    return (
        "Lines: the least energy at which trained networks of any size give so many right answers "
        "(bands: over seeds), with 8 kB of memory. It is paid when a message arrives; clocked: by "
        f"every unit in every step. Compared at {compared} of the way from guessing to the best."
    )


def _alt(shown: Sequence[Panel]) -> str:
    """The comparisons in words."""
    return "Right answers against energy, with spikes and without. " + " ".join(
        f"{panel.title} {'; '.join(filter(None, panel.words()))}." for panel in shown
    )
