"""Figure of sharp waves that start by themselves.

Exhibits read (`sharp_waves/exhibits.npz`), times in ms:

- `waves.spike_ms`, `waves.neuron` (spike,): excitatory spikes of one trial, initiators first;
- `waves.place` (neuron,): place in the trained cycle, from 0 to 1; `waves.n_initiators` ();
- `waves.span_ms` (wave, 2): starts and stops; `waves.measured_ms` (2,): warm-up and end;
- `interval.ms`, `interval.seed` (interval,): between starts, of all networks.

Metrics read: `wave_rate`, `wave_duration` and `wave_fit` of sharp_waves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from whyspiking.plots.figures import GREY, INK, PALETTE, NotMeasuredError, Plate, need, raster
from whyspiking.records.tables import Table
from whyspiking.talks.clopath.figures_colours import cyclic

SHOWN_MS = 5000.0
BEFORE_MS, AFTER_MS = 40.0, 60.0
"""How much is shown around one wave."""
BINS_MS = 50.0
GAP = 12
"""Rows between initiators and the other neurons."""
NEEDED = {
    "no excitation among initiators": ("not_recurrent", 1.0, "wave_rate"),
    "no noise": ("noiseless", 1.0, "wave_rate"),
    "no adaptation": ("not_adapting", 1.0, "wave_duration"),
    "no excitation of interneurons": ("recruiting", 0.0, "wave_duration"),
    "scrambled learned weights": ("scrambled", 1.0, "wave_fit"),
}
"""What was taken away -> perturbation, strength, and the measure it acts on."""
UNITS = {"wave_rate": "{:.1f} waves per second", "wave_duration": "they last {:.0f} ms",
         "wave_fit": "order {:.2f}"}  # fmt: skip


def sharp_waves(arrays: Mapping[str, NDArray], metrics: Table) -> Plate:
    """Raster of initiators and sequence with the waves marked, one of them, and the intervals."""
    spike_ms, neuron, place, n, spans, measured, gaps, seeds = need(
        arrays, "waves.spike_ms", "waves.neuron", "waves.place", "waves.n_initiators",
        "waves.span_ms", "waves.measured_ms", "interval.ms", "interval.seed",
    )  # fmt: skip
    start, stop = float(measured[0]), min(float(measured[0]) + SHOWN_MS, float(measured[1]))
    inside = spans[(spans[:, 0] >= start + BEFORE_MS) & (spans[:, 1] < stop - AFTER_MS)]
    if not len(inside):
        raise NotMeasuredError("No sharp wave started at this scale.")
    n = int(n)
    row = np.concatenate([np.arange(n), n + GAP + np.argsort(np.argsort(place[n:]))])
    colours = np.concatenate([np.full(n, INK), cyclic(2 * np.pi * place[n:])])
    plate = Plate(4.6)
    grid = plate.add_gridspec(2, 2, height_ratios=[1.25, 1])

    def spikes(ax: Axes, first: float, last: float, origin: float, unit: float) -> None:
        shown = (spike_ms >= first) & (spike_ms < last)
        own = neuron[shown]
        times = (spike_ms[shown] - origin) / unit
        raster(ax, times, row[own], colours=colours[own], height=row.size / 90)
        for begin, end in spans:
            if begin < last and end > first:
                ax.axvspan(
                    (begin - origin) / unit, (end - origin) / unit,
                    color=GREY, alpha=0.15, linewidth=0,
                )  # fmt: skip
        ax.set_xlim((first - origin) / unit, (last - origin) / unit)
        ax.set_ylim(-3, row.size + GAP + 3)
        ax.set_yticks(
            [n / 2, n + GAP + (row.size - n) / 2], ["initiators", "others, in\ntrained order"]
        )
        ax.tick_params(axis="y", length=0)

    whole, one = plate.add_subplot(grid[0, :]), plate.add_subplot(grid[1, 0])
    spikes(whole, start, stop, 0.0, 1000.0)
    whole.set_xlabel("time, s; no input, only noise")
    whole.set_title("sharp waves (grey) start by themselves")
    begin, end = inside[0]
    spikes(one, begin - BEFORE_MS, end + AFTER_MS, begin, 1.0)
    one.set_xlabel("time in the wave, ms")
    one.set_title("the first whole one of them")
    _histogram(plate.add_subplot(grid[1, 1]), gaps, seeds)
    return plate.says(
        "Without septum or input, noise sets off initiators (below), which excite each other; "
        "interneurons and adaptation end the wave. In it the other excitatory neurons (sorted and "
        "coloured by their place in the cycle that the interneurons were trained to) fire in that "
        "order. Lower right: intervals between the starts of waves.",
        _words(metrics, gaps),
        exhibits="sharp_waves",
    )


def _histogram(ax: Axes, gaps: NDArray, seeds: NDArray) -> None:
    """Intervals of all networks, stacked."""
    edges = np.arange(0.0, max(1000.0, float(gaps.max(initial=0.0))) + BINS_MS, BINS_MS)
    owners = np.unique(seeds)
    ax.hist(
        [gaps[seeds == seed] for seed in owners],
        bins=list(edges),
        stacked=True,
        color=[PALETTE[k % len(PALETTE)] for k in range(owners.size)],
        alpha=0.75,
        label=[f"network {seed}" for seed in owners],
    )
    ax.set_xlabel("interval, ms")
    ax.set_ylabel("intervals")
    ax.set_title("from one start to the next")
    if owners.size > 1:
        ax.legend()


def _words(metrics: Table, gaps: NDArray) -> str:
    """Numbers of the figure and of its controls, for those who cannot see it."""
    table = metrics[(metrics["experiment"] == "sharp_waves") & (metrics["engine"] == "brian2")]

    def mean(perturbation: str, strength: float, metric: str) -> float:
        at = (table["perturbation"] == perturbation) & (table["strength"] == strength)
        return float(table[at & (table["metric"] == metric)]["value"].mean())

    said = [UNITS[metric].format(mean("none", 0.0, metric)) for metric in UNITS]
    said.append(f"intervals {gaps.mean():.0f} ms, spread {gaps.std():.0f} ms")
    for name, (perturbation, strength, metric) in NEEDED.items():
        said.append(f"{name}: {UNITS[metric].format(mean(perturbation, strength, metric))}")
    return "; ".join(said) + "."
