"""Forest figures: effects with their intervals beside a null, claims beside their bands."""

from __future__ import annotations

import html
import itertools
import textwrap
from collections.abc import Callable, Mapping, Sequence
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
    NotMeasuredError,
    Plate,
    log_axis,
)
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html as markup
from whyspiking.verdicts.answers import CLAIMS, Answer, Finding
from whyspiking.verdicts.axes import AGAINST, FAVOURS
from whyspiking.verdicts.rule import OUT_OF_SCOPE

VERDICT_COLOURS = {
    "replicated": GREEN,
    "holds": GREEN,
    "compatible": BLUE,
    "direction only": OLIVE,
    "inconclusive": OLIVE,
    "not replicated": RED,
    "fails": RED,
}
"""As on its chip; grey where nothing was judged."""
SIDE_LOOK = {FAVOURS: (GREEN, "^"), AGAINST: (RED, "s")}
"""Colour and marker by what an interval says about spikes."""
OTHERWISE = (GREY, "o")
BEYOND = (1e-3, 1e3)
"""Ratios outside are drawn at these ends, as arrows: one extreme would squeeze all others."""

FEWEST = 3
"""Rows for which a measure gets a panel, if another has them."""
LETTERS = 56
"""That fit side by side below the panels of a forest."""

type Row = tuple[str, str, str]
"""Talk, experiment, and whether it is recorded."""


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


def axis_forest(answer: Answer, config: Mapping[str, Any], names: Mapping[str, str]) -> Plate:
    """One axis over all talks: a panel per measure, a row per talk and experiment, the null line.

    Args:
        answer: The axis.
        config: The run configuration; `energy.models` tells which models pay for memory.
        names: Talk -> how the rows call it, in the order of the rows.

    Raises:
        NotMeasuredError: If nothing with a null was measured.
    """
    measured = _panels([f for f in answer.shown if f.measure != CLAIMS and f.matched], config)
    if not measured:
        raise NotMeasuredError("Nothing with a null was measured on this axis at this scale.")
    panels = [panel for panel in measured if len(panel.rows) >= FEWEST] or measured
    plate, words = forest(panels, names)
    few = [panel.title for panel in measured if panel not in panels]
    apart = f" In the table alone, for want of rows: {', '.join(few)}." if few else ""
    several = any(len(group) > 1 for panel in panels for group in panel.rows.values())
    span = (
        "A line with several marks spans controls, places, perturbations or cost models, which "
        "the table tells apart. "
        if several
        else ""
    )
    ratios = [
        f.effect for panel in panels if panel.null == 1 for g in panel.rows.values() for f in g
    ]
    far = any(not BEYOND[0] <= ratio <= BEYOND[1] for ratio in ratios)
    arrow = "; arrow: beyond the axis" if far else ""
    recorded = (
        " Dotted, “recorded”: of the recorded run, not run here."
        if any(f.recorded for panel in panels for group in panel.rows.values() for f in group)
        else ""
    )
    return plate.says(
        f"{answer.axis.capitalize()}: effects with 95 % t intervals over seeds; the vertical line "
        f"is the null, {answer.against}. {span}Triangle, green: the interval favours spikes; "
        "square, red: it speaks against them; circle, grey: it decides nothing; open: one seed, no "
        f"interval{arrow}.{recorded} The number at the right is the effect.{apart}",
        f"Forest of {answer.axis}. " + "; ".join(words) + ".",
        "axes.csv",
    )


def forest(panels: Sequence[Panel], names: Mapping[str, str]) -> tuple[Plate, list[str]]:
    """Panels side by side, over the same rows.

    Args:
        panels: At least one.
        names: Talk -> how the rows call it, in the order of the rows.

    Returns:
        The figure, and its contents in words.
    """
    order = list(names)
    rows = sorted(
        {row for panel in panels for row in panel.rows},
        key=lambda row: (order.index(row[0]), row[1:]),
    )
    places = {row: len(rows) - 1 - k for k, row in enumerate(rows)}
    plate = Plate(0.75 + 0.2 * len(rows))
    axes = plate.panels(1, len(panels), sharey=True)[0]
    words = []
    for ax, panel in zip(axes, panels, strict=True):
        words += _draw(ax, panel, places, names)
        ax.set_xlabel(textwrap.fill(panel.label, LETTERS // len(panels)))
        if panel.null != 1:
            ax.locator_params(axis="x", nbins=5 if len(panels) < 3 else 2)
        ax.tick_params(axis="y", length=0)
        for row, after in itertools.pairwise(rows):
            if row[0] != after[0]:
                ax.axhline(places[row] - 0.5, color=GREY, linewidth=0.6, alpha=0.6)
    told = [" · ".join(filter(None, (names[t], labels.experiment(t, e), s))) for t, e, s in rows]
    axes[0].set_yticks([places[row] for row in rows], told)
    axes[0].set_ylim(-0.7, len(rows) - 0.3)
    return plate, words


def _panels(findings: Sequence[Finding], config: Mapping[str, Any]) -> list[Panel]:
    free = {m["id"] for m in config["energy"]["models"] if m["weight_memory"] is None}
    panels = []
    for measure in dict.fromkeys(finding.measure for finding in findings):
        own = [f for f in findings if f.measure == measure and np.isfinite(f.effect)]
        if not own:
            continue
        metric = labels.metric(own[0].metric)
        unit = "" if own[0].unit in ("1", "fraction") else f", {own[0].unit}"
        if own[0].metric == "energy_ratio":
            label = "R, control over spiking network"
            for title, inside in (("operations only", True), ("memory paid for", False)):
                part = [f for f in own if (f.perturbation in free) is inside]
                if part:
                    panels.append(Panel(f"{measure}, {title}", label, own[0].null, rows_of(part)))
            continue
        panels.append(Panel(measure, f"{metric}{unit}", own[0].null, rows_of(own)))
    return panels


def rows_of(findings: Sequence[Finding]) -> dict[Row, list[Finding]]:
    """Contrasts by row: those of one experiment share a line; what is recorded has its own.

    Args:
        findings: Of one measure.
    """
    rows: dict[Row, list[Finding]] = {}
    for finding in findings:
        name = "recorded" if finding.recorded else ""
        rows.setdefault((finding.talk, finding.experiment, name), []).append(finding)
    return rows


def _draw(ax: Axes, panel: Panel, places: Mapping[Row, int], names: Mapping[str, str]) -> list[str]:
    """Draw one panel; returns its contents in words."""
    logarithmic = panel.null == 1
    words, seen = [], []
    for row, group in panel.rows.items():
        y = places[row]
        sides = {finding.side if finding.decidable else "" for finding in group}
        colour, _ = SIDE_LOOK.get(sides.pop(), OTHERWISE) if len(sides) == 1 else OTHERWISE
        ends = [x for f in group for x in (f.low, f.high, f.effect) if np.isfinite(x)]
        if logarithmic:
            ends = np.clip(ends, *BEYOND).tolist()
        seen += ends
        line = ":" if group[0].recorded else "-"
        ax.plot([min(ends), max(ends)], [y, y], line, color=colour, linewidth=1.2, zorder=2)
        for finding in group:
            own, marker = SIDE_LOOK.get(finding.side, OTHERWISE)
            face = own if finding.decidable and not finding.recorded else "none"
            at = finding.effect
            if logarithmic and not BEYOND[0] <= at <= BEYOND[1]:
                marker = "<" if at < 1 else ">"
                at = float(np.clip(at, *BEYOND))
            ax.plot(at, y, color=own, marker=marker, markersize=4, markerfacecolor=face, zorder=3)
        shown = _range([finding.effect for finding in group], logarithmic)
        frame = ax.get_yaxis_transform()
        ax.text(1.02, y, shown, transform=frame, fontsize=7.5, va="center")
        place = " ".join(filter(None, (names[row[0]], labels.experiment(*row[:2]), row[2])))
        words.append(f"{panel.title} {place}: {shown}")
    ax.axvline(panel.null, color=INK, linewidth=0.9, zorder=1)
    if logarithmic:
        log_axis(ax, np.array(seen))
        if max(seen) < 10 * min(seen):
            ax.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in "25" else "")
            ax.tick_params(axis="x", which="minor", labelsize=8.5)
    ax.set_title(panel.title)
    return words


def _range(effects: Sequence[float], logarithmic: bool) -> str:
    """One number, or the lowest and the highest: two digits of a ratio, two decimals otherwise."""
    ends = sorted({min(effects), max(effects)})
    if not logarithmic:
        return " … ".join(f"{x:.2f}".replace("-0.00", "0.00").replace("-", "−") for x in ends)
    return " … ".join(_short(x) for x in ends)


def _short(ratio: float) -> str:
    if 1e-3 <= ratio < 1e4:
        return f"{float(f'{ratio:.2g}'):g}"
    return f"{ratio:.1e}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")


def verdict_forest(
    verdicts: Table,
    recorded: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str] | None = None,
) -> Plate:
    """One row per claim: acceptance band, published value, ours with its interval.

    Each row has its own scale, since the claims have different units; the numbers are written at
    the right.

    Args:
        verdicts: Rows of verdicts.csv.
        recorded: Claim -> its recorded row, shown where this run does not judge the claim.
        names: Claim -> what its row is called.

    Raises:
        NotMeasuredError: If no claim was measured.
    """
    rows, before = [], []
    for row in verdicts.to_dict("records"):
        if row["verdict"] == OUT_OF_SCOPE and row["claim"] in recorded:
            before.append(recorded[row["claim"]])
        elif np.isfinite(row["value"]):
            rows.append(row)
    if not rows + before:
        raise NotMeasuredError("No claim was measured at this scale.")
    count = len(rows + before)
    plate = Plate(0.3 + 0.34 * count)
    ax = plate.panels(1, 1)[0, 0]
    words, called = [], []
    for place, row in enumerate(rows + before):
        y = count - 1 - place
        kept = place >= len(rows)
        colour = VERDICT_COLOURS.get(row["verdict"], GREY)
        at = _row_scale(
            [row[n] for n in ("value", "low", "high", "published", "band_low", "band_high")]
        )
        if np.isfinite(row["band_low"]) or np.isfinite(row["band_high"]):
            left = at(row["band_low"]) if np.isfinite(row["band_low"]) else 0.0
            right = at(row["band_high"]) if np.isfinite(row["band_high"]) else 1.0
            ax.fill_between([left, right], y - 0.32, y + 0.32, color=GREY, alpha=0.25, linewidth=0)
        if np.isfinite(row["low"]) and np.isfinite(row["high"]):
            line = ":" if kept else "-"
            ax.plot([at(row["low"]), at(row["high"])], [y, y], line, color=colour, linewidth=2)
        if np.isfinite(row["published"]):
            ax.plot(
                at(row["published"]), y, marker="D", color=INK, markerfacecolor="none", markersize=7
            )
        face = "none" if kept else colour
        ax.plot(at(row["value"]), y, marker="o", color=colour, markerfacecolor=face, markersize=6)
        ends = {"low": row["low"], "high": row["high"]}
        shown = html.unescape(markup.value(row["value"], str(row["unit"]), **ends))
        if "<sup>" in shown:
            shown = f"{row['value']:.2g}"
        ax.text(1.03, y, shown, va="center", fontsize=8.5)
        name = (names or {}).get(row["claim"], str(row["claim"]))
        called.append(f"{name}, recorded" if kept else name)
        words.append(f"{name}: {shown}, {'recorded: ' * kept}{row['label']}")
    ax.set_yticks(range(count), called[::-1])
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.6, count - 0.4)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return plate.says(
        "Each claim on its own scale. Grey: accepted band, fixed before the run. Diamond: "
        "published value. Dot and bar: ours with its 95 % t interval over seeds (of a claim about "
        "every network: from the lowest to the highest), in the colour of the verdict."
        + " Open and dotted, “recorded”: of the recorded run, not run here."
        * bool(before),
        "Forest plot. " + "; ".join(words) + ".",
        "verdicts.csv",
    )


def _row_scale(numbers: Sequence[float]) -> Callable[[float], float]:
    """Map the finite numbers of a row to 0.06 ... 0.94."""
    known = [x for x in numbers if np.isfinite(x)]
    start, width = min(known), (max(known) - min(known)) or 1.0
    return lambda x: float(np.clip(0.06 + 0.88 * (x - start) / width, 0, 1))
