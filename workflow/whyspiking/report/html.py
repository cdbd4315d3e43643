"""Numbers for readers, and the templates that the report's HTML comes from.

The templates, `assets/*.html.j2`, escape whatever is not `Markup`; only this module and they
make any.
"""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from whyspiking.records import labels
from whyspiking.records.labels import POINTS

ASSETS = Path(__file__).with_name("assets")
VERDICT_LOOK = {
    # verdict -> symbol, colour class, rank when sorting
    "replicated": ("✓", "green", 0),
    "passes": ("●", "green", 1),
    "unconfirmed": ("≈", "blue", 2),
    "direction only": ("↗", "olive", 3),
    "inconclusive": ("?", "olive", 4),
    "not replicated": ("✗", "red", 5),
    "fails": ("▼", "red", 6),
    "not measured": ("–", "grey", 7),
    "not judged": ("○", "grey", 8),
}
ORIGIN_WORDS = {
    "published": "claim of a paper",
    "talk": "claim of the talk's abstract",
    "ours": "additional claim",
    "check": "check",
}
DATA_WORDS = {
    "original": "original data",
    "definition": "data defined by a formula",
    "simulated": "surrogate data (simulated)",
    "synthetic": "surrogate data",
}
"""Provenance of data -> words of the report."""
FILTERED = {
    **DATA_WORDS,
    **ORIGIN_WORDS,
    **dict.fromkeys(("unconfirmed", "direction only", "inconclusive"), "undecided"),
    **dict.fromkeys(("not measured",), "not judged"),
}
"""What a column holds -> the word by which a reader filters it, where that is another."""
MINUS = "−"


class Html(Markup):
    """A piece of the page; notebooks show it as it is."""

    def _repr_html_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return "Html(...)"


@cache
def templates() -> jinja2.Environment:
    """The templates of the report, with all that writes numbers in them."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "value": value,
        "bare": bare,
        "digits": digits,
        "sort_key": sort_key,
        "words": lambda name: str(name).replace("_", " "),
        "location": labels.location,
        "metric": labels.metric,
        "filtered": lambda word: FILTERED.get(word, word),
    }
    environment.tests |= {"finite": np.isfinite, "nan": np.isnan}
    environment.globals |= {
        "interval": interval,
        "inline": inline,
        "limits": limits,
        "band": band,
        "VERDICT_LOOK": VERDICT_LOOK,
        "ORIGIN_WORDS": ORIGIN_WORDS,
        "experiment": labels.experiment,
        "contrast": labels.contrast,
        "variant": labels.variant,
        "DATA_WORDS": DATA_WORDS,
    }
    return environment


def macros(name: str) -> Any:
    """The macros of `assets/<name>.html.j2`, to be called like functions."""
    return templates().get_template(f"{name}.html.j2").module


def slug(words: str) -> str:
    """Letters, digits and `-` only, for identifiers."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def value(
    x: float, unit: str, *, signed: bool = False, low: float = np.nan, high: float = np.nan
) -> Markup:
    """A number for readers: shares in per cent, their differences in points, others as they are.

    Its digits follow its interval (`decimals`); without one it has three. Shares have three at
    most, but for those close to one, of which the distance from one is what matters.

    Args:
        x: The number; nan prints a dash, infinity "> max" (a level that was not reached).
        unit: As in `glossary.GLOSSARY`, or `labels.POINTS`: a difference of shares, always signed.
        signed: It is a difference: print the plus sign; of shares, in points.
        low: Lower end of its interval, if there is one.
        high: Upper end.
    """
    if np.isnan(x):
        return Markup("–")
    if np.isinf(x):
        return Markup("&gt; max") if x > 0 else Markup(f"{MINUS}∞")
    differ = unit == POINTS or (signed and unit == "fraction")
    sign = Markup("+" if (signed or differ) and x > 0 else "")
    places = decimals(low, high, unit)
    if unit in SHARES:
        kept = places if places is not None else 2 if NEAR_ONE <= abs(x) < 1 else 1
        kept = min(kept, 1) if 0.1 <= np.nanmax(np.abs([x, low, high])) < NEAR_ONE else kept
        return sign + f"{_fixed(100 * x, kept)} {POINTS if differ else '%'}"
    tail = "" if unit in ("1", "") else f" {unit}"
    plain = 1e-3 <= np.nanmax(np.abs([x, low, high])) < 1e5
    return sign + (digits(x) if places is None or not plain else _fixed(x, places)) + tail


NEAR_ONE = 0.995
"""Shares from here on may have more than three digits."""
SHARES = ("fraction", POINTS)
"""Units that are written a hundredfold."""


def decimals(low: float, high: float, unit: str) -> int | None:
    """Decimals that an interval leaves a number: up to the first digit of a quarter of its width.

    Returns:
        0 to 4; None where there is no interval, or one without width.
    """
    quarter = (high - low) / 4 * (100 if unit in SHARES else 1)
    if not (np.isfinite(quarter) and quarter > 0):
        return None
    return min(max(-math.floor(math.log10(quarter)), 0), 4)


def _fixed(x: float, places: int) -> str:
    shown = f"{x:.{places}f}"
    return shown.removeprefix("-") if float(shown) == 0 else shown.replace("-", MINUS)


def digits(x: float) -> Markup:
    """Three significant digits; large and tiny numbers as a power of ten."""
    if x == 0:
        return Markup("0")
    # What is counted, as parameters are, keeps all its digits.
    kept = x if float(x).is_integer() else float(f"{x:.3g}")
    shown = f"{kept:.0f}" if abs(x) >= 100 else f"{x:.3g}"
    if abs(x) >= 1e5 or abs(x) < 1e-3:
        mantissa, exponent = f"{x:.2e}".split("e")
        shown = f"{mantissa}×10<sup>{int(exponent)}</sup>"
    return Markup(shown.replace("-", MINUS))


def bare(x: float, unit: str, *, low: float = np.nan, high: float = np.nan) -> Markup:
    """A number without unit and plus sign, for the inner numbers of a range."""
    shown = value(x, unit, low=low, high=high).removesuffix(" %").removesuffix(f" {unit}")
    return shown.removeprefix("+")


def interval(mean: float, low: float, high: float, unit: str, *, signed: bool = False) -> Markup:
    """Value with its interval below; one seed has none, and that is said."""
    shown = value(mean, unit, signed=signed, low=low, high=high)
    return shown if np.isnan(mean) else shown + limits(low, high, unit)


def limits(low: float, high: float, unit: str) -> Markup:
    """The ends of an interval, in small print; that of a share ends at 100 %."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return Markup("<small>no interval</small>")
    return Markup("<small>{}</small>").format(_between(low, high, unit))


def _between(low: float, high: float, unit: str) -> Markup:
    # Intervals over seeds are symmetric: of a share that is no more than 1 they may exceed it.
    share = unit == "fraction" and low >= 0 and low + high <= 2
    most = min(high, 1.0) if share else high
    ends = (bare(end, unit, low=low, high=high) for end in (low, most))
    return Markup("[{}, {}]").format(*ends)


def inline(mean: float, low: float, high: float, unit: str, *, signed: bool = False) -> Markup:
    """Value and interval in a line; no interval where all seeds agree, as at a bound."""
    shown = value(mean, unit, signed=signed, low=low, high=high)
    several = np.isfinite(low) and np.isfinite(high) and low < high
    return shown + " " + _between(low, high, unit) if several else shown


def band(low: float, high: float, unit: str) -> Markup:
    """An acceptance band; open sides as inequality."""
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    if has_low and has_high:
        return Markup("{} … {}").format(bare(low, unit), _plain(high, unit))
    if has_low:
        return Markup("≥ ") + _plain(low, unit)
    return Markup("≤ ") + _plain(high, unit) if has_high else Markup("–")


def _plain(x: float, unit: str) -> Markup:
    return value(x, unit).removeprefix("+")


def sort_key(x: float) -> float | str:
    """Sort key of a cell with this number; missing ones come together."""
    return float(x) if np.isfinite(x) else ""
