"""Rates and irregularity of trained networks beside those of nervous systems."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import GREEN, INK, RED, Plate, require, row_of_panels
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.verdicts.biology import Range, stated

SHOWN = ("rate", "isi_lv")
"""Metrics, a panel each: those whose range was read at its source."""


def _ranges() -> list[Range]:
    """The first range of every metric that is shown."""
    every = stated().ranges
    return [next(entry for entry in every if entry.metric == metric) for metric in SHOWN]


def sentence(biology: Table) -> Markup:
    """In how many talks every network lies inside what was published, with the sources."""
    told = []
    for entry in _ranges():
        rows = tables.where(biology, metric=entry.metric).drop_duplicates("talk")
        places = [
            entry.place(low, high)
            for low, high in zip(rows["minimum"], rows["maximum"], strict=True)
        ]
        told.append((entry, places.count("inside"), len(places)))
    return html.macros("pages").beside_biology(told)


def figure(biology: Table, talks: Mapping[str, Talk]) -> Plate:
    """Lowest and highest network of a talk, with the published range and recorded trains.

    Args:
        biology: Rows of biology.csv.
        talks: The talks, from above.

    Raises:
        NotMeasuredError: If nothing was measured.
    """
    own = biology[biology["metric"].isin(SHOWN)]
    names = [name for name in talks if (own["talk"] == name).any()]
    require(names, "Neither rates nor intervals were measured.")
    recorded = stated().recorded_trains
    labels = [talks[name].surname for name in names] + [one.name for one in recorded]
    plate, axes = row_of_panels(0.7 + 0.2 * len(labels), 2, width=7.0, sharey=True)
    for ax, entry in zip(axes, _ranges(), strict=True):
        rows = tables.where(own, metric=entry.metric).drop_duplicates("talk").set_index("talk")
        for y, name in enumerate(names):
            if name in rows.index:
                # A logarithmic axis has no zero.
                ends = np.maximum(rows.loc[name, ["minimum", "maximum"]].to_numpy(float), 0.05)
                ax.plot(ends, [y, y], "o-", color=RED, markersize=4, linewidth=2)
        for y, one in enumerate(recorded, len(names)):
            values = one.values.get(entry.metric, ())
            ax.plot(values, [y] * len(values), "D-", color=INK, markersize=4)
        ax.set(xscale="log", xlabel=f"{entry.name}{f', {entry.unit}' if entry.unit != '1' else ''}")
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        left, right = ax.get_xlim()
        ends = max(entry.minimum, left / 2), min(entry.maximum, 2 * right)
        ax.axvspan(*ends, facecolor=(GREEN, 0.1), edgecolor=GREEN, linewidth=1.2)
        ax.set_xlim(left, right)
    axes[0].set(yticks=range(len(labels)), ylim=(len(labels) - 0.5, -0.5))
    axes[0].set_yticklabels(labels)
    return plate.says(
        "Green: published range. Red: lowest to highest mean of the networks of a talk, in the "
        "time "
        "of the model. Diamonds: recorded spike trains.",
        f"Firing rates and irregularity of the networks of {len(names)} talks compared with "
        "published ranges. The table has the numbers.",
        "biology.csv",
    )
