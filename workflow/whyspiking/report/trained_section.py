"""How much noise trained networks tolerate, and nervous systems beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from numpy.typing import NDArray

from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import WINDOW_MS
from whyspiking.plots.figures import BLUE, GREEN, GREY, RED, Plate, require
from whyspiking.records import tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.sentences import surnames
from whyspiking.verdicts.biology import Range, published, stated

type Rows = list[dict[str, Any]]


def _by_range(biology: Table) -> list[tuple[Range, Rows]]:
    """Every published range, and the rows of biology.csv beside it."""
    rows = biology.to_dict("records")
    return [
        (entry, [row for row in rows if row["quantity"] == number])
        for number, entry in enumerate(published()[0], 1)
    ]


def biology_table(biology: Table, talks: Mapping[str, Talk]) -> Markup:
    """Published range beside ours, one row per talk and quantity, with sources below."""
    shown = [(entry, entry.metric in GLOSSARY, rows) for entry, rows in _by_range(biology)]
    return html.macros("trained").biology_table(
        shown, stated().recorded, published()[1], surnames(talks)
    )


def biology_sentences(biology: Table) -> Markup:
    """In how many talks each quantity lies inside its published range, and what the CV is."""
    return html.macros("trained").biology_sentences(
        _by_range(biology), stated().recorded, published()[1]
    )


def biology_figure(biology: Table, talks: Mapping[str, Talk]) -> Plate:
    """A row for every quantity: its published range, our networks, and what was recorded.

    Raises:
        NotMeasuredError: If none of the quantities was measured.
    """
    ranges, tau = published()
    shown: dict[str, tuple[Range, Rows]] = {}
    for entry, rows in _by_range(biology):
        if rows:
            shown.setdefault(entry.metric, (entry, rows))
    require(shown, "None of the quantities that biology publishes was measured.")
    every = list(shown.values())
    tall = [len(rows) + len(_recorded(entry)) + HEAD for entry, rows in every]
    # Two columns of about equal length, read one after the other.
    cut = min(range(1, len(every) + 1), key=lambda k: max(sum(tall[:k]), sum(tall[k:])))
    columns = [part for part in (slice(cut), slice(cut, None)) if tall[part]]
    tallest = max(sum(tall[part]) for part in columns)
    plate = Plate(LANE * tallest, 4.8 * len(columns))
    words = []
    for place, part in zip(
        plate.subfigures(1, len(columns), squeeze=False)[0], columns, strict=True
    ):
        heights = [*tall[part], tallest - sum(tall[part]) + 0.01]
        axes = place.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        axes[-1].set_axis_off()
        for ax, (entry, rows) in zip(axes[:-1], every[part], strict=True):
            bars = [other for other in ranges if other.metric == entry.metric]
            words += _quantity(ax, bars, rows, talks)
    return plate.says(
        "Trained networks beside published ranges (green; between dashed lines where they are told "
        "from memory; sources below the table) and beside two recorded spike trains of a "
        f"{', a '.join(one.name for one in stated().recorded)} (red), measured by the same "
        "functions. Filled: in the network's own time; open: as if the talk's characteristic time "
        f"were {tau['used']:g} ms. A line spans the talk's experiments and populations; an arrow: "
        "not reached within the levels tried.",
        "Networks and nervous systems. " + "; ".join(words) + ".",
        "biology.csv",
    )


LANE, HEAD = 0.135, 3.3
"""Height of a network's line in inches; what title and axis of a quantity take, in such lines."""


def _quantity(ax: Axes, bars: Sequence[Range], rows: Rows, talks: Mapping[str, Talk]) -> list[str]:
    """Draw one quantity: a line for each talk and for what was recorded; returns it in words."""
    entry = bars[0]
    timed = entry.time != "none"
    order = [row for name in talks for row in rows if row["talk"] == name]
    lines = [(talks[row["talk"]].surname, _ends_of(row, timed), BLUE, "o") for row in order]
    lines += [
        (f"recorded: {name}", [(min(values), max(values))], RED, "D")
        for name, values in _recorded(entry)
    ]
    ends = [end for _, spans, *_ in lines for pair in spans for end in pair if np.isfinite(end)]
    shown = np.array([*ends, *(end for bar in bars for end in (bar.low, bar.high))])
    shown = np.log(shown[shown > 0]) if timed else shown
    # Room for a name on either side.
    margin = 0.16 * np.ptp(shown)
    left, right = shown.min() - margin, shown.max() + margin
    if timed:
        left, right = np.exp([left, right])
        ax.set_xscale("log")
    ax.set_xlim(left, right)
    if timed and right < 50 * left:
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(lambda value, _: "")
    for bar in bars:
        # A logarithmic axis has no zero.
        start = bar.low or (left if timed else 0.0)
        ax.axvspan(start, bar.high, color=GREEN, alpha=0.16, linewidth=0)
        for end in (start, bar.high) if bar.read == "recalled" else ():
            ax.axvline(end, color=GREEN, linewidth=1.0, linestyle="--")
    words = []
    for y, (name, spans, colour, marker) in enumerate(lines):
        look = {"color": colour, "marker": marker, "markersize": 3.6, "linewidth": 1.3}
        hollow = {**look, "markerfacecolor": "none", "linestyle": ":", "linewidth": 1.0}
        every = np.minimum(np.ravel(spans), right)
        ax.plot([every.min(), every.max()], [y, y], color=GREY, alpha=0.4, linewidth=0.6)
        for k, (low, high) in enumerate(spans):
            at = y + (0.3 * k - 0.15 if timed else 0)
            ax.plot(np.minimum([low, high], right), [at, at], **(hollow if k else look))
            if np.isinf(high):
                ax.plot(right, at, marker=">", color=colour, markersize=4.5, clip_on=False)
        _label(ax, name, y, every)
        low, high = spans[0]
        words.append(f"{entry.name}, {name}: {low:.2g} to {high:.2g}")
    ax.set(ylim=(len(lines) - 0.4, -0.6), yticks=[])
    ax.spines["left"].set_visible(False)
    unit = "" if entry.unit in ("1", "fraction") else f", {entry.unit}"
    ax.set_title(entry.name[0].upper() + entry.name[1:] + unit, fontsize=8.5)
    ax.tick_params(axis="x", labelsize=7.5, pad=1)
    return words


def _ends_of(row: Mapping[str, Any], timed: bool) -> list[tuple[float, float]]:
    """Least and largest of a talk: in its own time, and rescaled where the quantity has time."""
    kinds = ("", "rescaled_") if timed else ("",)
    return [(row[f"{kind}low"], row[f"{kind}high"]) for kind in kinds]


def _recorded(entry: Range) -> list[tuple[str, Sequence[float]]]:
    """Recorded trains of which the quantity was measured, with their values."""
    return [(o.name, o.values[entry.metric]) for o in stated().recorded if entry.metric in o.values]


def _label(ax: Axes, name: str, y: float, marks: NDArray) -> None:
    """A name beside the marks of its line, on the side that has more room."""
    ends = [(marks.min(), y), (marks.max(), y)]
    left, right = ax.transAxes.inverted().transform(ax.transData.transform(ends))[:, 0]
    after = 1 - right > left
    at, offset, side = (ends[1], 6, "left") if after else (ends[0], -6, "right")
    ax.annotate(
        name, at, (offset, 0), textcoords="offset points",
        ha=side, va="center", fontsize=7.5, annotation_clip=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Limit:
    """How a limit of limits.csv is shown.

    Attributes:
        head: Heading of the column.
        unit: How the number is printed.
        stronger: Whether a larger number means that the network stands more.
        perturbation: What was changed.
        measured_in: Unit of the rows that count; empty: all.
    """

    head: str
    unit: str
    perturbation: str
    stronger: bool = True
    measured_in: str = ""


LIMITS = {
    "quantise": Limit("Weight bits for 95 % of the score", "bit", "quantise", stronger=False),
    "jitter": Limit("Jitter that costs half, own experiments, τ", "1", "jitter", measured_in="tau"),
    "task_jitter": Limit(
        "Jitter that costs half, shared tasks, ms of the task", "1", "jitter", measured_in="ms"
    ),
    "delete": Limit("Deleted spikes that cost half", "fraction", "delete"),
    "mismatch": Limit("Mismatch that costs half, relative sd", "fraction", "mismatch"),
}
"""Kind of limit -> how it is shown."""


BITS = 6
"""Of a weight, that the sentence on tolerance asks about."""


def tolerance_table(limits: Table, talks: Mapping[str, Talk]) -> Markup:
    """How much noise trained networks tolerate, worst and best experiment of each talk."""
    ends = {name: {kind: _ends(limits, name, kind) for kind in LIMITS} for name in talks}
    return html.macros("trained").limits_table(LIMITS, ends, surnames(talks))


def tolerance_sentences(limits: Table, talks: Mapping[str, Talk]) -> Markup:
    """What the table comes down to, counted by talk.

    Args:
        limits: Rows of limits.csv.
        talks: Talk by name.
    """
    worst = {
        kind: {name: ends[0]["value"] for name in talks if (ends := _ends(limits, name, kind))}
        for kind in LIMITS
    }
    stand = {kind: [name for name, x in worst[kind].items() if np.isinf(x)] for kind in LIMITS}
    stand["quantise"] = [name for name, least in worst["quantise"].items() if least <= BITS]
    stand["jitter"] = [name for name, least in worst["jitter"].items() if least < 1]
    return html.macros("trained").limits_sentences(worst, stand, BITS, WINDOW_MS, surnames(talks))


def _ends(limits: Table, talk: str, kind: str) -> list[dict[str, Any]]:
    """Rows of a talk, least tolerant first."""
    shown = LIMITS[kind]
    sign = 1 if shown.stronger else -1
    own: Table = tables.where(limits, talk=talk, perturbation=shown.perturbation)
    rows = [row for row in own.to_dict("records") if shown.measured_in in ("", row["unit"])]
    return sorted(rows, key=lambda row: sign * row["value"])
