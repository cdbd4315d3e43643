"""Pieces of HTML that the report is made of: tables, chips, figures, lists of facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from typing import Any

import numpy as np

VERDICT_LOOK = {
    # verdict -> symbol, colour class, rank when sorting
    "replicated": ("✓", "green", 0),
    "replicated, within noise": ("≈", "blue", 1),
    "inconclusive": ("?", "olive", 2),
    "not replicated": ("✗", "red", 3),
    "not measured": ("–", "grey", 4),
    "out of scope at this scale": ("○", "grey", 5),
}
DATA_WORDS = {
    "original": "original data",
    "definition": "data by definition",
    "simulated": "simulated data",
    "synthetic": "stand-in data",
}
"""Where data come from, in the words of the report."""
MINUS = "−"


@dataclass(frozen=True)
class Html:
    """A piece of the page; notebooks show it as it is."""

    markup: str

    def _repr_html_(self) -> str:
        return self.markup

    def __add__(self, other: Html) -> Html:
        return Html(f"{self.markup}\n{other.markup}")

    def __repr__(self) -> str:
        return "Html(...)"


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        markup: Content, already escaped.
        sort: What to sort by, where it is not the text.
        kind: CSS class.
    """

    markup: str
    sort: float | str | None = None
    kind: str = ""


def text(value: Any) -> Cell:
    """A cell of plain text."""
    return Cell(escape(str(value)))


def number(markup: str, sort: float) -> Cell:
    """A right-aligned cell that sorts by its number."""
    return Cell(markup, sort if np.isfinite(sort) else "", "number")


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    name: str,
    caption: str,
    numbers: Sequence[str] = (),
    sortable: bool = False,
    data: Sequence[Mapping[str, str]] = (),
    row_heads: bool = False,
    tall: bool = False,
) -> str:
    """A table that scrolls sideways where the page is narrow.

    Args:
        heads: Column headings.
        rows: Cells, one sequence per row.
        name: Identifier, unique in the page.
        caption: Above the table; escaped here.
        numbers: Headings of right-aligned columns.
        sortable: Whether a click on a heading sorts.
        data: Per row, attributes for the filters.
        row_heads: Whether the first cell of a row names the row.
        tall: Whether it scrolls within about one screen, its headings staying in sight.
    """
    kind = ' class="sortable"' if sortable else ""
    frame = "scroll tall" if tall else "scroll"
    lines = [
        f'<div class="{frame}" tabindex="0" role="region" aria-labelledby="caption-{name}">',
        f'<table id="table-{name}"{kind}><caption id="caption-{name}">{escape(caption)}</caption>',
        "<thead><tr>",
    ]
    for head in heads:
        kind = ' class="number"' if head in numbers else ""
        lines.append(f'<th scope="col"{kind}>{escape(head)}</th>')
    lines.append("</tr></thead><tbody>")
    for row, marks in zip_longest(rows, data, fillvalue={}):
        shown = "".join(f' data-{k}="{escape(v, quote=True)}"' for k, v in dict(marks).items())
        inner = "".join(
            _cell(cell, head=row_heads and place == 0) for place, cell in enumerate(row)
        )
        lines.append(f"<tr{shown}>{inner}</tr>")
    lines.append("</tbody></table></div>")
    return "\n".join(lines)


def _cell(cell: Cell, *, head: bool = False) -> str:
    kind = f' class="{cell.kind}"' if cell.kind else ""
    sort = "" if cell.sort is None else f' data-sort="{escape(str(cell.sort), quote=True)}"'
    if head:
        return f'<th scope="row"{kind}{sort}>{cell.markup}</th>'
    return f"<td{kind}{sort}>{cell.markup}</td>"


def chip(verdict: str, label: str) -> Cell:
    """A verdict as symbol, word and colour; `label` is the word to print."""
    symbol, colour, rank = VERDICT_LOOK.get(verdict, ("–", "grey", 6))
    if label.startswith("plumbing"):
        symbol, colour = "–", "grey"
    return Cell(labelled(symbol, colour, label), rank)


def labelled(symbol: str, colour: str, word: str) -> str:
    """A word on a coloured chip; the symbol says the same as the colour."""
    return (
        f'<span class="chip {colour}"><span aria-hidden="true">{symbol}</span> '
        f"{escape(word)}</span>"
    )


def data_word(provenance: str, *, start: bool = False) -> str:
    """Where the data come from, marked where they stand in for others."""
    words = DATA_WORDS.get(provenance, provenance)
    words = words.capitalize() if start else words
    return f'<span class="data {escape(provenance, quote=True)}">{escape(words)}</span>'


def figure(svg: str, *, name: str, caption: str, link: str) -> str:
    """A figure with its caption and a link to the numbers behind it."""
    return (
        f'<figure id="{name}"><div class="picture">{svg}</div>'
        f'<figcaption>{caption} <a href="{escape(link, quote=True)}">Numbers</a>.</figcaption>'
        "</figure>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of names and values; the values are markup."""
    inner = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs)
    return f'<dl class="facts">{inner}</dl>'


def details(title: str, inner: str) -> str:
    """Content that opens on demand, and by itself before printing."""
    return f"<details><summary>{escape(title)}</summary>\n{inner}\n</details>"


def note(words: str) -> str:
    """A remark, for instance why something is not shown."""
    return f'<p class="note">{escape(words)}</p>'


def slug(words: str) -> str:
    """Letters, digits and `-` only, for identifiers."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def value(x: float, unit: str, *, signed: bool = False) -> str:
    """A number for readers: shares in per cent, others with three digits and their unit.

    Shares close to one get two decimals: a tenth of a per cent of all images matters there.

    Args:
        x: The number; nan prints a dash, infinity "> max" (a level that was not reached).
        unit: As in `tables.GLOSSARY`.
        signed: Print the plus sign of positive numbers (differences).
    """
    if np.isnan(x):
        return "–"
    if np.isinf(x):
        return "&gt; max" if x > 0 else f"{MINUS}∞"
    sign = "+" if signed and x > 0 else ""
    if unit == "fraction":
        shown = f"{100 * x:.2f}" if 0.965 <= abs(x) < 1 else f"{100 * x:.1f}"
        shown = shown.removeprefix("-") if float(shown) == 0 else shown.replace("-", MINUS)
        return f"{sign}{shown} %"
    tail = "" if unit in ("1", "") else f" {unit}"
    return sign + digits(x) + tail


def digits(x: float) -> str:
    """Three significant digits; large and tiny numbers as a power of ten."""
    if x == 0:
        return "0"
    size = abs(x)
    if size >= 1e5 or size < 1e-3:
        mantissa, exponent = f"{x:.2e}".split("e")
        power = str(int(exponent)).replace("-", MINUS)
        return f"{mantissa}×10<sup>{power}</sup>".replace("-", MINUS)
    if size >= 100:
        return f"{x:.0f}".replace("-", MINUS)
    return f"{x:.3g}".replace("-", MINUS)


def interval(mean: float, low: float, high: float, unit: str, *, signed: bool = False) -> str:
    """Value with its interval below; one seed has none, and that is said."""
    shown = value(mean, unit, signed=signed)
    if np.isnan(mean):
        return shown
    if not (np.isfinite(low) and np.isfinite(high)):
        return f"{shown}<small>no interval</small>"
    return f"{shown}<small>[{bare(low, unit)}, {bare(high, unit)}]</small>"


def band(low: float, high: float, unit: str) -> str:
    """An acceptance band; open sides as inequality."""
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    if has_low and has_high:
        return f"{bare(low, unit)} … {value(high, unit)}"
    if has_low:
        return f"≥ {value(low, unit)}"
    if has_high:
        return f"≤ {value(high, unit)}"
    return "–"


def bare(x: float, unit: str) -> str:
    """A number without its unit, for the inner numbers of a range."""
    return value(x, unit).removesuffix(" %").removesuffix(f" {unit}")


def sort_key(x: float) -> float | str:
    """What a cell with this number sorts by; missing ones come together."""
    return float(x) if np.isfinite(x) else ""
