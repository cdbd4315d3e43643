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
    # Filters and globals are what templates call by these names.
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


def slug(text: str) -> str:
    """Letters, digits and `-` only, for identifiers."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


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
    # A difference of shares is in percentage points, not in per cent.
    is_difference = unit == POINTS or (signed and unit == "fraction")
    sign = Markup("+" if (signed or is_difference) and x > 0 else "")
    n_decimals = decimals(low, high, unit)
    if unit in SHARES:
        n_share_decimals = (
            n_decimals if n_decimals is not None else 2 if NEAR_ONE <= abs(x) < 1 else 1
        )
        n_share_decimals = (
            min(n_share_decimals, 1)
            if 0.1 <= np.nanmax(np.abs([x, low, high])) < NEAR_ONE
            else n_share_decimals
        )
        return (
            sign + f"{_write_fixed(100 * x, n_share_decimals)} {POINTS if is_difference else '%'}"
        )
    unit_suffix = "" if unit in ("1", "") else f" {unit}"
    is_plain = 1e-3 <= np.nanmax(np.abs([x, low, high])) < 1e5
    return (
        sign
        + (digits(x) if n_decimals is None or not is_plain else _write_fixed(x, n_decimals))
        + unit_suffix
    )


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


def _write_fixed(x: float, n_decimals: int) -> str:
    text = f"{x:.{n_decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def digits(x: float) -> Markup:
    """Three significant digits; large and tiny numbers as a power of ten."""
    if x == 0:
        return Markup("0")
    # What is counted, as parameters are, keeps all its digits.
    rounded = x if float(x).is_integer() else float(f"{x:.3g}")
    text = f"{rounded:.0f}" if abs(x) >= 100 else f"{x:.3g}"
    if abs(x) >= 1e5 or abs(x) < 1e-3:
        mantissa, exponent = f"{x:.2e}".split("e")
        text = f"{mantissa}×10<sup>{int(exponent)}</sup>"
    return Markup(text.replace("-", MINUS))


def bare(x: float, unit: str, *, low: float = np.nan, high: float = np.nan) -> Markup:
    """A number without unit and plus sign, for the inner numbers of a range."""
    text = value(x, unit, low=low, high=high).removesuffix(" %").removesuffix(f" {unit}")
    return text.removeprefix("+")


def interval(mean: float, low: float, high: float, unit: str, *, signed: bool = False) -> Markup:
    """Write a value with its interval below, or that one seed has no interval."""
    text = value(mean, unit, signed=signed, low=low, high=high)
    return text if np.isnan(mean) else text + limits(low, high, unit)


def limits(low: float, high: float, unit: str) -> Markup:
    """The ends of an interval, in small print; that of a share ends at 100 %."""
    if not (np.isfinite(low) and np.isfinite(high)):
        return Markup("<small>no interval</small>")
    return Markup("<small>{}</small>").format(_write_interval(low, high, unit))


def _write_interval(low: float, high: float, unit: str) -> Markup:
    # Intervals over seeds are symmetric: of a share that is no more than 1 they may exceed it.
    is_share = unit == "fraction" and low >= 0 and low + high <= 2
    upper = min(high, 1.0) if is_share else high
    limit_texts = (bare(end, unit, low=low, high=high) for end in (low, upper))
    return Markup("[{}, {}]").format(*limit_texts)


def inline(mean: float, low: float, high: float, unit: str, *, signed: bool = False) -> Markup:
    """Value and interval in a line; no interval where all seeds agree, as at a bound."""
    text = value(mean, unit, signed=signed, low=low, high=high)
    has_width = np.isfinite(low) and np.isfinite(high) and low < high
    return text + " " + _write_interval(low, high, unit) if has_width else text


def band(low: float, high: float, unit: str) -> Markup:
    """An acceptance band; open sides as inequality."""
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    if has_low and has_high:
        return Markup("{} … {}").format(bare(low, unit), _write_unsigned(high, unit))
    if has_low:
        return Markup("≥ ") + _write_unsigned(low, unit)
    return Markup("≤ ") + _write_unsigned(high, unit) if has_high else Markup("–")


def _write_unsigned(x: float, unit: str) -> Markup:
    return value(x, unit).removeprefix("+")


def sort_key(x: float) -> float | str:
    """Sort key of a cell with this number; missing ones come together."""
    return float(x) if np.isfinite(x) else ""
