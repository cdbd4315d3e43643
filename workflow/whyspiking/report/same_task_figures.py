"""Figures of the tasks that all talks are set: who is how good, how long, under which noise."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from scipy import special

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RED,
    Plate,
    label_ends,
    legend_below,
    require,
    row_of_panels,
    spread,
)
from whyspiking.records import labels, tables
from whyspiking.records.tables import Table
from whyspiking.report.same_task_rows import Cell, Ground, Row, rows_where
from whyspiking.verdicts.common_ground import BETTER, EQUAL, WORSE

WIDE = 9.6
"""Width of these figures in inches: as wide as the page."""
VERDICT_LOOK = {BETTER: (GREEN, "^"), EQUAL: (BLUE, "D"), WORSE: (RED, "s")}
"""Colour and marker by verdict."""
OTHERWISE = (GREY, "o")
CONTROL_LOOK: dict[str, Any] = {"color": INK, "marker": "x"}
NOBODY = "No network of this run was trained on a shared task."
DOSES = {"jitter": "jitter of input spikes, sd in ms of the task", "delete": "input spikes deleted"}
"""Perturbation -> label of its axis."""


TICKS = (0.2, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
"""Accuracies that are named on a logit axis, chance besides."""
COMMUNITY = (
    "Below the line: networks from elsewhere (community/), one each, with 95 % intervals over test "
    "trials, counted in no sentence."
)
MOST = 0.9995
"""Largest accuracy that is drawn; higher ones are drawn there: the logit of 1 is infinite."""


def matrix(ground: Ground) -> Plate:
    """Accuracy of every method on every task, a panel a task, a row a method.

    Raises:
        NotMeasuredError: If no method has a result.
    """
    require(ground.cells, NOBODY)
    guests = list(dict.fromkeys(guest["name"] for cell in ground.cells for guest in cell.guests))
    names = [*guests[::-1], *map(ground.label, ground.methods[::-1])]
    plate, axes = row_of_panels(2.1 + 0.23 * len(names), len(ground.cells), width=WIDE, sharey=True)
    words = []
    for ax, cell in zip(axes, ground.cells, strict=True):
        words += _column(ax, cell, ground, guests)
    axes[0].set_yticks(range(-len(guests), len(ground.methods)), names)
    plate.draw_without_rendering()
    for ax, cell in zip(axes, ground.cells, strict=True):
        _lines(ax, cell)
    _legend(plate, bool(guests))
    return plate.says(
        "The same task for all: accuracy on test data with 95 % intervals over seeds, on a logit "
        "axis (all above 99.95 % at its end), against the network without spikes (solid line) "
        "given the same input at the same time resolution. Dotted: chance; dashed: best floor; "
        "n/a: for the reason "
        "in the table." + (f" {COMMUNITY}" if guests else ""),
        "Accuracy by method and task. " + "; ".join(words) + ".",
        "shared.csv",
    )


def _column(ax: Axes, cell: Cell, ground: Ground, guests: Sequence[str]) -> list[str]:
    """Draw one task, methods from top to bottom and guests below; returns it in words."""
    top, words = len(ground.methods) - 1, []
    for k, method in enumerate(ground.methods):
        row = cell.methods.get(method)
        if row is None:
            frame = ax.get_yaxis_transform()
            ax.text(0.5, top - k, "n/a", fontsize=7, ha="center", va="center", transform=frame)
        else:
            words.append(f"{cell.title}, {ground.label(method)}: {_share(row)}, {row['verdict']}")
            _dot(ax, top - k, row)
    for guest in cell.guests:
        words.append(f"{cell.title}, {guest['name']} (community): {_share(guest)}")
        _guest(ax, -1 - guests.index(guest["name"]), guest)
    _logit(ax, cell, gap=0.19)
    if guests:
        ax.axhline(-0.5, color=INK, linewidth=0.8, zorder=0)
    for k, (method, after) in enumerate(itertools.pairwise(ground.methods)):
        if method[0] != after[0]:
            ax.axhline(top - 0.5 - k, color=GREY, linewidth=0.5, alpha=0.5, zorder=0)
    ax.set(xlabel="accuracy, %", ylim=(-0.6 - len(guests), top + 0.6))
    ax.tick_params(axis="y", length=0)
    return words


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
    low, middle, high = _ends(row)
    face = "none"
    if np.isfinite(row["low"]):
        face = colour
        ax.plot([low, high], [y, y], color=colour, linewidth=1.6, zorder=2)
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


def _logit(ax: Axes, cell: Cell, *, gap: float) -> None:
    """A logit axis of x for all of a cell, with chance and plain numbers as ticks.

    Args:
        ax: The panel.
        cell: The cell whose accuracies are shown.
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
    margin = 0.05 * (high - low)
    ends = special.expit([low - margin, high + margin])
    ticks = [tick for tick in ticks if ends[0] < tick < ends[1]]
    ax.set(xscale="logit", xlim=ends)
    ax.set_xticks(ticks, [f"{100 * tick:.3g}" for tick in ticks])
    ax.set_xticks([], minor=True)


def _lines(ax: Axes, cell: Cell) -> None:
    """Chance, best floor and controls as vertical lines, named above the panel."""
    named = [(cell.task.chance, "chance", GREY, ":")]
    if cell.floor is not None:
        named.append((cell.floor["accuracy"], _name(cell.floor), GREY, "--"))
    named += [(row["accuracy"], _name(row), INK, "-") for row in cell.controls]
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


def along_value(ground: Ground, spans: Table) -> Plate:
    """Accuracy against the task's own value, a line a method, and how far each comes.

    Raises:
        NotMeasuredError: If no task has a value of its own with several results.
    """
    cells = [cell for cell in ground.cells if cell.task.own is not None]
    values = sorted({cell.at for cell in cells})
    require(len(values) > 1, "No task with a value of its own was set at several of them.")
    task, own = cells[0].task, cells[0].task.own
    assert own is not None
    plate, (ax,) = row_of_panels(3.6, width=7.2)
    spanned = {(r["talk"], r["variant"]): r for r in rows_where(spans, task=cells[0].name)}
    words = []
    for method in ground.methods:
        rows = [cell.methods[method] for cell in cells if method in cell.methods]
        if rows:
            reach = span_words(spanned[method]) if method in spanned else ""
            label = ": ".join(filter(None, (ground.label(method), reach)))
            _line(ax, rows, ground.look(method), label)
            words.append(f"{label}: {', '.join(map(_share, rows))}")
    references: dict[str, list[Row]] = {}
    for row in (row for cell in cells for row in [*cell.controls, cell.floor] if row is not None):
        references.setdefault(_name(row), []).append(row)
    for label, rows in references.items():
        style = "-" if rows[0]["kind"] == "control" else "--"
        _line(ax, rows, CONTROL_LOOK, label, linestyle=style, linewidth=1.0)
    for level in (own.span, task.chance):
        ax.axhline(level, color=GREY, linewidth=0.8, linestyle=":")
    parameter = own.parameter.rpartition("_")[0]
    ax.set(
        xscale="log",
        ylim=(task.chance - 0.04, 1.03),
        xlabel=f"{parameter.replace('_', ' ')}, {own.unit}",
        ylabel="accuracy, %",
    )
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.set_xticks([], minor=True)
    ax.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.0f}")
    label_ends(ax, gap=0.062, size=8)
    return plate.says(
        f"{task.title}: accuracy against the {parameter}. Beside "
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
    ax: Axes, rows: Sequence[Row], look: Mapping[str, Any], label: str, **options: Any
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
    require(cells, "No network that shares a task was perturbed in this run.")
    plate = Plate(5.0, WIDE if len(cells) > 1 else WIDE / 2)
    axes = plate.panels(len(DOSES), len(cells), sharey="col")
    words = []
    for line, (kind, label) in zip(axes, DOSES.items(), strict=True):
        for ax, cell in zip(line, cells, strict=True):
            own = tables.where(_curves(cell, curves), along=kind)
            words += [f"{cell.title}, {kind}, {line}" for line in _dose(ax, own, ground)]
            ax.axhline(cell.task.chance, color=GREY, linestyle=":", linewidth=1, zorder=0)
            ax.set(ylim=(0, 1.03), xlabel=label)
            ax.yaxis.set_major_formatter(lambda y, _: f"{100 * y:.0f}")
            if kind == "jitter":
                ax.set_xscale("symlog", linthresh=1.0, linscale=0.4)
                ax.set(xlim=(0, 60), title=cell.title)
                ax.set_xticks([0, 1, 3, 10, 30], ["0", "1", "3", "10", "30"])
                ax.set_xticks([], minor=True)
            else:
                ax.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f} %")
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


def _dose(ax: Axes, curves: Table, ground: Ground) -> list[str]:
    """Draw score against dose, a line a method; returns the lines in words."""
    words = []
    for talk, variant in ground.methods:
        own = tables.where(curves, talk=talk, variant=variant)
        if own.empty:
            continue
        label, look = ground.label((talk, variant)), ground.look((talk, variant))
        ax.plot(own["at"], own["mean"], label=label, markersize=4, **look)
        if own["low"].notna().any():
            ax.fill_between(
                own["at"], own["low"], own["high"], color=look["color"], alpha=0.12, lw=0
            )
        words.append(f"{label}: {own['mean'].iloc[0]:.2f} to {own['mean'].iloc[-1]:.2f}")
    return words


def _curves(cell: Cell, curves: Table) -> Table:
    places = {(row["talk"], row["experiment"]) for row in cell.methods.values()}
    here = curves.set_index(["talk", "experiment"]).index.isin(places)
    return tables.where(curves[here], along=list(DOSES))


def _name(row: Row) -> str:
    return labels.variant(row["variant"])


def _share(row: Row) -> str:
    return f"{100 * row['accuracy']:.1f} %"
