"""Figure of reverse replay: the same neurons forwards and backwards, and at which phases.

Exhibits read (`reversion/exhibits.npz`), times in ms after the septum has fallen silent:

- `forward.spike_ms`, `.neuron` (spike,): excitatory spikes while reversion interneurons do
  nothing, `reversed.*` while they are active;
- `sequence.phase` (neuron,): in theta, in rad, against time; `sequence.beat_hz`, `.rhythm_hz` ();
- `predicted.offset_deg`, `.forward`, `.reversed` (offset,): order correlations that Eqs. 40 and 41
  predict, mean of the networks.

Metrics read: `order_correlation` and `order_correlation_reversed` of reversion, also under
`reversion_silent`, `reversion_phase` (strength: degrees), `reversion_targets` and
`reversion_sources`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREY,
    MARKERS,
    RED,
    NotMeasuredError,
    Plate,
    need,
    raster,
)
from whyspiking.records.tables import Table
from whyspiking.talks.clopath.figures_colours import cyclic

FIRST_CYCLE, CYCLES = 3, 3
"""Which cycles of the replay are shown."""
CONTROLS = {
    "reversion_silent": "silent",
    "reversion_sources": "weights\nshuffled",
    "reversion_targets": "targets\nshuffled",
}
DIRECTIONS = {
    "order_correlation": (BLUE, "as in theta"),
    "order_correlation_reversed": (RED, "reversed"),
}


def reverse_replay(arrays: Mapping[str, NDArray], metrics: Table) -> Plate:
    """Theta, replay and reversed replay as rasters; order at all phases and under controls."""
    phase, beat, rhythm = need(arrays, "sequence.phase", "sequence.beat_hz", "sequence.rhythm_hz")
    slow, fast = 1000.0 / float(beat), 1000.0 / float(rhythm)
    known = np.isfinite(phase)
    later = np.where(known, np.mod(-phase, 2 * np.pi), np.inf)
    rank = np.where(known, np.argsort(np.argsort(later, kind="stable")), -1)
    colours = cyclic(np.where(known, later, 0.0))
    plate = Plate(5.2)
    grid = plate.add_gridspec(2, 3, height_ratios=[1.4, 1], width_ratios=[1.2, 1, 1])
    replay = (FIRST_CYCLE * fast, (FIRST_CYCLE + CYCLES) * fast)
    left = None
    for place, (title, name, (start, stop), unit) in enumerate(
        (
            (f"theta, {slow / 1000:.1f} s", "forward", (-min(2.2 * slow, 4500.0), 0.0), 1000.0),
            (f"replay, {fast:.0f} ms", "forward", replay, 1.0),
            ("replay, reversed", "reversed", replay, 1.0),
        )
    ):
        spike_ms, neuron = need(arrays, f"{name}.spike_ms", f"{name}.neuron")
        ax = plate.add_subplot(grid[0, place], sharey=left)
        left = left or ax
        inside = (spike_ms >= start) & (spike_ms < stop) & (rank[neuron] >= 0)
        raster(
            ax,
            (spike_ms[inside] - start) / unit,
            rank[neuron[inside]],
            colours=colours[neuron[inside]],
            height=max(0.9, known.sum() / 80),
        )
        ax.set_title(title)
        ax.set_xlim(0, (stop - start) / unit)
        ax.set_xlabel("time, s" if unit > 1 else "time, ms")
        if place:
            ax.tick_params(labelleft=False)
    assert left is not None
    left.set_ylim(-3, known.sum() + 3)
    left.set_ylabel("excitatory neuron,\nin the order of theta")
    words = _orders(plate.add_subplot(grid[1, :]), arrays, metrics)
    return plate.says(
        "The same excitatory neurons in the same order (and colour) in all rasters: in theta one "
        "after the other; the same way, faster, once the septum is silent; and the other way round "
        "if reversion interneurons are active then. Below: order of the replay against theta when "
        "their current comes earlier or later than it should, one dot per network; lines, what "
        "adding both currents predicts without a fit.",
        "; ".join(words) + ".",
        exhibits="reversion",
    )


def _orders(ax: object, arrays: Mapping[str, NDArray], metrics: Table) -> list[str]:
    """Order in either direction over the phase of the current and under controls; in words."""
    from matplotlib.axes import Axes

    assert isinstance(ax, Axes)
    table = metrics[
        (metrics["experiment"] == "reversion")
        & (metrics["engine"] == "brian2")
        & metrics["value"].notna()
    ]
    if table.empty:
        raise NotMeasuredError("Reverse replay was not run at this scale.")
    offsets, *lines = need(
        arrays, "predicted.offset_deg", "predicted.forward", "predicted.reversed"
    )
    places = {name: 255.0 + 75.0 * k for k, name in enumerate(CONTROLS)}
    words = []
    for line, (metric, (colour, name)) in zip(lines, DIRECTIONS.items(), strict=True):
        ax.plot(offsets, line, color=colour, linewidth=1.2, alpha=0.7)
        own = table[table["metric"] == metric]
        for _, row in own.iterrows():
            at = {"none": 0.0, "reversion_phase": row["strength"], **places}
            if row["perturbation"] in at:
                ax.plot(
                    at[row["perturbation"]], row["value"], color=colour, linestyle="",
                    marker=MARKERS[int(row["seed"]) % len(MARKERS)], alpha=0.8, markersize=4.5,
                )  # fmt: skip
        means = own.groupby(["perturbation", "strength"])["value"].mean()
        words += [
            f"{name}, {perturbation.replace('_', ' ')} {strength:g}: {value:.2f}"
            for (perturbation, strength), value in means.items()
            if perturbation != "reversion_phase" or strength == 180.0
        ]
        ax.text(-186, float(line[0]), name, color=colour, ha="right", va="center", fontsize=8.5)
    ax.text(places["reversion_sources"], 1.1, "interneurons", ha="center", fontsize=8.5)
    ax.axvline(215, color=GREY, linewidth=0.8)
    ax.set_xticks(
        [*range(-180, 181, 60), *places.values()],
        [*(f"{k}°" for k in range(-180, 181, 60)), *CONTROLS.values()],
    )
    ax.set_xlabel("how early the interneurons' current comes", x=0.37)
    ax.set_xlim(-265, 445)
    ax.set_ylim(0, 1.05)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("order of replay\nagainst theta")
    return words
