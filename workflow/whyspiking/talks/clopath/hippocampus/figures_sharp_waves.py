"""Figure of sharp waves that start by themselves.

Exhibits read (`sharp_waves/figure_data.npz`), times in ms:

- `waves.spike_ms`, `waves.neuron` (spike,): excitatory spikes of one trial, initiators first;
- `waves.place` (neuron,): place in the trained cycle, from 0 to 1; `waves.n_initiators` ();
- `waves.span_ms` (wave, 2): starts and stops; `waves.measured_ms` (2,): warm-up and end;
- `interval.ms` (interval,): between starts, of all networks.

Metrics read: `wave_rate`, `wave_duration` and `wave_fit` of sharp_waves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table
from whyspiking.talks.clopath.hippocampus.figures_rasters import Order, cyclic, in_order

SHOWN_MS = 5000.0
BEFORE_MS, AFTER_MS = 40.0, 60.0
"""How much is shown around one wave."""
BINS_MS = 50.0
GAP = 12
"""Rows between initiators and the other neurons."""
MEASURE_BY_LABEL = {
    "waves per second": ("none", "wave_rate"),
    "ms per wave": ("none", "wave_duration"),
    "ms per wave without adaptation": ("not_adapting", "wave_duration"),
    "fit to the trained order": ("none", "wave_fit"),
    "fit with scrambled weights": ("scrambled", "wave_fit"),
}
"""Label of a number -> perturbation and measure."""


def sharp_waves(arrays: Mapping[str, NDArray], metrics: Table) -> fg.Plate:
    """Raster of initiators and sequence with the waves marked, one of them, and the intervals."""
    spike_ms, neuron, cycle_position, n_initiators, spans, measured_ms, intervals_ms = fg.need(
        arrays, "waves.spike_ms", "waves.neuron", "waves.place", "waves.n_initiators",
        "waves.span_ms", "waves.measured_ms", "interval.ms",
    )  # fmt: skip
    start, stop = (
        float(measured_ms[0]),
        min(float(measured_ms[0]) + SHOWN_MS, float(measured_ms[1])),
    )
    complete_waves = spans[(spans[:, 0] >= start + BEFORE_MS) & (spans[:, 1] < stop - AFTER_MS)]
    if not len(complete_waves):
        raise fg.NotMeasuredError("No sharp wave started at this scale.")
    n = int(n_initiators)
    # Initiators get rows of their own, below a gap.
    rank = np.concatenate([np.arange(n), n + GAP + np.argsort(np.argsort(cycle_position[n:]))])
    colours = np.concatenate([np.full(n, fg.INK), cyclic(2 * np.pi * cycle_position[n:])])
    order = Order(rank, colours, rank.size / 90)
    begin, end = complete_waves[0]
    plate = fg.Plate(4.6)
    grid = plate.add_gridspec(2, 2, height_ratios=[1.25, 1])
    for cell, window, origin, title, label in (
        (grid[0, :], (start, stop), 0.0, "sharp waves (grey) start spontaneously",
         "time with noise as the only input, s"),
        (grid[1, 0], (begin - BEFORE_MS, end + AFTER_MS), begin, "the first complete sharp wave",
         "time in the wave, ms"),
    ):  # fmt: skip
        ax = plate.add_subplot(cell)
        in_order(ax, [spike_ms, neuron], window, order, title, label, origin_ms=origin)
        unit = 1000.0 if label.endswith(" s") else 1.0
        for wave in (spans[(spans[:, 0] < window[1]) & (spans[:, 1] > window[0])] - origin) / unit:
            ax.axvspan(*wave, color=fg.GREY, alpha=0.15, linewidth=0)
        middle_rows = [n / 2, n + GAP + (rank.size - n) / 2]
        ax.set_yticks(middle_rows, ["initiators", "other neurons,\ntrained order"])
        ax.tick_params(axis="y", length=0)
    ax = plate.add_subplot(grid[1, 1])
    edges = np.arange(0.0, max(1000.0, *intervals_ms) + BINS_MS, BINS_MS)
    ax.hist(intervals_ms, bins=list(edges), color=fg.BLUE)
    ax.set_xlabel("interval between starts of waves, ms")
    ax.set_title("intervals between starts")
    table = metrics[(metrics["experiment"] == "sharp_waves") & (metrics["engine"] == "brian2")]
    means = table.groupby(["perturbation", "metric"])["value"].mean()
    mean_values = [
        f"{means.get(measure, np.nan):.2f} {label_text}"
        for label_text, measure in MEASURE_BY_LABEL.items()
    ]
    return plate.says(
        "Without septum and other input, noise activates initiators (bottom rows of each raster), "
        "which excite each other. Interneurons and adaptation end the wave. During the wave, the "
        "other excitatory neurons fire in the order of the cycle that the interneurons learned, by "
        "which they are sorted and coloured. Lower right: intervals between the starts of waves.",
        "; ".join(mean_values)
        + f"; intervals have a mean of {intervals_ms.mean():.0f} ms and a standard deviation of "
        f"{intervals_ms.std():.0f} ms.",
        exhibits="sharp_waves",
    )
