"""Speed against accuracy, networks of several talks on the same data side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.figures import (
    PALETTE,
    NotMeasuredError,
    Plate,
    legend_below,
    line_with_interval,
)
from whyspiking.statistics import interval

FIRST_TAU = 0.02
"""Where the logarithmic time axis begins, unless somebody decides earlier."""


@dataclass(frozen=True)
class Curve:
    """Anytime scores of one experiment.

    Attributes:
        label: How the legend calls it.
        data: Key of the data set.
        time_tau: Time since stimulus onset in units of the talk's characteristic time, (time,).
        scores: Accuracy if stopped at each time, (seed, time).
    """

    label: str
    data: str
    time_tau: NDArray
    scores: NDArray


def curve(
    exhibits: Mapping[str, NDArray], variant: str, label: str, data: str, tau_ms: float
) -> Curve | None:
    """The curve of one variant from the exhibits of its experiment; None where there is none.

    Args:
        exhibits: `anytime.time_ms` (time,) and `anytime.<variant>.<seed>` (time,).
        variant: Which variant.
        label: How the legend shall call it.
        data: Key of the data set.
        tau_ms: The talk's characteristic time.
    """
    found = [exhibits[key] for key in sorted(exhibits) if key.startswith(f"anytime.{variant}.")]
    if not found:
        return None
    time_tau = np.asarray(exhibits["anytime.time_ms"], float) / tau_ms
    return Curve(label, data, time_tau, np.stack(found).astype(float))


def speed_accuracy(curves: Sequence[Curve], data: str) -> Plate:
    """One line per experiment on the same data.

    Args:
        curves: Curves of any data.
        data: Key of the data set to draw.

    Raises:
        NotMeasuredError: If fewer than two experiments decided on these data.
    """
    chosen = [c for c in curves if c.data == data]
    if len(chosen) < 2:
        raise NotMeasuredError(f"Fewer than two experiments on {data} were measured.")
    plate = Plate(3.4, 6.4)
    ax = plate.panels(1, 1)[0, 0]
    words = []
    for index, c in enumerate(chosen):
        found = [interval(values, "none") for values in c.scores.T]
        points = pd.DataFrame(
            [(f.mean, f.low, f.high) for f in found], columns=pd.Index(["mean", "low", "high"])
        )
        shown = c.time_tau > 0
        line_with_interval(
            ax, c.time_tau[shown], points[shown], index=index, label=c.label, markers=False
        )
        final = float(points["mean"].iloc[-1])
        reached = c.time_tau[int(np.argmax(points["mean"] >= 0.95 * final))]
        ax.plot(reached, 0.95 * final, marker="o", color=PALETTE[index % len(PALETTE)])
        words.append(f"{c.label}: {final:.3f}, 95 % of it after {reached:.2g} τ")
    ax.set_xscale("log")
    first = min(float(c.time_tau[c.time_tau > 0].min()) for c in chosen)
    ax.set_xlim(left=max(first, FIRST_TAU))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_ylim(0, 1)
    ax.set_xlabel("time since stimulus onset, τ of each talk")
    ax.set_ylabel("accuracy if stopped at t")
    legend_below(plate, [ax])
    return plate.says(
        "Networks with one spike per neuron on the same images: accuracy if stopped at t, where "
        "undecided trials guess; dots: 95 % of the final accuracy. Time is in units of each talk's "
        "characteristic time, stated on its page. Bands: pointwise 95 % t intervals over seeds.",
        "Accuracy against the time of stopping. " + "; ".join(words) + ".",
    )
