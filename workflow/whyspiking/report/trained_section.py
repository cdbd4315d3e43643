"""We can train them, what now? What trained networks stand, and nervous systems beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import BLUE, GREEN, NotMeasuredError, Plate
from whyspiking.records import tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.sentences import surname, surnames
from whyspiking.verdicts.biology import Range, published

type Rows = list[dict[str, Any]]


def _found(biology: Table) -> list[tuple[Range, Rows]]:
    """Every published range, and the rows of biology.csv beside it."""
    found = []
    for number, entry in enumerate(published()[0], 1):
        rows: Table = tables.where(biology, quantity=number)
        found.append((entry, rows.to_dict("records")))
    return found


def biology_table(biology: Table, talks: Mapping[str, Talk]) -> Markup:
    """Published range beside ours, one row per talk and quantity, with sources below."""
    _, tau = published()
    shown = [(entry, entry.metric in GLOSSARY, rows) for entry, rows in _found(biology)]
    return html.macros("trained").biology_table(shown, tau, surnames(talks))


def biology_sentences(biology: Table) -> Markup:
    """In how many talks each quantity lies inside its published range."""
    _, tau = published()
    return html.macros("trained").biology_sentences(_found(biology), tau)


def biology_figure(biology: Table, talks: Mapping[str, Talk]) -> Plate:
    """Ours and the published range, a panel per quantity, a row per talk.

    Raises:
        NotMeasuredError: If none of the quantities was measured.
    """
    ranges, tau = published()
    shown: list[tuple[Range, Rows]] = []
    for entry, rows in _found(biology):
        if rows and all(entry.metric != other.metric for other, _ in shown):
            shown.append((entry, rows))
    if not shown:
        raise NotMeasuredError("None of the quantities that biology publishes was measured.")
    order = list(talks)[::-1]
    plate = Plate(0.9 + 0.24 * len(order))
    axes = plate.panels(1, len(shown), sharey=True)[0]
    words = []
    for ax, (entry, found) in zip(axes, shown, strict=True):
        least = min(min(own["low"], own["rescaled_low"]) for own in found)
        for other in ranges:
            if other.metric == entry.metric:
                # A logarithmic axis has no zero.
                start = other.low or least / 2
                ax.axvspan(start, other.high, color=GREEN, alpha=0.14, linewidth=0)
        for own in found:
            y = order.index(own["talk"])
            for which, style, lift in _marks(entry):
                ends = [own[f"{which}low"], own[f"{which}high"]]
                ax.plot(ends, [y + lift] * 2, **style)
            who = surname(talks[own["talk"]])
            words.append(f"{entry.name}, {who}: {own['low']:.2g} to {own['high']:.2g}")
        if entry.time != "none":
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        else:
            ax.set_xlim(left=min(0.7, *(own["low"] for own in found)), right=1.0 + 0.01)
        ax.set_title(entry.name, fontsize=8.5, wrap=True)
        ax.set_xlabel(entry.unit if entry.unit not in ("1", "fraction") else "share")
    axes[0].set_yticks(range(len(order)), [surname(talks[name]) for name in order])
    axes[0].set_ylim(-0.6, len(order) - 0.4)
    axes[0].tick_params(axis="y", length=0)
    return plate.says(
        "Trained networks beside published ranges (green; sources below the table). Filled: in the "
        "network's own time; open: as if the talk's characteristic time were "
        f"{tau['used']:g} ms. A line spans the talk's experiments.",
        "Networks and nervous systems. " + "; ".join(words) + ".",
    )


def _marks(entry: Range) -> Sequence[tuple[str, dict[str, Any], float]]:
    """Columns, look and vertical shift of the lines of one talk."""
    filled = {"color": BLUE, "marker": "o", "markersize": 4, "linewidth": 1.4}
    if entry.time == "none":
        return [("", filled, 0.0)]
    hollow = {**filled, "markerfacecolor": "none", "linestyle": "--", "linewidth": 1.0}
    return [("", filled, 0.14), ("rescaled_", hollow, -0.14)]


@dataclass(frozen=True)
class Limit:
    """How a limit of limits.csv is shown.

    Attributes:
        head: Heading of the column.
        unit: How the number is printed.
        stronger: Whether a larger number means that the network stands more.
    """

    head: str
    unit: str
    stronger: bool = True


LIMITS = {
    "quantise": Limit("Weight bits for 95 % of the score", "bit", stronger=False),
    "jitter": Limit("Jitter that costs half, τ", "1"),
    "delete": Limit("Deleted spikes that cost half", "fraction"),
    "mismatch": Limit("Mismatch that costs half, relative sd", "fraction"),
}
"""Perturbation -> its limit."""


def tolerance_table(limits: Table, talks: Mapping[str, Talk]) -> Markup:
    """What trained networks stand, worst and best experiment of each talk."""
    ends = {name: {kind: _ends(limits, name, kind) for kind in LIMITS} for name in talks}
    return html.macros("trained").limits_table(LIMITS, ends, surnames(talks))


def tolerance_sentences(limits: Table, talks: Mapping[str, Talk], bits: int = 6) -> Markup:
    """What the table comes down to, counted by talk.

    Args:
        limits: Rows of limits.csv.
        talks: Talk by name.
        bits: Number of bits per weight that the sentence asks about.
    """
    worst = {
        kind: {name: ends[0]["value"] for name in talks if (ends := _ends(limits, name, kind))}
        for kind in LIMITS
    }
    stand = {kind: [name for name, x in worst[kind].items() if np.isinf(x)] for kind in LIMITS}
    stand["quantise"] = [name for name, least in worst["quantise"].items() if least <= bits]
    stand["jitter"] = [name for name, least in worst["jitter"].items() if least < 1]
    return html.macros("trained").limits_sentences(worst, stand, bits, surnames(talks))


def _ends(limits: Table, talk: str, perturbation: str) -> list[dict[str, Any]]:
    """Rows of a talk, least tolerant first."""
    own: Table = tables.where(limits, talk=talk, perturbation=perturbation)
    sign = 1 if LIMITS[perturbation].stronger else -1
    return sorted(own.to_dict("records"), key=lambda row: sign * row["value"])
