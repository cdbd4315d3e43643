"""The figure that carries the answer: spiking networks less networks without spikes, task by task.

Filled: the accuracy of a method less that of its matched control; hollow: less that of its graded
twin, which is equal in all but the spike (shared.csv). What sentences do not count is not drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from whyspiking.plots.figures import GREY, INK, MARKERS, PALETTE, Plate, require
from whyspiking.report.same_task_rows import Cell, Ground, Row
from whyspiking.verdicts.common_ground import YES

LINEAR = 5.0
"""Points up to which the axis is linear; beyond it is logarithmic."""
TICKS = {False: (-50, -20, -10, -5, 0, 5, 10, 20, 50), True: (-50, -10, 0, 10, 50)}
"""Whether the screen is narrow -> ticks."""
NOBODY = "No comparison of a network with spikes and one without counts on a shared task."


@dataclass(frozen=True)
class Mark:
    """A spiking network less a network without spikes, on a task.

    Attributes:
        label: How the spiking network is called.
        cell: The task.
        points: Low, mean and high of the difference of accuracies, in points.
        twin: Whether the other is its graded twin.
    """

    label: str
    cell: Cell
    points: Sequence[float]
    twin: bool


def marks(ground: Ground) -> Iterator[Mark]:
    """All comparisons that count, in the order of the tasks and talks."""
    for cell in ground.cells:
        for method, row in cell.methods.items():
            if row["counted"] == YES and ground.spikes(row):
                for twin in (False, True):
                    points = _points(row, "twin" if twin else "control")
                    if np.isfinite(points[1]):
                        yield Mark(ground.label(method), cell, points, twin)


def _points(row: Row, other: str) -> list[float]:
    named = (f"{other}_low", f"{other}_difference", f"{other}_high")
    if other == "control":
        named = ("difference_low", "difference", "difference_high")
    return [100 * row[name] for name in named]


def figure(ground: Ground, delta: float, *, narrow: bool = False) -> Plate:
    """Differences of accuracy of every spiking network on every shared task, a row a task.

    Args:
        ground: The shared tasks.
        delta: Accuracies that differ less count as equal.
        narrow: For a screen as wide as a hand.

    Raises:
        NotMeasuredError: If no comparison counts.
    """
    every = list(marks(ground))
    require(every, NOBODY)
    titles = list(dict.fromkeys(mark.cell.title for mark in every))
    names = list(dict.fromkeys(mark.label for mark in every))
    plate = Plate(1.5 + 0.88 * len(titles), 3.75 if narrow else 7.4)
    ((ax,),) = plate.panels(1, 1)
    looks = {name: (PALETTE[k % 6], MARKERS[(k + k // 6) % 6]) for k, name in enumerate(names)}
    for mark in every:
        lane = (names.index(mark.label) + 0.5) / len(names) - 0.5
        _draw(ax, mark, titles.index(mark.cell.title) + 0.8 * lane, looks)
    _axes(ax, every, titles, delta, narrow)
    handles = [Line2D([], [], color=c, marker=m, lw=0, label=n) for n, (c, m) in looks.items()]
    handles.append(
        Line2D([], [], color=INK, marker="o", mfc="none", lw=0, label="hollow: less its twin")
    )
    plate.legend(
        handles=handles, loc="outside lower center", ncols=2 if narrow else 4, columnspacing=1.2
    )
    return plate.says(_caption(ground, every, delta), _alt(every), "shared.csv")


def _draw(ax: Axes, mark: Mark, y: float, looks: Mapping[str, tuple[str, str]]) -> None:
    """Draw one comparison: its interval, its mark."""
    colour, shape = looks[mark.label]
    low, x, high = mark.points
    ax.plot([low, high], [y, y], color=colour, linewidth=0.9, alpha=0.55)
    face = "white" if mark.twin else colour
    ax.plot(x, y, shape, color=colour, markerfacecolor=face, markersize=5.5, zorder=4, gid="mark")


def _axes(
    ax: Axes, every: Sequence[Mark], titles: Sequence[str], delta: float, narrow: bool
) -> None:
    """Scales, ticks, the band of equality, and what lies on either side of it."""
    shown = np.array([mark.points for mark in every])
    ends = 1.3 * min(-20, np.nanmin(shown)), 1.3 * max(20, np.nanmax(shown))
    ax.set_xscale("symlog", linthresh=LINEAR, linscale=0.7)
    ax.set(xlim=ends, ylim=(len(titles) - 0.5, -0.5))
    ax.set_xticks([tick for tick in TICKS[narrow] if ends[0] < tick < ends[1]])
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:+g}".replace("-", "−") if x else "0")
    ax.set_xticks([], minor=True)
    wrapped = [title.replace(", ", ",\n") if narrow else title for title in titles]
    ax.set_yticks(range(len(titles)), wrapped)
    ax.tick_params(axis="y", length=0)
    ax.axvspan(-100 * delta, 100 * delta, color=GREY, alpha=0.2, linewidth=0)
    ax.axvline(0, color=INK, linewidth=0.8)
    for place in range(1, len(titles)):
        ax.axhline(place - 0.5, color=GREY, linewidth=0.4, alpha=0.6)
    ax.set_xlabel("accuracy with spikes less without, points")
    for words, move, side in (("spikes better →", 5, "left"), ("← spikes worse", -5, "right")):
        frame = {"xycoords": ax.get_xaxis_transform(), "textcoords": "offset points"}
        ax.annotate(words, (0, 1.01), (move, 0), ha=side, fontsize=9, weight="bold", **frame)


def _caption(ground: Ground, every: Sequence[Mark], delta: float) -> str:
    """What is drawn, and what is not, counted."""
    rows = [row for c in ground.cells for row in c.methods.values() if ground.spikes(row)]
    left_out = Counter(str(row["counted"]) for row in rows if row["counted"] != YES)
    several = any(np.isfinite(mark.points[0]) for mark in every)
    said = [
        "One mark is a network with spikes on a task: by how many points it is more accurate than "
        "the network without spikes that is told as much; hollow, than its graded twin, which "
        "sends a number where it sends a spike and is equal in all else"
        + (". Bars: 95 % intervals over seeds" if several else "; of one seed, without intervals")
        + f". Linear up to {LINEAR:g} points, logarithmic beyond; grey: within {100 * delta:g} "
        "points the two count as equal."
    ]
    if left_out:
        words = ", ".join(f"{n} ({why})" for why, n in left_out.items())
        said.append(f"Neither drawn nor counted: {words}.")
    return " ".join(said)


def _alt(every: Sequence[Mark]) -> str:
    """The marks in words."""
    words = [
        f"{mark.cell.title}, {mark.label}: {mark.points[1]:+.1f} points"
        + " beside its graded twin" * mark.twin
        for mark in every
    ]
    return f"Accuracy with spikes less without. {'; '.join(words)}."
