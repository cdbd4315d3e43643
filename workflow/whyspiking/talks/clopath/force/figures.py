"""Figure of FORCE: outputs before, during and after learning.

Exhibits read (`<experiment>/figure_data.npz`), times in ms: `training.time_ms`, `training.output`,
`training.target` (time,) around the start and the end of learning; `training.rls_ms` (2,): when
RLS is switched on and off.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg

OUTPUTS = {
    "sine": "sine", "van_der_pol": "van der Pol", "ode": "Ode to Joy", "song": "song",
    "episode": "episode", "points": "class of points",
}  # fmt: skip
"""Experiment -> label of its row."""
EDGE_MS = 1000.0
"""How much of the time before and after learning is shown."""


def force(exhibits: Mapping[str, Mapping[str, NDArray]]) -> fg.Plate:
    """Output over target before, during and after learning."""
    drawable = [name for name in OUTPUTS if "training.output" in exhibits.get(name, {})]
    if not drawable:
        raise fg.NotMeasuredError("The run saved no history of training at this scale.")
    plate = fg.Plate(0.7 + 1.15 * len(drawable))
    axes = plate.panels(len(drawable), 3, sharey="row", width_ratios=[1, 1, 1])
    panel_errors = []
    for i_row, name in enumerate(drawable):
        row = axes[i_row]
        time, output, target, rls_switch_ms = fg.need(
            exhibits[name],
            *(f"training.{key}" for key in ("time_ms", "output", "target", "rls_ms")),
        )
        output, target = np.ravel(output), np.ravel(target)
        rls_on_ms, rls_off_ms = float(rls_switch_ms[0]), float(rls_switch_ms[1])
        window_edges_s = {
            "before learning": (max(time[0], rls_on_ms - EDGE_MS), rls_on_ms),
            "first second of RLS": (rls_on_ms, min(rls_on_ms + EDGE_MS, rls_off_ms)),
            "after learning (RLS off)": (rls_off_ms, min(time[-1], rls_off_ms + EDGE_MS)),
        }
        for ax, (title, (window_start, window_stop)) in zip(
            row, window_edges_s.items(), strict=True
        ):
            is_in_window = (time >= window_start) & (time <= window_stop)
            seconds = time[is_in_window] / 1000.0
            ax.plot(
                seconds, target[is_in_window], color=fg.GREY, linewidth=3, alpha=0.7, label="target"
            )
            ax.plot(seconds, output[is_in_window], color=fg.BLUE, linewidth=1.1, label="output")
            if i_row == 0:
                ax.set_title(title)
            if i_row == len(drawable) - 1:
                ax.set_xlabel("time, s")
            # Relative to the standard deviation of all target values, not of the panel alone.
            error = (
                np.sqrt(np.mean((output[is_in_window] - target[is_in_window]) ** 2)) / target.std()
            )
            panel_errors.append(f"{name}, {title}: NRMSE {error:.2f}")
        row[0].set_ylabel(f"{OUTPUTS[name]}\noutput")
        limit = 1.35 * float(np.abs(target).max())
        row[0].set_ylim(-limit, limit)
    fg.legend_below(plate, axes[0])
    return plate.says(
        "Networks of Izhikevich neurons learn with FORCE. Each row shows the decoded output and "
        "its target before, during and after recursive least squares (RLS). After learning, the "
        "weights are fixed. Networks without a clock signal or other input run freely, so their "
        "phase may drift.",
        "; ".join(panel_errors) + ".",
        exhibits=drawable[0],
    )
