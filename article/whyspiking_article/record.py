"""Numbers, names and verdicts of the record, each by the place in its tables that it comes from.

A reference is a table of `results/reference` (or the study of how often verdicts err), a row, a
column and a format. What it resolves to is Markdown in a span whose title is that place, so that a
reader of the HTML who holds the mouse on a number sees where it is from.
"""

from __future__ import annotations

import html as entities
import importlib
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import finished, labels, tables
from whyspiking.records.tables import Table
from whyspiking.report import first_screen, html
from whyspiking.verdicts import rule

type Row = Mapping[str, Any]

STUDY = "rule_study"
"""The study of the verdict rule, as a table; it lies beside the rule, not in the record."""
SPELLED = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
"""Numbers that are written as words, from 0 on."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~^$@])")


def _value(row: Row, column: str, *, interval: bool) -> str:
    signed = row.get("test_type") in ("difference", "equivalence")
    ends = (row.get("ci_low", np.nan), row.get("ci_high", np.nan)) if interval else (np.nan, np.nan)
    return entities.unescape(html.inline(row[column], *ends, str(row["unit"]), signed=signed))


FORMS: dict[str, Callable[[Row, str], str]] = {
    "text": lambda row, column: str(row[column]),
    "value": lambda row, column: _value(row, column, interval=False),
    "interval": lambda row, column: _value(row, column, interval=True),
    "percent": lambda row, column: f"{100 * row[column]:.3g} %",
    "count": lambda row, column: f"{row[column]:,.0f}",
    "spelled": lambda row, column: spelled(row[column]),
    "times": lambda row, column: f"{row[column]:.2g}",
    "short": lambda row, column: str(row[column])[:7],
    "hours": lambda row, column: f"{row[column] / 3600:.1f}",
}
"""Format -> how a cell of a row is written."""


class Record:
    """The record, as templates ask for it; keeps which tables were asked.

    Attributes:
        folder: The recorded tables.
        used: Tables that references came from.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = finished.find(folder)
        self.used: set[str] = set()
        self.talks = {name: registry.load_talk(name) for name in self.run.talks}
        self._read: dict[str, Table] = {}

    def table(self, name: str) -> Table:
        """A table by its name; verdicts are those of the talks and of what no total counts.

        Raises:
            UserError: If there is no such table.
        """
        self.used.add(name)
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Table:
        if name == STUDY:
            return pd.read_csv(rule.STUDY)
        if name != "verdicts":
            return self.run.table(name)
        apart = [talk for talk in ("discussion", "ground") if (self.folder / talk).is_dir()]
        others = [finished.find(self.folder / talk).verdicts for talk in apart]
        return labels.in_points(tables.stacked([self.run.verdicts, *others]))

    def rows(self, name: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a table with these values; a list stands for any of its entries."""
        found = self.table(name)
        for column, wanted in where.items():
            found = found[found[column].isin(wanted if isinstance(wanted, list) else [wanted])]
        return [{str(k): v for k, v in row.items()} for row in found.to_dict("records")]

    def row(self, name: str, place: str | Mapping[str, Any]) -> dict[str, Any]:
        """The one row at a place: values by column, or the value of the table's first column.

        Raises:
            UserError: If there is not exactly one.
        """
        first = str(self.table(name).columns[0])
        found = self.rows(name, **({first: place} if isinstance(place, str) else place))
        if len(found) != 1:
            raise UserError(
                f"article: {len(found)} rows of {name} at {place}; expected one; correct the "
                "reference in article/whyspiking_article/assets/article.md.j2"
            )
        return found[0]

    def ref(self, name: str, place: str | Mapping[str, Any], column: str, form: str) -> str:
        """A cell, written by a format of `FORMS`, with where it is from."""
        source = place if isinstance(place, str) else ", ".join(map(str, place.values()))
        return said(FORMS[form](self.row(name, place), column), f"{name}: {source}: {column}")

    def tally(self, name: str, form: str = "count", **where: Any) -> str:
        """How many rows there are, with where they are counted."""
        told = ", ".join(f"{column} {wanted}" for column, wanted in where.items()) or "anything"
        many = {"rows": len(self.rows(name, **where))}
        return said(FORMS[form](many, "rows"), f"{name}: rows with {told}")

    def made(self, path: str, form: str = "text") -> str:
        """An entry of the manifest by its keys, with dots between them."""
        entry: Any = self.run.manifest
        for key in path.split("."):
            entry = entry[key]
        return said(FORMS[form]({"entry": entry}, "entry"), f"manifest: {path}")

    @property
    def level(self) -> str:
        """Confidence of the intervals."""
        return self.stated("measures.statistics.LEVEL", "percent")

    @property
    def cpu_hours(self) -> str:
        """CPU hours of the record, over all talks."""
        seconds = sum(talk["cpu_seconds"] for talk in self.run.manifest["talks"].values())
        return said(FORMS["hours"]({"sum": seconds}, "sum"), "manifest: sum of talks.cpu_seconds")

    def stated(self, name: str, form: str = "text", *, at: Any = None) -> str:
        """A constant of the code that verdicts or frontiers are made by: module and name."""
        module, _, constant = name.rpartition(".")
        found = getattr(importlib.import_module(f"whyspiking.{module}"), constant)
        found = found if at is None else found[at]
        return said(FORMS[form]({"constant": found}, "constant"), f"whyspiking.{name}")

    def passes(self, claim: str) -> bool:
        """Whether a claim was found as claimed, over several networks."""
        return self.row("verdicts", claim)["verdict"] in rule.SUCCESSES

    def failed(self, claim: str) -> bool:
        """Whether the whole interval of a claim lies outside its band."""
        return self.row("verdicts", claim)["verdict"] in rule.FAILURES

    @cached_property
    def comparisons(self) -> first_screen.Comparisons:
        """What the page's first screen says.

        Raises:
            UserError: If the record has no frontiers.
        """
        comparisons = first_screen.recorded(self.folder)
        if comparisons is None:
            raise UserError(
                f"{self.folder}: no frontiers.csv; expected the record; run make record"
            )
        self.used |= {"frontiers", "advantage"}
        return comparisons


def said(shown: str, source: str) -> Markup:
    """A resolved reference as Markdown: escaped, in a span that tells its source."""
    plain = _SPECIAL.sub(r"\\\1", shown.replace(" %", "\N{NO-BREAK SPACE}%"))
    plain = re.sub(r"\\<sup\\>(.*?)\\</sup\\>", r"^\1^", plain)
    return Markup(f'[{plain}]{{title="{source}"}}' if shown else "")


def spelled(number: float) -> str:
    """A whole number as a word, where it is a small one."""
    small = float(number).is_integer() and 0 <= number < len(SPELLED)
    return SPELLED[int(number)] if small else f"{number:,.0f}"
