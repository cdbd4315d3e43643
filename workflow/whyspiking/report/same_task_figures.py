"""Figures of the tasks that all talks are set: who is how good, and at which price."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy import special

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RED,
    NotMeasuredError,
    Plate,
    label_ends,
    legend_below,
    spread,
)
from whyspiking.plots.point_labels import label_points
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report.same_task_rows import Cell, Ground, Method, Row
from whyspiking.verdicts.common_ground import BETTER, EQUAL, WORSE

WIDE = 9.6
"""Width of these figures in inches: as wide as the page."""
VERDICT_LOOK = {BETTER: (GREEN, "^"), EQUAL: (BLUE, "D"), WORSE: (RED, "s")}
"""Colour and marker by verdict."""
OTHERWISE = (GREY, "o")
CONTROL_LOOK = {"color": INK, "marker": "x"}
COSTS = {
    "spikes_hidden": "hidden spikes per sample",
    "train_cpu_seconds": "CPU seconds of one training",
    "memory": "numbers kept by the learning rule",
}
"""Column of shared.csv -> label of its axis."""
DOSES = {"jitter": "jitter of input spikes, sd in ms of the task", "delete": "input spikes deleted"}
"""Perturbation -> label of its axis."""


TICKS = (0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Accuracies that are named on a logit axis, chance besides."""
COMMUNITY = (
    "Below the line: networks from elsewhere (community/), one each, with 95 % intervals over test "
    "trials, counted in no sentence."
)
MOST = 0.9995
"""All that is more accurate is drawn there: the logit of 1 is infinite."""


def _need(ground: Ground) -> None:
    if not ground.cells:
        raise NotMeasuredError("No network of this run was trained on a shared task.")


def matrix(ground: Ground) -> Plate:
    """Accuracy of every method on every task, a panel a task, a row a method.

    Raises:
        NotMeasuredError: If no method has a result.
    """
    _need(ground)
    rows = ground.methods
    guests = list(dict.fromkeys(guest["name"] for cell in ground.cells for guest in cell.guests))
    plate = Plate(2.1 + 0.23 * (len(rows) + len(guests)), WIDE)
    axes = plate.panels(1, len(ground.cells), sharey=True)[0]
    words = []
    for ax, cell in zip(axes, ground.cells, strict=True):
        for k, method in enumerate(rows):
            y = len(rows) - 1 - k
            row = cell.methods.get(method)
            if row is None:
                frame = ax.get_yaxis_transform()
                ax.text(0.5, y, "n/a", fontsize=7, ha="center", va="center", transform=frame)
                continue
            words.append(f"{cell.title}, {ground.label(method)}: {_told(row)}, {row['verdict']}")
            _dot(ax, y, row)
        for guest in cell.guests:
            words.append(f"{cell.title}, {guest['name']} (community): {_told(guest)}")
            _guest(ax, -1 - guests.index(guest["name"]), guest)
        _logit(ax, "x", cell, gap=0.19)
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(-0.6 - len(guests), len(rows) - 0.4)
        if guests:
            ax.axhline(-0.5, color=INK, linewidth=0.8, zorder=0)
        ax.set_xlabel("accuracy, %")
        for k, (method, after) in enumerate(itertools.pairwise(rows)):
            if method[0] != after[0]:
                ax.axhline(len(rows) - 1.5 - k, color=GREY, linewidth=0.5, alpha=0.5, zorder=0)
    names = [*guests[::-1], *(ground.label(method) for method in rows[::-1])]
    axes[0].set_yticks(range(-len(guests), len(rows)), names)
    plate.draw_without_rendering()
    for ax, cell in zip(axes, ground.cells, strict=True):
        _lines(ax, cell)
    _legend(plate, bool(guests))
    return plate.says(
        "The same task for all: accuracy on test data with 95 % intervals over seeds, on a logit "
        "axis (all above 99.95 % at its end), against the network without spikes (solid line) that "
        "was told the input as precisely. Dotted: chance; dashed: best floor; n/a: for the reason "
        "in the table." + (f" {COMMUNITY}" if guests else ""),
        "Accuracy by method and task. " + "; ".join(words) + ".",
        "shared.csv",
    )


def _legend(plate: Plate, guests: bool) -> None:
    """What the marks say, under the panels."""
    looks = {**VERDICT_LOOK, "undecided": OTHERWISE}
    marks = [
        Line2D([], [], color=colour, marker=marker, linewidth=0, label=word.split()[0])
        for word, (colour, marker) in looks.items()
    ]
    hollow = [("o", "one seed"), *([("p", "from elsewhere")] if guests else [])]
    marks += [
        Line2D([], [], color=INK, marker=marker, markerfacecolor="none", linewidth=0, label=word)
        for marker, word in hollow
    ]
    plate.legend(handles=marks, loc="outside lower center", ncols=len(marks))


def _dot(ax: Axes, y: float, row: Row) -> None:
    colour, marker = VERDICT_LOOK.get(row["verdict"], OTHERWISE)
    known = np.isfinite(row["low"])
    low, middle, high = _ends(row)
    if known:
        ax.plot([low, high], [y, y], color=colour, linewidth=1.6, zorder=2)
    face = colour if known else "none"
    ax.plot(middle, y, marker=marker, color=colour, markerfacecolor=face, zorder=3)


def _guest(ax: Axes, y: float, guest: Row) -> None:
    low, middle, high = _ends(guest)
    ax.plot([low, high], [y, y], color=GREY, linewidth=1.0, linestyle=":", zorder=2)
    ax.plot(middle, y, marker="p", color=INK, markerfacecolor="none", zorder=3)


def _ends(row: Row) -> tuple[float, float, float]:
    """Lower end, mean and upper end of an accuracy, where a logit axis has them."""
    low, high = (row[end] if np.isfinite(row[end]) else row["accuracy"] for end in ("low", "high"))
    return _seen(low), _seen(row["accuracy"]), _seen(high)


def _seen(accuracy: float) -> float:
    return min(max(accuracy, 1 - MOST), MOST)


def _logit(ax: Axes, which: Literal["x", "y"], cell: Cell, *, gap: float) -> None:
    """A logit axis for all of a cell, with chance and plain numbers as ticks.

    Args:
        ax: Where.
        which: Which axis.
        cell: What it is for.
        gap: Least distance of two ticks, as a share of the axis.
    """
    chance = cell.task.chance
    shown = [end for row in (*cell.methods.values(), *cell.guests) for end in _ends(row)]
    shown += [_seen(row["accuracy"]) for row in (*cell.controls, cell.floor) if row is not None]
    low, high = (float(special.logit(end([chance, *shown]))) for end in (min, max))
    ticks = [chance]
    for tick in TICKS:
        if special.logit(tick) - special.logit(ticks[-1]) > gap * (high - low):
            ticks.append(tick)
    ends = special.expit([low - 0.05 * (high - low), high + 0.05 * (high - low)])
    ticks = [tick for tick in ticks if ends[0] < tick < ends[1]]
    ax.set(**{f"{which}scale": "logit", f"{which}lim": ends})
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_ticks(ticks, [f"{100 * tick:.3g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def _lines(ax: Axes, cell: Cell) -> None:
    """Chance, best floor and controls as vertical lines, named above the panel."""
    named = [(cell.task.chance, "chance", GREY, ":")]
    if cell.floor is not None:
        named.append((cell.floor["accuracy"], _words(cell.floor), GREY, "--"))
    named += [(row["accuracy"], _words(row), INK, "-") for row in cell.controls]
    named.sort(key=lambda line: line[0])
    places = ax.transData.transform([(_seen(x), 0.0) for x, *_ in named])
    shares = ax.transAxes.inverted().transform(places)[:, 0].tolist()
    # A name is about as wide as its letters are high.
    gap = 10 / (ax.get_window_extent().width * 72 / ax.figure.dpi)
    for (x, name, colour, style), place in zip(named, spread(shares, gap), strict=True):
        ax.axvline(_seen(x), color=colour, linestyle=style, linewidth=1.0, zorder=1)
        ax.annotate(
            f"{name} {100 * x:.3g}",
            (_seen(x), 1.0),
            (place, 1.06),
            xycoords=("data", "axes fraction"),
            textcoords="axes fraction",
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=7.5,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0},
        )
    ax.set_title(f"{cell.task.title}\n{cell.value}", pad=82)


def prices(ground: Ground) -> Plate:
    """Accuracy against hidden spikes, training time and memory of learning, a row a task.

    Of a task with values of its own, the value at which methods differ most is shown.

    Raises:
        NotMeasuredError: If no method has a result.
    """
    _need(ground)
    cells = ground.one_each
    plate = Plate(0.3 + 2.35 * len(cells), WIDE)
    axes = plate.panels(len(cells), len(COSTS), sharex="col")
    words, later = [], []
    for line, cell in zip(axes, cells, strict=True):
        for ax, (cost, label) in zip(line, COSTS.items(), strict=True):
            points = {m: row for m, row in cell.methods.items() if row[cost] > 0}
            front = _front(ax, cell, cost)
            shown = [(row, ground.label(m), ground.look(m)) for m, row in points.items()]
            if cost == "train_cpu_seconds":
                shown += [(row, _words(row), CONTROL_LOOK) for row in cell.controls[:1]]
            for row, _, look in shown:
                low, middle, high = _ends(row)
                ax.plot([row[cost]] * 2, [low, high], color=look["color"], linewidth=1.0)
                ax.plot(row[cost], middle, linestyle="", markersize=5.5, zorder=3, **look)
            later.append(
                (ax, [(row[cost], _seen(row["accuracy"]), name) for row, name, _ in shown])
            )
            for row, style in ((cell.floor, "--"), *((row, "-") for row in cell.controls)):
                if row is not None:
                    ax.axhline(_seen(row["accuracy"]), color=GREY, linestyle=style, linewidth=0.7)
            _logit(ax, "y", cell, gap=0.09)
            words.append(f"{cell.title}, {label}: front {', '.join(map(ground.label, front))}")
        line[0].set_ylabel(f"{cell.title}\naccuracy, %")
    for column, label in enumerate(COSTS.values()):
        costs = [x for ax, points in later[column :: len(COSTS)] for x, *_ in points]
        ax = axes[-1, column]
        ax.set_xlabel(label)
        if not costs:
            ax.set_xticks([])
            continue
        ax.set_xscale("log")
        ax.set_xlim(min(costs) / 2, max(costs) * 3)
        ax.xaxis.set_major_formatter(_plain)
        few = max(costs) < 30 * min(costs)
        ax.xaxis.set_minor_formatter(
            lambda x, _, few=few: _plain(x) if few and f"{x:e}"[0] in "25" else ""
        )
        ax.tick_params(axis="x", which="minor", labelsize=8.5)
    plate.draw_without_rendering()
    for ax, points in later:
        if points:
            label_points(ax, *zip(*points, strict=True))
    return plate.says(
        "Accuracy, on a logit axis, against price, on a logarithmic one. Stepped line: the Pareto "
        "front, methods that no other beats in accuracy at the same price or less. Horizontal "
        "lines: the best floor (dashed) and the networks without spikes that methods are held "
        "against (solid; the training of the most precise one is a cross). Not drawn: in the first "
        "column what has no spikes, in the last rules of which no number of steps is known. Bars: "
        "95 % intervals over seeds.",
        "Accuracy against price. " + "; ".join(words) + ".",
        "shared.csv",
    )


def _plain(x: float, _: object = None) -> str:
    return f"{x:,.0f}" if x >= 1 else f"{x:g}"


def _front(ax: Axes, cell: Cell, cost: str) -> list[Method]:
    """Draw the Pareto front; returns the methods on it."""
    front = cell.front(cost)
    if front:
        x = [cell.methods[method][cost] for method in front]
        y = [_seen(cell.methods[method]["accuracy"]) for method in front]
        ax.step([*x, 1e9], [*y, y[-1]], where="post", color=GREEN, alpha=0.45, linewidth=3)
    return front


def along_value(ground: Ground, spans: Table) -> Plate:
    """Accuracy against the task's own value, a line a method, and how far each comes.

    Raises:
        NotMeasuredError: If no task has a value of its own with several results.
    """
    cells = [cell for cell in ground.cells if cell.task.own is not None]
    if len({cell.at for cell in cells}) < 2:
        raise NotMeasuredError("No task with a value of its own was set at several of them.")
    name, own = cells[0].name, cells[0].task.own
    assert own is not None
    plate = Plate(3.6, 7.2)
    ax = plate.panels(1, 1)[0, 0]
    own_spans: Table = tables.where(spans, task=name)
    told = {(row["talk"], row["variant"]): row for row in own_spans.to_dict("records")}
    words = []
    for method in ground.methods:
        rows = [cell.methods[method] for cell in cells if method in cell.methods]
        if rows:
            reach = span_words(told[method]) if method in told else ""
            label = ": ".join(filter(None, (ground.label(method), reach)))
            _line(ax, rows, ground.look(method), label)
            words.append(f"{label}: {', '.join(map(_told, rows))}")
    references: dict[str, list[Row]] = {}
    for row in (row for cell in cells for row in [*cell.controls, cell.floor] if row is not None):
        references.setdefault(_words(row), []).append(row)
    for label, rows in references.items():
        style = "-" if rows[0]["kind"] == "control" else "--"
        _line(ax, rows, CONTROL_LOOK, label, linestyle=style, linewidth=1.0)
    ax.axhline(own.span, color=GREY, linewidth=0.8, linestyle=":")
    ax.axhline(cells[0].task.chance, color=GREY, linewidth=0.8, linestyle=":")
    values = sorted({cell.at for cell in cells})
    ax.set_xscale("log")
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.set_xticks([], minor=True)
    ax.set_ylim(cells[0].task.chance - 0.04, 1.03)
    ax.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.0f}")
    ax.set_xlabel(f"{own.parameter.rpartition('_')[0].replace('_', ' ')}, {own.unit}")
    ax.set_ylabel("accuracy, %")
    label_ends(ax, gap=0.062, size=8)
    return plate.says(
        f"{cells[0].task.title}: accuracy against the {own.parameter.rpartition('_')[0]}. Beside "
        f"the names the span, up to which {100 * own.span:.0f} % (upper dotted line) are reached: "
        "median over seeds, between the values set by logarithm. Bands: pointwise 95 % intervals.",
        "Accuracy against the task's own value. " + "; ".join(words) + ".",
        "span.csv",
    )


def span_words(row: Row) -> str:
    """A span in words."""
    if np.isinf(row["span"]):
        beyond = ("<", row["least"]) if row["span"] < 0 else (">", row["largest"])
        return f"{beyond[0]} {beyond[1]:g} {row['unit']}"
    return f"{row['span']:.0f} {row['unit']}"


def _line(
    ax: Axes, rows: Sequence[Row], look: Mapping[str, str], label: str, **options: Any
) -> None:
    x = [row["at"] for row in rows]
    ax.plot(x, [row["accuracy"] for row in rows], label=label, **look, **options)
    low, high = ([row[end] for row in rows] for end in ("low", "high"))
    ax.fill_between(x, low, high, color=look["color"], alpha=0.15, linewidth=0)


def doses(ground: Ground, curves: Table) -> Plate:
    """Score under jitter and deletion of input spikes, a column a task, a line a method.

    Args:
        ground: The shared tasks.
        curves: Rows of curves.csv.

    Raises:
        NotMeasuredError: If no network was perturbed.
    """
    cells = [cell for cell in ground.cells if not _curves(cell, curves).empty]
    if not cells:
        raise NotMeasuredError("No network that shares a task was perturbed in this run.")
    plate = Plate(5.0, WIDE if len(cells) > 1 else WIDE / 2)
    axes = plate.panels(len(DOSES), len(cells), sharey="col")
    words = []
    for line, (kind, label) in zip(axes, DOSES.items(), strict=True):
        for ax, cell in zip(line, cells, strict=True):
            found = tables.where(_curves(cell, curves), along=kind)
            for method in ground.methods:
                own = found[(found["talk"] == method[0]) & (found["variant"] == method[1])]
                if own.empty:
                    continue
                look = ground.look(method)
                ax.plot(own["at"], own["mean"], label=ground.label(method), markersize=4, **look)
                if own["low"].notna().any():
                    ax.fill_between(
                        own["at"], own["low"], own["high"], color=look["color"], alpha=0.12, lw=0
                    )
                words.append(
                    f"{cell.title}, {kind}, {ground.label(method)}: {own['mean'].iloc[0]:.2f} to "
                    f"{own['mean'].iloc[-1]:.2f}"
                )
            ax.axhline(cell.task.chance, color=GREY, linestyle=":", linewidth=1, zorder=0)
            ax.set_ylim(0, 1.03)
            ax.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.0f}")
            if kind == "jitter":
                ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
                ax.set_xlim(0, 60)
                ax.set_xticks([0, 1, 3, 10, 30], ["0", "1", "3", "10", "30"])
                ax.set_xticks([], minor=True)
                ax.set_title(cell.title)
            else:
                ax.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
            ax.set_xlabel(label)
        line[0].set_ylabel("accuracy, %")
    legend_below(plate, axes.flat)
    return plate.says(
        "What networks stand on the same task, nothing retrained, in Brian2: jitter (sd in ms of "
        "the task's window of 50 ms, which some models stretch) and loss of input spikes; the "
        "first point is the clean run, dotted is chance. Bands: pointwise 95 % intervals over "
        "seeds.",
        "Accuracy under jitter and deletion. " + "; ".join(words) + ".",
        "curves.csv",
    )


def _curves(cell: Cell, curves: Table) -> pd.DataFrame:
    places = {(row["talk"], row["experiment"]) for row in cell.methods.values()}
    pairs = zip(curves["talk"], curves["experiment"], strict=True)
    here = np.array([pair in places for pair in pairs], bool)
    return tables.where(curves[here], along=list(DOSES))


def _words(row: Row) -> str:
    return labels.variant(row["variant"])


def _told(row: Row) -> str:
    return f"{100 * row['accuracy']:.1f} %"
