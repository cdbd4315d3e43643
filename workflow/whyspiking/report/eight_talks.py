"""The key claims of the talks as one figure: what was published, what counts, what was found.

A page opens with it: that of a run with a row a talk, that of a talk with its own row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from html import unescape
from io import StringIO
from typing import Any
from urllib.parse import quote

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from whyspiking.declared.claim_parts import (
    NO_NUMBER,
    PICTURE,
    PUBLISHED,
    QUOTED,
    RELEASED,
    STATEMENT,
)
from whyspiking.plots.figures import BLUE, GREEN, GREY, INK, OLIVE, RED, Plate, require
from whyspiking.records import labels
from whyspiking.report import html
from whyspiking.verdicts import rule

type Row = Mapping[str, Any]
type Claimed = tuple[str, str, Row, NDArray[np.float64]]
"""Surname, statement, row of verdicts.csv, and the value of every network."""

COLOURS = {"green": GREEN, "blue": BLUE, "olive": OLIVE, "red": RED, "grey": GREY}
"""Colour class of a verdict's chip -> its colour in figures."""
HEADINGS = {
    PUBLISHED: "Compared with a published number that we read",
    QUOTED: "Compared with a published number quoted from memory",
    RELEASED: "Compared with released weights or outputs that we scored",
    PICTURE: "Compared with a published picture or statement",
    STATEMENT: "Compared with a published picture or statement",
    NO_NUMBER: "No number was published",
}
"""Evidence of a key claim -> heading of its group."""
SCALE_COLUMNS = ("value", "ci_low", "ci_high", "published_value", "criterion_low", "criterion_high")
"""Columns of verdicts.csv that have a place on the scale of a claim."""
WIDE = {
    "pitch": 0.57, "heading": 0.3, "width": 10.4, "strip": (3.1, 0.1, 3.15, 0.3), "side": "right",
    "who": (3.0, 0.24), "what": (3.0, 0.42), "mark": (8.64, 0.19), "verdict": (8.75, 0.19),
    "but": (8.75, 0.28),
    "found": (6.4, 0.19), "metric": (6.4, 0.34), "published": (6.4, 0.49),
}  # fmt: skip
"""Inches: a row's height, the figure's width; strip: left, top, width, height; others: place of a
text from the left and from the top of its row."""
NARROW = {
    "pitch": 1.36, "heading": 0.35, "width": 3.7, "strip": (0.1, 0.42, 3.5, 0.24), "side": "left",
    "who": (0.05, 0.14), "what": (0.05, 0.31), "mark": (2.14, 0.14), "verdict": (2.25, 0.14),
    "but": (2.05, 1.03), "found": (0.05, 0.95),
    "metric": (0.05, 1.1), "published": (2.05, 0.95),
}  # fmt: skip
"""The same on a phone."""


def figure(claims: Iterable[Claimed], *, narrow: bool = False) -> Plate:
    """A row per claim: criterion, published number, every network, and the result in words.

    The claims are grouped by their evidence if there are several.

    Args:
        claims: From above; each row has its own scale, since the claims have different units.
        narrow: For a phone.

    Raises:
        NotMeasuredError: If none was measured.
    """
    measured = [claim for claim in claims if np.isfinite(claim[2]["value"])]
    require(measured, "No key claim was measured at this scale.")
    evidence_order = [*HEADINGS, *(row["evidence"] for _, _, row, _ in measured)]
    measured.sort(key=lambda claim: evidence_order.index(claim[2]["evidence"]))
    titles = [HEADINGS.get(row["evidence"], str(row["evidence"])) for _, _, row, _ in measured]
    # A single claim needs no heading.
    pending = list(dict.fromkeys(titles)) if len(measured) > 1 else []
    layout: dict[str, Any] = NARROW if narrow else WIDE
    plate_width = layout["width"]
    plate_height = layout["pitch"] * len(measured) + layout["heading"] * len(pending)
    plate = Plate(plate_height, plate_width)
    plate.set_layout_engine("none")
    y_row = plate_height
    for title, (surname, statement, row, values) in zip(titles, measured, strict=True):
        # Claims are sorted by evidence, so each heading comes before its first claim.
        if pending and title == pending[0]:
            y_row -= layout["heading"]
            heading = pending.pop(0)
            plate.text(
                0.05 / plate_width,
                (y_row + 0.08) / plate_height,
                heading,
                color=INK,
                fontweight="bold",
            )
        x_left, y_top, width, height = layout["strip"]
        colour = COLOURS[html.VERDICT_LOOK[row["verdict"]][1]]
        strip = plate.add_axes(
            (
                x_left / plate_width,
                (y_row - y_top - height) / plate_height,
                width / plate_width,
                height / plate_height,
            )
        )
        _draw_strip(strip, row, values, colour)
        x, y = layout["mark"]
        marker_style = {"marker": "s", "markersize": 6, "color": colour, "linestyle": ""}
        plate.add_artist(Line2D([x / plate_width], [(y_row - y) / plate_height], **marker_style))
        for name, text in {"who": surname, "what": statement, **words(row)}.items():
            is_bold = name in ("who", "verdict", "found")
            x, y = layout[name]
            plate.text(
                x / plate_width, (y_row - y) / plate_height, text,
                va="top" if name == "but" else "center",
                ha=layout["side"] if name.startswith("wh") else "left",
                color=INK, fontsize=9.5 if is_bold else 8,
                fontweight="bold" if is_bold else "normal",
            )  # fmt: skip
        y_row -= layout["pitch"]
    return plate.says(
        "Every dot is one trained network. The grey range is the acceptance criterion, and the "
        "diamond is the published value. The bar is the 95 % interval of our mean; for a claim "
        "about every network it reaches from the lowest to the highest network. Each row has its "
        "own scale.",
        write_alt_text(measured),
        f"data:text/csv;charset=utf-8,{quote(write_rows(measured))}",
    )


def write_rows(claims: Iterable[Claimed]) -> str:
    """What the figure shows as CSV; `networks` has the value of every network."""
    text = StringIO()
    columns: list[str] = ["talk", "claim", "metric", "unit", *SCALE_COLUMNS, "verdict", "networks"]
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    for _, _, row, values in claims:
        writer.writerow({**row, "networks": " ".join(f"{value:.6g}" for value in values)})
    return text.getvalue()


def words(row: Row) -> dict[str, str]:
    """Write the labels beside the strip of a claim, by their key in the layout."""
    unit = str(row["unit"])
    published = "no number published"
    if np.isfinite(row["published_value"]):
        number = _strip_tags(html.value(row["published_value"], unit))
        published = f"published {number}"
        published += " (from memory)" if row["quoted_from_memory"] == "number" else ""
        if row["evidence"] == RELEASED:
            published = f"released weights: {number}"
    networks_note = f"{row['n_seeds']} network{'' if row['n_seeds'] == 1 else 's'}"
    if row["test_type"] == "every":
        networks_note = f"{row['n_passing']:.0f} of {row['n_seeds']} networks meet it"
    elif row["test_type"] == "share":
        networks_note = f"{row['n_passing']:.0f} of {networks_note}"
    if rule.REDUCED in row["qualification"]:
        networks_note += "\nreduced run"
    if row["verdict_changes_with"]:
        networks_note += "\nchanges with measurement"
    return {
        "found": _strip_tags(html.inline(row["value"], row["ci_low"], row["ci_high"], unit)),
        "metric": labels.metric(row["metric"]),
        "published": published,
        "verdict": str(row["verdict"]),
        "but": networks_note,
    }


def write_alt_text(claims: Iterable[Claimed]) -> str:
    """Write for each verdict whose claims have it, in a sentence."""
    surnames_by_verdict: dict[str, list[str]] = {}
    for surname, _, row, _ in claims:
        surnames_by_verdict.setdefault(row["verdict"], []).append(surname)
    outcomes = "; ".join(
        f"{verdict}: {', '.join(names)}" for verdict, names in surnames_by_verdict.items()
    )
    return (
        f"Key claims compared with their acceptance criteria. {outcomes}. The table has the "
        "numbers."
    )


def _strip_tags(markup: str) -> str:
    """Remove the tags of a number, since a figure has none."""
    return unescape(re.sub("<[^>]+>", "", markup))


def _draw_strip(ax: Axes, row: Row, values: NDArray[np.float64], colour: str) -> None:
    """Draw criterion, published value, networks and the interval on a scale of their own."""
    finite = {name: float(row[name]) for name in SCALE_COLUMNS if np.isfinite(row[name])}
    low, high = min(*finite.values(), *values), max(*finite.values(), *values)
    if row["test_type"] == "ratio":
        ax.set_xscale("log")
        margin = (high / low) ** 0.08
        limits, open_ends = (low / margin, high * margin), (low / margin**2, high * margin**2)
        ax.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 20 * low else (1, 2, 5)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        margin = 0.08 * (high - low or 1.0)
        limits, open_ends = (low - margin, high + margin), (low - 2 * margin, high + 2 * margin)
        ax.xaxis.set_major_locator(MaxNLocator(3))
    criterion = (
        finite.get("criterion_low", open_ends[0]),
        finite.get("criterion_high", open_ends[1]),
    )
    # The edge is what can be seen on either page; an open side has none.
    ax.axvspan(*criterion, 0.03, 0.97, facecolor=(GREY, 0.2), edgecolor=GREY, linewidth=1.2)
    # Equal heights would hide networks behind each other.
    heights = 0.3 + 0.42 * np.resize([0, 1, -1, 0.5, -0.5], len(values))
    ax.plot(values, heights, "o", color=colour, markersize=3.2, mew=0)
    if "ci_low" in finite and "ci_high" in finite:
        ax.plot([finite["ci_low"], finite["ci_high"]], [-0.65] * 2, color=INK, linewidth=2.6)
    ax.plot(finite["value"], -0.65, "|", color=INK, markersize=7, mew=1.6)
    if "published_value" in finite:
        ax.plot(finite["published_value"], 0, "D", color=INK, markerfacecolor="none", markersize=7)
    scale = 100 if row["unit"] in html.SHARES else 1
    ax.xaxis.set_major_formatter(lambda x, _: f"{scale * x:g}")
    ax.set(xlim=limits, ylim=(-1, 1), yticks=[])
    ax.tick_params(axis="x", labelsize=7.5, length=2, pad=1)
    ax.spines["left"].set_visible(False)
