"""The key claims of the talks as one figure: what was published, what counts, what was found.

A page opens with it: that of a run with a row a talk, that of a talk with its own row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from whyspiking.declared.claim_parts import RELEASED
from whyspiking.plots.figures import BLUE, GREEN, GREY, INK, OLIVE, RED, Plate, require
from whyspiking.records import labels
from whyspiking.report import html
from whyspiking.verdicts import rule

type Row = Mapping[str, Any]
type Claimed = tuple[str, str, Row]
"""Who said it, what, and the row of verdicts.csv."""

COLOURS = {"green": GREEN, "blue": BLUE, "olive": OLIVE, "red": RED, "grey": GREY}
"""Colour class of a verdict's chip -> its colour in figures."""
ENDS = ("value", "ci_low", "ci_high", "published_value", "criterion_low", "criterion_high")
"""Columns of verdicts.csv that have a place on the scale of a claim."""
WIDE = {
    "pitch": 0.57, "width": 9.4, "strip": (3.1, 0.13, 2.15, 0.27), "side": "right",
    "who": (3.0, 0.24), "what": (3.0, 0.42), "mark": (7.64, 0.19), "verdict": (7.75, 0.19),
    "but": (7.75, 0.28),
    "found": (5.4, 0.19), "metric": (5.4, 0.34), "published": (5.4, 0.49),
}  # fmt: skip
"""Inches: a row's height, the figure's width; strip: left, top, width, height; others: place of a
text from the left and from the top of its row."""
NARROW = {
    "pitch": 1.4, "width": 3.7, "strip": (0.1, 0.42, 3.5, 0.24), "side": "left",
    "who": (0.05, 0.14), "what": (0.05, 0.31), "mark": (2.14, 0.14), "verdict": (2.25, 0.14),
    "but": (2.05, 1.03), "found": (0.05, 0.95),
    "metric": (0.05, 1.1), "published": (2.05, 0.95),
}  # fmt: skip
"""The same on a phone."""


def figure(claims: Sequence[Claimed], *, narrow: bool = False) -> Plate:
    """A row a claim: the band that counts, the published number, ours with its interval, in words.

    Args:
        claims: From above; each row has its own scale, since the claims have different units.
        narrow: For a phone.

    Raises:
        NotMeasuredError: If none was measured.
    """
    shown = [claim for claim in claims if np.isfinite(claim[2]["value"])]
    require(shown, "No key claim was measured at this scale.")
    at: dict[str, Any] = NARROW if narrow else WIDE
    wide, tall = at["width"], at["pitch"] * len(shown)
    plate = Plate(tall, wide)
    plate.set_layout_engine("none")
    for k, (who, what, row) in enumerate(shown):
        left, top, width, height = at["strip"]
        below = tall - k * at["pitch"]
        colour = COLOURS[html.VERDICT_LOOK[row["verdict"]][1]]
        strip = plate.add_axes(
            (left / wide, (below - top - height) / tall, width / wide, height / tall)
        )
        _strip(strip, row, colour)
        x, y = at["mark"]
        look = {"marker": "s", "markersize": 6, "color": colour, "linestyle": ""}
        plate.add_artist(Line2D([x / wide], [(below - y) / tall], **look))
        for name, said in {"who": who, "what": what, **words(row)}.items():
            heavy = name in ("who", "verdict", "found")
            x, y = at[name]
            plate.text(
                x / wide, (below - y) / tall, said, va="top" if name == "but" else "center",
                ha=at["side"] if name.startswith("wh") else "left",
                color=INK, fontsize=9.5 if heavy else 8,
                fontweight="bold" if heavy else "normal",
            )  # fmt: skip
    return plate.says(
        "Grey: what counts as replicated, written down before the run. Diamond: published. Dot and "
        "bar: ours, with its 95 % interval over networks; where each must pass, from the lowest to "
        "the highest. Each row has its own scale.",
        alt(shown),
        f"{shown[0][2]['talk']}/verdicts.csv",
    )


def words(row: Row) -> dict[str, str]:
    """What stands beside the strip of a claim, by its place."""
    unit = str(row["unit"])
    published = "no number published"
    if np.isfinite(row["published_value"]):
        number = _plain(html.value(row["published_value"], unit))
        published = f"published {number}"
        published += " (from memory)" if row["quoted_from_memory"] == "number" else ""
        if row["evidence"] == RELEASED:
            published = f"released weights: {number}"
    n = f"{row['n_seeds']} network{'' if row['n_seeds'] == 1 else 's'}"
    if row["test_type"] == "every":
        n = f"each network must: {row['n_passing']:.0f} of {row['n_seeds']} do"
    elif row["test_type"] == "share":
        n = f"{row['n_passing']:.0f} of {n}"
    if rule.REDUCED in row["qualification"]:
        n += "\nreduced run"
    if row["verdict_changes_with"]:
        n += "\nchanges if measured otherwise"
    return {
        "found": _plain(html.inline(row["value"], row["ci_low"], row["ci_high"], unit)),
        "metric": labels.metric(row["metric"]),
        "published": published,
        "verdict": str(row["verdict"]),
        "but": n,
    }


def alt(claims: Iterable[Claimed]) -> str:
    """Who fared how, in a sentence."""
    by_verdict: dict[str, list[str]] = {}
    for who, _, row in claims:
        by_verdict.setdefault(row["verdict"], []).append(who)
    told = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in by_verdict.items())
    return f"Key claims beside what counts as replicated. {told}. The numbers stand in the table."


def _plain(shown: str) -> str:
    """A number of a page for a figure, which has no tags."""
    return unescape(re.sub("<[^>]+>", "", shown))


def _strip(ax: Axes, row: Row, colour: str) -> None:
    """Draw band, published value and ours on a scale of their own."""
    finite = {name: float(row[name]) for name in ENDS if np.isfinite(row[name])}
    low, high = min(finite.values()), max(finite.values())
    if row["test_type"] == "ratio":
        ax.set_xscale("log")
        room = (high / low) ** 0.08
        limits, beyond = (low / room, high * room), (low / room**2, high * room**2)
        ax.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 20 * low else (1, 2, 5)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        room = 0.08 * (high - low or 1.0)
        limits, beyond = (low - room, high + room), (low - 2 * room, high + 2 * room)
        ax.xaxis.set_major_locator(MaxNLocator(3))
    band = finite.get("criterion_low", beyond[0]), finite.get("criterion_high", beyond[1])
    # The edge is what can be seen on either page; an open side has none.
    ax.axvspan(*band, 0.03, 0.97, facecolor=(GREY, 0.2), edgecolor=GREY, linewidth=1.2)
    if "ci_low" in finite and "ci_high" in finite:
        ax.plot([finite["ci_low"], finite["ci_high"]], [0, 0], color=colour, linewidth=2.4)
    ax.plot(finite["value"], 0, "o", color=colour, markersize=6.5)
    if "published_value" in finite:
        ax.plot(finite["published_value"], 0, "D", color=INK, markerfacecolor="none", markersize=7)
    scale = 100 if row["unit"] in html.SHARES else 1
    ax.xaxis.set_major_formatter(lambda x, _: f"{scale * x:g}")
    ax.set(xlim=limits, ylim=(-1, 1), yticks=[])
    ax.tick_params(axis="x", labelsize=7.5, length=2, pad=1)
    ax.spines["left"].set_visible(False)
