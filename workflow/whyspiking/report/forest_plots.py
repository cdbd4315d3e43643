"""Forest figures: effects with their intervals beside a null, claims beside their bands."""

from __future__ import annotations

import html
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    OLIVE,
    RED,
    Plate,
    log_axis,
    require,
    row_of_panels,
)
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html as markup
from whyspiking.verdicts.answers import Finding
from whyspiking.verdicts.axes import AGAINST, FAVOURS

VERDICT_COLOURS = {
    "replicated": GREEN,
    "holds": GREEN,
    "unconfirmed": BLUE,
    "direction only": OLIVE,
    "inconclusive": OLIVE,
    "not replicated": RED,
    "fails": RED,
}
"""Colour of a verdict, as on its chip; grey where nothing was judged."""
SIDE_LOOK = {FAVOURS: (GREEN, "^"), AGAINST: (RED, "s")}
"""Colour and marker by what an interval says about spikes."""
OTHERWISE = (GREY, "o")
BEYOND = (1e-3, 1e3)
"""Ratios outside are drawn at these ends, as arrows: one extreme would squeeze all others."""

type Row = tuple[str, str]
"""Talk and experiment."""


@dataclass(frozen=True)
class Panel:
    """One measure of a forest.

    Attributes:
        title: Above the panel.
        label: Of the x axis, with the unit.
        null: Where the line stands.
        rows: Row -> its contrasts; several are drawn on one line, over their range.
    """

    title: str
    label: str
    null: float
    rows: Mapping[Row, Sequence[Finding]]


def forest(panel: Panel, names: Mapping[str, str]) -> tuple[Plate, list[str]]:
    """A row for every experiment of a measure.

    Args:
        panel: The measure.
        names: Talk -> how the rows call it, in the order of the rows.

    Returns:
        The figure, and its contents in words.
    """
    order = list(names)
    rows = sorted(panel.rows, key=lambda row: (order.index(row[0]), row[1:]))
    places = {row: len(rows) - 1 - k for k, row in enumerate(rows)}
    plate, (ax,) = row_of_panels(0.75 + 0.2 * len(rows))
    words = _draw(ax, panel, places, names)
    ax.set_xlabel(panel.label)
    ax.tick_params(axis="y", length=0)
    for row, after in itertools.pairwise(rows):
        if row[0] != after[0]:
            ax.axhline(places[row] - 0.5, color=GREY, linewidth=0.6, alpha=0.6)
    ax.set_yticks(list(places.values()), [_name(row, names, " · ") for row in rows])
    ax.set_ylim(-0.7, len(rows) - 0.3)
    return plate, words


def _name(row: Row, names: Mapping[str, str], between: str) -> str:
    talk, experiment = row
    return between.join(filter(None, (names[talk], labels.experiment(talk, experiment))))


def rows_of(findings: Sequence[Finding]) -> dict[Row, list[Finding]]:
    """Contrasts by row: those of one experiment share a line.

    Args:
        findings: Of one measure.
    """
    rows: dict[Row, list[Finding]] = {}
    for finding in findings:
        rows.setdefault((finding.talk, finding.experiment), []).append(finding)
    return rows


def _draw(ax: Axes, panel: Panel, places: Mapping[Row, int], names: Mapping[str, str]) -> list[str]:
    """Draw one panel; returns its contents in words."""
    logarithmic = panel.null == 1
    bounds = BEYOND if logarithmic else (-np.inf, np.inf)
    words, seen = [], []
    for row, group in panel.rows.items():
        seen += _line(ax, places[row], group, bounds)
        shown = _range([finding.effect for finding in group], logarithmic)
        frame = ax.get_yaxis_transform()
        ax.text(1.02, places[row], shown, transform=frame, fontsize=7.5, va="center")
        words.append(f"{panel.title} {_name(row, names, ' ')}: {shown}")
    ax.axvline(panel.null, color=INK, linewidth=0.9, zorder=1)
    if logarithmic:
        log_axis(ax, np.array(seen))
        if max(seen) < 10 * min(seen):
            ax.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in "25" else "")
            ax.tick_params(axis="x", which="minor", labelsize=8.5)
    ax.set_title(panel.title)
    return words


def _line(
    ax: Axes, y: float, group: Sequence[Finding], bounds: tuple[float, float]
) -> tuple[float, float]:
    """Draw the contrasts of one row, a mark each, on a line over their range; returns its ends."""
    sides = {finding.side if finding.decidable else "" for finding in group}
    colour, _ = SIDE_LOOK.get(sides.pop(), OTHERWISE) if len(sides) == 1 else OTHERWISE
    every = np.array([(f.low, f.high, f.effect) for f in group])
    finite = np.clip(every[np.isfinite(every)], *bounds)
    ends = float(finite.min()), float(finite.max())
    ax.plot(ends, [y, y], color=colour, linewidth=1.2, zorder=2)
    for finding in group:
        own, marker = SIDE_LOOK.get(finding.side, OTHERWISE)
        face = own if finding.decidable else "none"
        at = float(np.clip(finding.effect, *bounds))
        if at != finding.effect:
            marker = "<" if at == bounds[0] else ">"
        ax.plot(at, y, color=own, marker=marker, markersize=4, markerfacecolor=face, zorder=3)
    return ends


def _range(effects: Sequence[float], logarithmic: bool) -> str:
    """One number, or the lowest and the highest: two digits of a ratio, two decimals otherwise."""
    ends = min(effects), max(effects)
    if logarithmic:
        shown = [_short(x) for x in ends]
    else:
        shown = [f"{x:.2f}".replace("-0.00", "0.00").replace("-", "−") for x in ends]
    return " … ".join(dict.fromkeys(shown))


def _short(ratio: float) -> str:
    if 1e-3 <= ratio < 1e4:
        return f"{float(f'{ratio:.2g}'):g}"
    return f"{ratio:.1e}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")


def verdict_forest(verdicts: Table) -> Plate:
    """One row per claim: acceptance band, published value, ours with its interval.

    Each row has its own scale, since the claims have different units; the numbers are written at
    the right.

    Args:
        verdicts: Rows of verdicts.csv.

    Raises:
        NotMeasuredError: If no claim was measured.
    """
    shown = [row for row in verdicts.to_dict("records") if np.isfinite(row["value"])]
    require(shown, "No claim was measured at this scale.")
    plate, (ax,) = row_of_panels(0.3 + 0.34 * len(shown))
    words = [
        f"{row['claim']}: {_claim(ax, len(shown) - 1 - k, row)}, {row['label']}"
        for k, row in enumerate(shown)
    ]
    ax.set_yticks(range(len(shown)), [str(row["claim"]) for row in shown][::-1])
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.6, len(shown) - 0.4), xticks=[])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return plate.says(
        "Each claim on its own scale. Grey: accepted band. Diamond: "
        "published value. Dot and bar: ours with its 95 % t interval over seeds (of a claim about "
        "every network: from the lowest to the highest), in the colour of the verdict.",
        "Forest plot. " + "; ".join(words) + ".",
        "verdicts.csv",
    )


def _claim(ax: Axes, y: float, row: Mapping[str, Any]) -> str:
    """Draw one claim on a scale of its own; returns its value as it is written beside it."""
    colour = VERDICT_COLOURS.get(row["verdict"], GREY)
    finite = {name: row[name] for name in ENDS if np.isfinite(row[name])}
    start = min(finite.values())
    width = (max(finite.values()) - start) or 1.0
    at = {name: float(np.clip(0.06 + 0.88 * (row[name] - start) / width, 0, 1)) for name in ENDS}
    if "band_low" in finite or "band_high" in finite:
        left = at["band_low"] if "band_low" in finite else 0.0
        band = [left, at["band_high"] if "band_high" in finite else 1.0]
        ax.fill_between(band, y - 0.32, y + 0.32, color=GREY, alpha=0.25, linewidth=0)
    if "low" in finite and "high" in finite:
        ax.plot([at["low"], at["high"]], [y, y], color=colour, linewidth=2)
    if "published" in finite:
        ax.plot(at["published"], y, marker="D", color=INK, markerfacecolor="none", markersize=7)
    ax.plot(at["value"], y, marker="o", color=colour, markersize=6)
    shown = html.unescape(
        markup.value(row["value"], str(row["unit"]), low=row["low"], high=row["high"])
    )
    shown = f"{row['value']:.2g}" if "<sup>" in shown else shown
    ax.text(1.03, y, shown, va="center", fontsize=8.5)
    return shown


ENDS = ("value", "low", "high", "published", "band_low", "band_high")
"""Columns of verdicts.csv that have a place on the scale of a claim."""
