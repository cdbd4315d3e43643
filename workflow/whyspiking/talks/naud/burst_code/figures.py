"""Figures of `multiplexing` and `plasticity`; `burst_code/exhibits.py` describes the arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.talks.naud.burst_code.events import correlation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Arrays = Mapping[str, NDArray]


def channels(arrays: Arrays) -> fg.Plate:
    """Raster of both ensembles, the two inputs, and the two outputs that follow them."""
    time, waves, spike_ms, row, burst, n_shown = fg.need(
        arrays,
        "time_ms",
        "waves",
        "raster.spike_ms",
        "raster.row",
        "raster.burst",
        "raster.neurons",
    )
    events, bursts = (x.mean(axis=0) for x in fg.need(arrays, "events_1", "probability_2"))
    plate = fg.Plate(5.0)
    axes = plate.panels(3, 1, sharex=True, height_ratios=[1.5, 1, 1])[:, 0]
    colours = np.where(burst.astype(bool), fg.RED, fg.INK)
    fg.raster(axes[0], spike_ms / 1000, row, colours=colours, height=0.9)
    axes[0].set_yticks([n_shown / 2, 3 * n_shown / 2], ["lower\nensemble", "upper\nensemble"])
    axes[0].set_ylim(-1, 2 * n_shown)
    axes[0].axhline(n_shown - 0.5, color=fg.GREY, linewidth=0.8)
    axes[0].set_ylabel("neurons")
    seconds = time / 1000
    correlations = (
        _plot_against_input(
            axes[1], seconds, waves[:, 0], events, fg.BLUE, "event rate of\nlower ens., Hz"
        ),
        _plot_against_input(
            axes[2], seconds, waves[:, 1], bursts, fg.RED, "burst prob. of\nupper ens."
        ),
    )
    axes[2].set_xlabel("time after relaxation, s")
    n_trials = arrays["events_1"].shape[0]
    return plate.says(
        f"Two ensembles simulated in Brian2. Top: spikes of {int(n_shown)} neurons per ensemble in "
        "one realisation (red: spikes of bursts). Middle and bottom (bins of 50 ms): thick lines "
        f"are means of {n_trials} realisations. The dashed grey lines are the sine currents into "
        "the somata of the lower ensemble (middle) and into the dendrites of the upper ensemble "
        "(bottom), scaled to the means.",
        "Correlation of the somatic current with the event rate of the lower ensemble: "
        f"{correlations[0]:.2f}; of the dendritic current with the burst probability of the upper "
        f"ensemble: {correlations[1]:.2f}.",
        exhibits="multiplexing",
    )


def _plot_against_input(
    ax: Axes, seconds: NDArray, wave: NDArray, signal: NDArray, colour: str, label: str
) -> float:
    scaled_wave = signal.mean() + wave * signal.std() / wave.std()
    ax.plot(seconds, scaled_wave, color=fg.GREY, linestyle="--", linewidth=1)
    ax.plot(seconds, signal, color=colour, linewidth=1.8)
    ax.set_ylabel(label)
    r = correlation(wave, signal)
    ax.set_title(f"r = {r:.2f}", fontsize=10, loc="right")
    return r


def plasticity(arrays: Arrays) -> fg.Plate:
    """Change of weight against burst probability for both event rates."""
    change, predicted, rates, p, start = fg.need(
        arrays, "burst", "predicted", "event_rates_hz", "burst_probabilities", "p_start"
    )
    plate = fg.Plate(3.2, 5.6)
    ax = plate.panels(1, 1)[0, 0]
    ax.axhline(0, color=fg.GREY, linewidth=0.8)
    ax.axvline(float(start), color=fg.GREY, linewidth=0.8)
    slope_texts = []
    for k, rate in enumerate(rates):
        mean, sd = change[k].mean(axis=-1), change[k].std(axis=-1)
        colour = fg.PALETTE[k]
        ax.errorbar(
            p, mean, sd, color=colour, marker=fg.MARKERS[k], linestyle="", capsize=2, linewidth=1,
            markersize=5, label=f"events at {rate:.0f} Hz",
        )  # fmt: skip
        slope, offset = np.polyfit(p, mean, 1)
        ax.plot(p, slope * p + offset, color=colour)
        ax.plot(p, predicted[k], color=colour, linestyle=":", linewidth=1.2)
        crossing = -offset / slope
        ax.plot(
            [crossing], [0], marker="x", color=fg.INK, markersize=9, markeredgewidth=2, zorder=5
        )
        slope_texts.append(f"at {rate:.0f} Hz slope {slope:.2f}, zero crossing at {crossing:.3f}")
    ax.set_xlabel("burst probability")
    ax.set_ylabel("change of weight")
    fg.legend_below(plate, [ax])
    return plate.says(
        "Change of the weight of one synapse after the burst-Poisson protocol in Brian2 (mean and "
        f"standard deviation of {change.shape[-1]} repetitions). Solid lines are straight-line "
        "fits, and crosses are their zero crossings. Dotted lines are the mean-field theory. The "
        "vertical line is the initial running mean of burst probability.",
        "Change of weight as a function of burst probability: " + "; ".join(slope_texts) + ".",
        exhibits="plasticity",
    )
