"""Figures of the septal network: theta sequence and its replay, and the replay reversed.

Exhibits read (`shot_published` and `reversion/figure_data.npz`), times in ms:

- `sequence.spike_ms`, `sequence.neuron` (spike,): excitatory spikes around the septum's silence,
  which begins at `sequence.off_ms` (); `reversed.spike_ms`, `reversed.neuron`: the same with
  reversion interneurons active;
- `sequence.phase` (neuron,): phase in the theta sequence in rad, by which neurons are sorted;
  `sequence.beat_hz`, `sequence.rhythm_hz` ();
- `predicted.offset_deg`, `.forward`, `.reversed` (offset,): order correlations that Eqs. 40 and 41
  predict, mean of the networks.

Metrics read: `order_correlation` and `order_correlation_reversed` of reversion, also under
`reversion_silent`, `reversion_phase` (strength: degrees), `reversion_targets` and
`reversion_sources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table
from whyspiking.talks.clopath.hippocampus.figures_rasters import Order, by_phase, dots, in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST_CYCLE, CYCLES = 3, 3
"""First cycle of the replay that is shown, and number of cycles."""
CONTROLS = {
    "reversion_silent": "inactive",
    "reversion_sources": "weights\nshuffled",
    "reversion_targets": "targets\nshuffled",
}
DIRECTIONS = {
    "order_correlation": (fg.BLUE, "as in theta"),
    "order_correlation_reversed": (fg.RED, "reversed"),
}


def theta_sequence(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Excitatory spikes with the septum on, and the compressed replay in the same order."""
    order, theta, replay = _find_windows(arrays)
    slow, fast = _read_cycles_ms(arrays)
    spikes = fg.need(arrays, "sequence.spike_ms", "sequence.neuron")
    plate = fg.Plate(3.8)
    axes = plate.panels(1, 2, sharey=True, width_ratios=[1.6, 1])[0]
    in_order(
        axes[0], spikes, theta, order, f"septum on: sequence of {slow / 1000:.2f} s", "time, s"
    )
    in_order(axes[1], spikes, replay, order, f"septum off: replay of {fast:.0f} ms", "time, ms")
    axes[0].set_ylabel("excitatory neuron,\nsorted by phase in theta")
    return plate.says(
        "Both panels show the same excitatory neurons (every fourth one) in the same order and "
        "colour. Left: with septal inhibition, each neuron fires at its own time in a slow "
        "sequence, which follows the beat of two theta rhythms. Right: without septal inhibition "
        "and with 20 mV more, the neurons replay this sequence in each internal cycle.",
        f"Raster of {order.rank.max() + 1} excitatory neurons. The slow sequence lasts "
        f"{slow / 1000:.2f} s and its replay {fast:.0f} ms, so the sequence is compressed "
        f"{slow / fast:.1f} times.",
        exhibits="shot_published",
    )


def _read_cycles_ms(arrays: Mapping[str, NDArray]) -> tuple[float, float]:
    """Cycles of the sequence and of its replay."""
    beat, rhythm = fg.need(arrays, "sequence.beat_hz", "sequence.rhythm_hz")
    return 1000.0 / float(beat), 1000.0 / float(rhythm)


def _find_windows(
    arrays: Mapping[str, NDArray],
) -> tuple[Order, tuple[float, float], tuple[float, float]]:
    """Order of the neurons in theta; what is shown of theta and of the replay, in ms."""
    spike_ms, neuron, phase, off = fg.need(
        arrays, *(f"sequence.{key}" for key in ("spike_ms", "neuron", "phase", "off_ms"))
    )
    slow, fast = _read_cycles_ms(arrays)
    off_ms = float(off)
    # Phases may run with time or against it; neurons are sorted so that the sequence runs upwards.
    is_theta = (spike_ms < off_ms) & np.isfinite(phase[neuron])
    beat_phase = 2 * np.pi * spike_ms[is_theta] / slow
    phase = max(
        (phase, -phase), key=lambda p: abs(np.mean(np.exp(1j * (beat_phase - p[neuron[is_theta]]))))
    )
    replay_start_ms = off_ms + FIRST_CYCLE * fast
    theta = (max(0.0, off_ms - min(2.2 * slow, 5000.0)), off_ms)
    return by_phase(phase), theta, (replay_start_ms, replay_start_ms + CYCLES * fast)


def reverse_replay(arrays: Mapping[str, NDArray], metrics: Table) -> fg.Plate:
    """Theta, replay and reversed replay as rasters; order at all phases and under controls."""
    order, theta, replay = _find_windows(arrays)
    plate = fg.Plate(5.2)
    grid = plate.add_gridspec(2, 3, height_ratios=[1.4, 1], width_ratios=[1.2, 1, 1])
    first_ax = plate.add_subplot(grid[0, 0])
    for i_column, (title, name, window, unit) in enumerate(
        (
            ("theta", "sequence", theta, "time, s"),
            ("replay", "sequence", replay, "time, ms"),
            ("replay, reversed", "reversed", replay, "time, ms"),
        )
    ):
        ax = plate.add_subplot(grid[0, i_column], sharey=first_ax) if i_column else first_ax
        spikes = fg.need(arrays, f"{name}.spike_ms", f"{name}.neuron")
        in_order(ax, spikes, window, order, title, unit)
        ax.tick_params(labelleft=not i_column)
    first_ax.set_ylabel("excitatory neuron,\nsorted by phase in theta")
    order_values = _plot_orders(plate.add_subplot(grid[1, :]), arrays, metrics)
    return plate.says(
        "All rasters show the same excitatory neurons in the same order and colour. In theta they "
        "fire one after the other. Without septal inhibition they fire in the same order but "
        "faster. If reversion interneurons are active, they fire in reversed order. Below: "
        "correlation of the replay with the order in theta when the current of the reversion "
        "interneurons arrives early or late (one dot per network). Lines show the prediction from "
        "the sum of both currents, without a fit.",
        "; ".join(order_values) + ".",
        exhibits="reversion",
    )


def _plot_orders(ax: Axes, arrays: Mapping[str, NDArray], metrics: Table) -> list[str]:
    """Order in either direction over the phase of the current and under controls; in words."""
    table = metrics[(metrics["experiment"] == "reversion") & (metrics["engine"] == "brian2")]
    offsets, *lines = fg.need(
        arrays, "predicted.offset_deg", "predicted.forward", "predicted.reversed"
    )
    x_by_control = {name: 255.0 + 75.0 * k for k, name in enumerate(CONTROLS)}
    order_values = []
    for line, (metric, (colour, name)) in zip(lines, DIRECTIONS.items(), strict=True):
        ax.plot(offsets, line, color=colour, linewidth=1.2, alpha=0.7)
        ax.text(-186, float(line[0]), name, ha="right", va="center", fontsize=8.5)
        metric_rows = table[table["metric"] == metric].dropna(subset=["value"])
        x_positions = metric_rows["perturbation"].map({"none": 0.0, **x_by_control})
        x_positions = x_positions.where(
            metric_rows["perturbation"] != "reversion_phase", metric_rows["strength"]
        )
        dots(ax, metric_rows.assign(at=x_positions).dropna(subset=["at"]), colour)
        control_rows = metric_rows[metric_rows["perturbation"].isin(["none", *CONTROLS])]
        order_values += [
            f"order {name}, perturbation {perturbation.replace('_', ' ')}: {value:.2f}"
            for perturbation, value in control_rows.groupby("perturbation")["value"].mean().items()
        ]
    ax.text(x_by_control["reversion_sources"], 1.1, "interneurons", ha="center", fontsize=8.5)
    ax.axvline(215, color=fg.GREY, linewidth=0.8)
    ax.set_xticks(
        [*range(-180, 181, 60), *x_by_control.values()],
        [*(f"{k}°" for k in range(-180, 181, 60)), *CONTROLS.values()],
    )
    ax.set_xlabel("how early the current of the reversion interneurons arrives", x=0.37)
    ax.set_xlim(-265, 445)
    ax.set_ylim(0, 1.05)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("correlation of replay\nwith order in theta")
    return order_values
