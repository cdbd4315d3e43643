"""Figure of the one-shot memory: what was taught, what is recalled, and what the order needs.

Exhibits read (`oneshot/figure_data.npz`), times in ms:

- `onset.first` (cell,): when each cell is pulsed in the first sequence;
- `taught.spike_ms`, `taught.cell` (spike,): the trial of the presentation, from its start on;
- `recalled.<variant>.spike_ms`, `.cell` (spike,): around the start of a sharp wave at 0;
  `recalled.wave_ms` (): how long the septum is off.

Metrics read: `recall_order` and `recalled_share` of the variants of oneshot, and under
`memory_shuffled`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table
from whyspiking.talks.clopath.hippocampus.figures_rasters import Order, cyclic, dots, in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHANCE = 0.2
"""Order of unrelated sequences of some hundred cells at the best cut."""
LABELS = {
    ("spiking", "none"): "first sequence\ntaught",
    ("second_order", "none"): "second sequence\ntaught",
    ("spiking", "memory_shuffled"): "weights moved to\nother synapses",
    ("no_beat", "none"): "taught without\na beat",
}
"""Variant and perturbation -> label of the condition."""


def one_shot(arrays: Mapping[str, NDArray], metrics: Table) -> fg.Plate:
    """Presentation and recall as rasters, and the order of the recall with its controls."""
    onset_ms, wave_ms = fg.need(arrays, "onset.first", "recalled.wave_ms")
    rank = np.argsort(np.argsort(onset_ms))
    order = Order(rank, cyclic(np.pi * 1.6 * rank / rank.size), max(0.9, rank.size / 60))
    wave_window_ms = (-20.0, float(wave_ms) + 40.0)
    plate = fg.Plate(4.9)
    grid = plate.add_gridspec(2, 3, height_ratios=[1.5, 1], width_ratios=[1.25, 1, 1])
    taught_ax = plate.add_subplot(grid[0, 0])
    taught_spikes = fg.need(arrays, "taught.spike_ms", "taught.cell")
    presentation_ms = (0.0, float(onset_ms.max()) + 60.0)
    in_order(taught_ax, taught_spikes, presentation_ms, order, "taught once in theta", "time, s")
    for i_column, (variant, title) in enumerate(
        (("spiking", "recall, first taught"), ("second_order", "recall, second taught")), 1
    ):
        ax = plate.add_subplot(grid[0, i_column], sharey=taught_ax)
        cells = fg.need(arrays, f"recalled.{variant}.spike_ms", f"recalled.{variant}.cell")
        in_order(
            ax, cells, wave_window_ms, order, title, "time in the sharp wave, ms", origin_ms=0.0
        )
        ax.axvspan(0, float(wave_ms), color=fg.GREY, alpha=0.12, linewidth=0)
        ax.tick_params(labelleft=False)
    taught_ax.set_ylabel("cell of RO-CA1,\nin the taught order")
    order_values = _plot_orders(plate.add_subplot(grid[1, :]), metrics)
    return plate.says(
        "Some cells recall a sequence that was taught once in theta within one cycle when septal "
        "inhibition stops (grey). If the same network was taught a second sequence of the same "
        "cells instead, the cells do not fire in the order of the first sequence. Below: rank "
        "correlation of the times of recall with the times in the first sequence (one dot per "
        "network). The dotted line is the correlation of unrelated sequences.",
        "; ".join(order_values) + ".",
        exhibits="oneshot",
    )


def _plot_orders(ax: Axes, metrics: Table) -> list[str]:
    """Dots of the order in the first sequence under every condition; their means in words."""
    table = metrics[(metrics["experiment"] == "oneshot") & (metrics["engine"] == "brian2")]
    order_values = []
    for x_position, ((variant, perturbation), name) in enumerate(LABELS.items()):
        condition_rows = table[
            (table["variant"] == variant) & (table["perturbation"] == perturbation)
        ]
        orders = condition_rows[condition_rows["metric"] == "recall_order"].dropna(subset=["value"])
        recalled_share = condition_rows[condition_rows["metric"] == "recalled_share"][
            "value"
        ].mean()
        dots(ax, orders.assign(at=x_position), fg.PALETTE[5 if x_position else 0])
        mean = f"{orders['value'].mean():.2f}" if len(orders) else "too few cells"
        top = orders["value"].max() if len(orders) else CHANCE
        value_text = f"{mean}\n({100 * recalled_share:.0f} % of cells)"
        ax.text(x_position, top + 0.07, value_text, ha="center", fontsize=8)
        order_values.append(f"{name} {value_text}".replace("\n", " "))
    ax.axhline(CHANCE, color=fg.GREY, linewidth=0.9, linestyle=":")
    ax.set_xticks(range(len(LABELS)), list(LABELS.values()))
    text_style = {"ha": "right", "va": "top", "fontsize": 8}
    ax.text(len(LABELS) - 0.4, CHANCE - 0.02, "unrelated", **text_style)
    ax.set_xlim(-0.5, len(LABELS) - 0.4)
    ax.set_ylim(0, 1.4)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("correlation of recall\nwith first sequence")
    return order_values
