"""The figure that carries the answer: what spikes cost in accuracy, and what they save in energy.

Sideways the energy of the smallest control of equal accuracy over that of the spiking network
(prices.csv), upwards the accuracy of the spiking network less that of its matched control
(shared.csv): upper right would be an advantage in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from whyspiking.plots import placing
from whyspiking.plots.figures import BLUE, GREEN, GREY, INK, RED, Plate, require
from whyspiking.records.tables import Table
from whyspiking.report.answer_rows import LINEAR, Mark, alt, caption, marks
from whyspiking.report.same_task_rows import Ground
from whyspiking.verdicts.common_ground import BETTER, EQUAL, WORSE
from whyspiking.verdicts.prices import CHEAPER, DEARER

SHAPES = {False: ("static tasks", BLUE, "os"), True: ("sequences", RED, "^Dv<>")}
"""Whether a task is a sequence -> how it is called, colour, and markers of its tasks."""
OVER = "energy of the smallest control of equal accuracy\n÷ energy of the spiking network"
TICKS = (-50, -20, -10, -5, 0, 5, 10, 20, 50)
NOBODY = "No network with spikes was compared with a matched control on a shared task."


def figure(prices: Table, ground: Ground, delta: float, *, narrow: bool = False) -> Plate:
    """Price and accuracy of every spiking network on every shared task, in one plane.

    Args:
        prices: Rows of prices.csv.
        ground: The shared tasks.
        delta: Accuracies that differ less count as equal.
        narrow: For a screen as wide as a hand.

    Raises:
        NotMeasuredError: If no spiking network has a matched control.
    """
    every = marks(prices, ground)
    require(every, NOBODY)
    placed = [mark for mark in every if mark.placed]
    apart = [mark for mark in every if not mark.placed]
    plate = Plate(5.7, 3.75) if narrow else Plate(5.6, 7.4)
    strip, ax = plate.panels(1, 2, sharey=True, width_ratios=(1, 7 if narrow else 10))[0]
    looks = _looks(every)
    for k, mark in enumerate(sorted(apart, key=lambda mark: mark.points[1])):
        _draw(strip, mark, [np.nan, k % 4, np.nan], looks)
    for mark in placed:
        _draw(ax, mark, mark.ratios, looks)
    _axes(strip, ax, every, delta, narrow)
    _regions(ax, every, delta, narrow)
    _legends(plate, every, looks, narrow)
    plate.draw_without_rendering()
    plate.set_layout_engine("none")
    written = _names(ax, placed, narrow)
    left_out = sum(ground.spikes(row) for c in ground.cells for row in c.methods.values())
    told = caption(every, delta, left_out - len(every))
    return plate.says(told, alt(every, len(placed) - len(written)), "prices.csv")


def _looks(every: Sequence[Mark]) -> dict[str, tuple[str, str]]:
    """Title of a task -> colour and marker."""
    looks = {}
    for sequence, (_, colour, shapes) in SHAPES.items():
        own = dict.fromkeys(mark.cell.title for mark in every if mark.sequence == sequence)
        looks |= {title: (colour, shapes[k % len(shapes)]) for k, title in enumerate(own)}
    return looks


def _draw(
    ax: Axes, mark: Mark, across: Sequence[float], looks: Mapping[str, tuple[str, str]]
) -> None:
    """Draw one network: the bar of its cost models, its interval, its mark."""
    colour, shape = looks[mark.cell.title]
    least, x, largest = across
    low, y, high = mark.points
    width, alpha = (2.2, 0.85) if mark.sure else (0.9, 0.55)
    ax.plot([least, largest], [y, y], color=colour, linewidth=width, alpha=alpha)
    ax.plot([x, x], [low, high], color=colour, linewidth=0.9, alpha=0.5)
    face = "none" if mark.closed else colour
    ax.plot(x, y, shape, color=colour, markerfacecolor=face, markersize=6, zorder=4, gid="mark")


def _axes(strip: Axes, ax: Axes, every: Sequence[Mark], delta: float, narrow: bool) -> None:
    """Scales, ticks and labels of both panels."""
    shown = np.array([mark.points for mark in every])
    ends = (2.2 if narrow else 1.5) * min(-20, np.nanmin(shown)), 1.3 * max(20, np.nanmax(shown))
    ratios = np.array([mark.ratios for mark in every if mark.placed] or [[1.0] * 3])
    ax.set_yscale("symlog", linthresh=LINEAR, linscale=0.7)
    ax.set(ylim=ends, xscale="log")
    ax.set_xlim(0.5 * min(0.02, ratios.min()), 2 * max(50, ratios.max()))
    ax.set_yticks([tick for tick in TICKS if ends[0] < tick < ends[1]])
    ax.set_yticks([], minor=True)
    ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    ax.xaxis.set_minor_formatter(lambda x, _: "")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(OVER if not narrow else OVER.replace(" control", "\ncontrol"))
    strip.yaxis.set_major_formatter(lambda y, _: f"{y:+g}".replace("-", "−") if y else "0")
    strip.set(xlim=(-1, 4), xticks=(), ylabel="accuracy: spiking network less its control, points")
    strip.set_xlabel("no price", fontsize=8)
    for panel in (strip, ax):
        panel.axhspan(-100 * delta, 100 * delta, color=GREY, alpha=0.2, linewidth=0)
    ax.axvline(1, color=INK, linewidth=1.0)
    corner = [1, ax.get_xlim()[1]]
    ax.fill_between(corner, 100 * delta, ends[1], color=GREEN, alpha=0.1, linewidth=0)


def _regions(ax: Axes, every: Sequence[Mark], delta: float, narrow: bool) -> None:
    """Say what lies above, within and below the band, and on either side of the line."""
    verdicts = Counter(mark.row["verdict"] for mark in every)
    energies = Counter(mark.price["energy"] for mark in every if mark.placed)
    better, of = _some(verdicts[BETTER]), f"of {len(every)}"
    size = 8.0 if narrow else 9.5
    gap = "\n" if narrow else " "
    aside, beyond = f"under{gap}every cost model", ax.get_xaxis_transform()
    for words, at, side, up, look in (
        (f"computational{gap}advantage:\n{better} {of}", 0.015, "left", 0.98, "top"),
        (f"costs accuracy:{gap}{verdicts[WORSE]} {of}", 0.015, "left", 0.01, "bottom"),
        ("better and\ncheaper", 0.985, "right", 0.98, "top"),
    ):
        weight = "bold" if side == "left" else "normal"
        place: dict[str, Any] = {"transform": ax.transAxes, "ha": side, "va": look}
        ax.text(at, up, words, **place, fontsize=size, weight=weight)
    for words, move, side in (
        (f"cheaper {aside}: {energies[CHEAPER]} →", 5, "left"),
        (f"← dearer {aside}: {energies[DEARER]}", -5, "right"),
    ):
        where: dict[str, Any] = {"xycoords": beyond, "textcoords": "offset points"}
        ax.annotate(words, (1, 1.01), (move, 0), **where, ha=side, fontsize=size, weight="bold")
    where["xycoords"] = ax.get_yaxis_transform()
    ax.annotate(
        f"equal within\n{100 * delta:g} points: {_some(verdicts[EQUAL])}",
        (1, 0),
        (4, 0),
        **where,
        rotation=-90,
        va="center",
        fontsize=8,
    )


def _some(number: int) -> str:
    return str(number) if number else "none"


def _legends(
    plate: Plate, every: Sequence[Mark], looks: Mapping[str, tuple[str, str]], narrow: bool
) -> None:
    """Below left the static tasks, below right the sequences."""
    for sequence, (title, _, _) in SHAPES.items():
        own = dict.fromkeys(mark.cell.title for mark in every if mark.sequence == sequence)
        if not own:
            continue
        handles = [
            Line2D([], [], color=looks[task][0], marker=looks[task][1], linewidth=0, label=task)
            for task in own
        ]
        side: Any = f"outside lower {'right' if sequence else 'left'}"
        plate.legend(
            handles=handles,
            title=title,
            loc=side,
            ncols=1 if narrow else len(own),
            handletextpad=0.2,
            columnspacing=1.0,
            alignment="left",
        )


def _names(ax: Axes, placed: Sequence[Mark], narrow: bool) -> list[Any]:
    """Write the networks' names beside their marks: sequences choose first, then who saves most."""
    if not placed:
        return []
    ordered = sorted(placed, key=lambda mark: (not mark.sequence, -mark.ratios[0]))
    at = placing.in_points(ax, np.array([[m.ratios[1], m.points[1]] for m in placed]))
    dpi = 72 / ax.figure.dpi
    boxes = [dpi * np.asarray(text.get_window_extent().extents) for text in ax.texts]
    taken = np.vstack([np.hstack([at - 4, at + 4]), *boxes])
    ends = []
    for mark in placed:
        (least, x, largest), (low, y, high) = mark.ratios, mark.points
        ends += [[least, y], [largest, y], [x, low], [x, high]]
    lines = np.nan_to_num(placing.in_points(ax, np.array(ends)).reshape(-1, 4))
    names = [placing.Name(_name(mark), mark.ratios[1], mark.points[1]) for mark in ordered]
    return placing.place(ax, names, taken, lines, size=7.5, reach=17 if narrow else 66)


def _name(mark: Mark) -> str:
    """The name of a mark; of distinctness, on which the answer turns, with the task."""
    return f"{mark.label},\ndistinctness" if mark.cell.name == "distinctness" else mark.label
