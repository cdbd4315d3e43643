"""Rates and irregularity of trained networks beside those of nervous systems."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from whyspiking.declared.registry import Talk
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.verdicts.biology import Range, stated

SHOWN = ("rate", "isi_lv")
"""Metrics whose range was read at its source, a column each."""


def _select_ranges() -> list[Range]:
    """The first range of every metric that is shown."""
    ranges = stated().ranges
    return [next(entry for entry in ranges if entry.metric == metric) for metric in SHOWN]


def answer(biology: Table, talks: Mapping[str, Talk]) -> Markup:
    """A table of the talks with published ranges, and how many talks lie within these ranges.

    Args:
        biology: Rows of biology.csv.
        talks: The talks, from above.
    """
    ranges = _select_ranges()
    limits_by_metric = {
        entry.metric: tables.where(biology, metric=entry.metric)
        .drop_duplicates("talk")
        .set_index("talk")[["minimum", "maximum"]]
        for entry in ranges
    }
    rows = [
        (talk.surname, [_get_limits(limits_by_metric[entry.metric], name) for entry in ranges])
        for name, talk in talks.items()
        if (biology["talk"] == name).any()
    ]
    counts = []
    for entry in ranges:
        positions = [
            entry.place(*limits)
            for limits in limits_by_metric[entry.metric].itertuples(index=False)
        ]
        counts.append((entry, positions.count("inside"), len(positions)))
    return html.macros("questions").biology(rows, ranges, counts)


def _get_limits(limits_by_talk: Table, talk: str) -> tuple[float, float] | None:
    """Lowest and highest value of a talk; None where the quantity was not measured."""
    if talk not in limits_by_talk.index:
        return None
    low, high = limits_by_talk.loc[talk]
    return float(low), float(high)
