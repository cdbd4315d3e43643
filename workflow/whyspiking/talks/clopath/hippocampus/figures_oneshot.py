"""Figure of the one-shot memory: what was taught, what is recalled, and what the order needs.

Exhibits read (`oneshot/exhibits.npz`), times in ms:

- `onset.first`, `onset.second` (cell,): when each cell is pulsed in either sequence;
- `taught.spike_ms`, `taught.cell` (spike,): the trial of the presentation, from its start on;
- `recalled.<variant>.spike_ms`, `.cell` (spike,): around the start of a sharp wave at 0;
  `recalled.wave_ms` (): how long the septum is off.

Metrics read: `recall_order` and `recalled_share` of the variants of oneshot, and under
`memory_shuffled`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    GREY,
    MARKERS,
    PALETTE,
    NotMeasuredError,
    Plate,
    need,
    raster,
)
from whyspiking.records.tables import Table
from whyspiking.talks.clopath.figures_colours import cyclic

CHANCE = 0.2
"""Order of unrelated sequences of some hundred cells at the best cut."""
SHOWN = {
    ("spiking", "none"): "the sequence\ntaught",
    ("second_order", "none"): "another one\nwas taught",
    ("spiking", "memory_shuffled"): "weights on\nother synapses",
    ("no_beat", "none"): "taught\nwithout beat",
    ("no_rhythm", "none"): "taught\nwithout rhythm",
}
"""Variant and perturbation -> how the order in the first sequence is called."""


def one_shot(arrays: Mapping[str, NDArray], metrics: Table) -> Plate:
    """Presentation and recall as rasters, and the order of the recall with its controls."""
    first, taught_ms, taught, wave_ms = need(
        arrays, "onset.first", "taught.spike_ms", "taught.cell", "recalled.wave_ms"
    )
    plate = Plate(4.9)
    grid = plate.add_gridspec(2, 3, height_ratios=[1.5, 1], width_ratios=[1.25, 1, 1])
    rank = np.argsort(np.argsort(first))
    colours = cyclic(np.pi * 1.6 * rank / rank.size)
    lasts = float(first.max()) + 60.0
    panels = [("taught once, in theta", taught_ms, taught, (0.0, lasts), 1000.0)]
    for variant, title in (
        ("spiking", "recalled, septum off"),
        ("second_order", "taught another sequence"),
    ):
        spike_ms, cell = need(arrays, f"recalled.{variant}.spike_ms", f"recalled.{variant}.cell")
        panels.append((title, spike_ms, cell, (-20.0, float(wave_ms) + 40.0), 1.0))
    left = None
    for place, (title, times, cell, (start, stop), unit) in enumerate(panels):
        ax = plate.add_subplot(grid[0, place], sharey=left)
        left = left or ax
        inside = (times >= start) & (times < stop)
        raster(
            ax,
            times[inside] / unit,
            rank[cell[inside]],
            colours=colours[cell[inside]],
            height=max(0.9, rank.size / 60) if place else 0.9,
        )
        ax.set_title(title)
        ax.set_xlim(start / unit, stop / unit)
        ax.set_xlabel("time, s" if unit > 1 else "time in the sharp wave, ms")
        if place:
            ax.axvspan(0, float(wave_ms), color=GREY, alpha=0.12, linewidth=0)
            ax.tick_params(labelleft=False)
    assert left is not None
    left.set_ylim(-3, rank.size + 3)
    left.set_ylabel("cell of RO-CA1,\nin the order taught")
    words = _orders(plate.add_subplot(grid[1, :]), metrics)
    return plate.says(
        "A sequence taught once in theta is recalled within one cycle when septal inhibition stops "
        "(grey), by some of its cells; in the same network taught another sequence of the same "
        "cells, these come in no such order. Below: rank correlation of the times of recall with "
        "those of the first sequence, one dot per network; dotted, unrelated sequences.",
        "; ".join(words) + ".",
        exhibits="oneshot",
    )


def _orders(ax: object, metrics: Table) -> list[str]:
    """Dots of the order in the first sequence under every condition; their means in words."""
    from matplotlib.axes import Axes

    assert isinstance(ax, Axes)
    table = metrics[(metrics["experiment"] == "oneshot") & (metrics["engine"] == "brian2")]
    if table.empty:
        raise NotMeasuredError("The one-shot memory was not run at this scale.")
    words = []
    for place, ((variant, perturbation), name) in enumerate(SHOWN.items()):
        own = table[(table["variant"] == variant) & (table["perturbation"] == perturbation)]
        orders = own[own["metric"] == "recall_order"].dropna(subset=["value"])
        share = own[own["metric"] == "recalled_share"]["value"].mean()
        for _, row in orders.iterrows():
            ax.plot(
                place, row["value"], color=PALETTE[0 if place == 0 else 5], linestyle="",
                marker=MARKERS[int(row["seed"]) % len(MARKERS)], alpha=0.85,
            )  # fmt: skip
        told = f"{orders['value'].mean():.2f}" if len(orders) else "too few cells"
        top = orders["value"].max() if len(orders) else CHANCE
        ax.text(
            place, top + 0.07, f"{told}\n({100 * share:.0f} % of cells)", ha="center", fontsize=8
        )
        words.append(f"{name.replace(chr(10), ' ')}: {told}, {100 * share:.0f} % of cells")
    ax.axhline(CHANCE, color=GREY, linewidth=0.9, linestyle=":")
    ax.set_xticks(range(len(SHOWN)), list(SHOWN.values()))
    ax.text(
        len(SHOWN) - 0.4, CHANCE - 0.02, "unrelated", ha="right", va="top", fontsize=8, color=GREY
    )
    ax.set_xlim(-0.5, len(SHOWN) - 0.4)
    ax.set_ylim(0, 1.4)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("order of recall")
    return words
