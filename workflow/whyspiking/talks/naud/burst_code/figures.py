"""Figures of `neuron` and `multiplexing`: the two channels of one neuron and of two ensembles.

Exhibits read are described in `single_cell.py` and `multiplexing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    PURPLE,
    RED,
    NotMeasuredError,
    Plate,
    legend_below,
    need,
    raster,
)
from whyspiking.talks.naud.burst_code import correlation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Arrays = Mapping[str, NDArray]
PICO, MILLI = 1e12, 1e3


def traces(arrays: Arrays) -> Plate:
    """The neuron without noise, with and without a dendritic current."""
    dt, soma_current, levels = need(
        arrays, "trace.dt_ms", "trace.soma_current", "trace.dendrite_current"
    )
    plate = Plate(3.4)
    axes = plate.panels(2, 2, sharex=True, sharey="row")
    words = []
    for column, (case, level) in enumerate(zip(("weak", "strong"), levels, strict=True)):
        soma, dendrite, spikes = need(
            arrays, *(f"trace.{case}.{name}" for name in ("soma", "dendrite", "spike_ms"))
        )
        time = float(dt) * np.arange(soma.size)
        upper, lower = axes[:, column]
        upper.plot(time, MILLI * soma, color=BLUE, linewidth=0.9)
        upper.plot(spikes, np.full(spikes.size, -40.0), "|", color=INK, markersize=9)
        lower.plot(time, MILLI * dendrite, color=GREEN, linewidth=0.9)
        lower.set_xlabel("time, ms")
        upper.set_title(f"{PICO * float(level):.0f} pA into the dendrite")
        n_bursts = int((np.diff(spikes) <= 16).sum())
        words.append(
            f"With {PICO * float(level):.0f} pA into the dendrite {spikes.size} spikes, "
            f"{n_bursts} of them within 16 ms of the one before."
        )
    axes[0, 0].set_ylabel("soma, mV")
    axes[1, 0].set_ylabel("dendrite, mV")
    return plate.says(
        "The two-compartment neuron without noise, "
        f"{PICO * float(soma_current):.0f} pA into the soma. Bars: spikes. A spike that "
        "travels back opens a dendritic plateau if the dendrite is depolarised already; the "
        "plateau makes the soma fire again.",
        " ".join(words),
        exhibits="neuron",
    )


def curves(arrays: Arrays) -> Plate:
    """Event rate against somatic, burst probability against dendritic current."""
    soma, dendrite, rate, probability, fitted = need(
        arrays, "soma_levels", "dendrite_levels", "event_rate_hz", "burst_probability", "sigmoid"
    )
    from matplotlib import colormaps
    from scipy.special import expit

    plate = Plate(3.2)
    left, right = plate.panels(1, 2)[0]
    shades = colormaps["viridis"]
    for ax, levels, others, table in (
        (left, soma, dendrite, rate.T),
        (right, dendrite, soma, probability),
    ):
        for k, (other, row) in enumerate(zip(others, table, strict=True)):
            share = k / max(1, len(others) - 1)
            label = f"{PICO * other:.0f}" if k in (0, len(others) - 1) else None
            ax.plot(
                PICO * levels,
                row,
                color=shades(0.9 * share),
                marker=MARKERS[0],
                markersize=3,
                linewidth=1,
                label=label,
            )
    if np.isfinite(fitted).all():
        low, high, middle, width = fitted
        x = np.linspace(dendrite.min(), dendrite.max(), 200)
        right.plot(
            PICO * x,
            low + (high - low) * expit((x - middle) / width),
            color=INK,
            linestyle="--",
            linewidth=1.5,
            label="sigmoid",
        )
    left.set_xlabel("somatic current, pA")
    left.set_ylabel("event rate, Hz")
    left.set_ylim(bottom=0)
    right.set_xlabel("dendritic current, pA")
    right.set_ylabel("burst probability")
    right.set_ylim(0, 1)
    left.legend(title="dendrite, pA", loc="upper left")
    right.legend(title="soma, pA", loc="upper left")
    across = float(np.ptp(rate.mean(axis=0)) / np.ptp(rate.mean(axis=1)))
    return plate.says(
        "Uncoupled neurons with noise in Brian2. Left: one line per dendritic current, from dark "
        "(lowest) to light. Right: one line per somatic current; dashed: the sigmoid fitted to all "
        "events.",
        f"Event rate rises from {rate[0].mean():.1f} to {rate[-1].mean():.1f} Hz over the somatic "
        f"currents and changes {across:.2f} times as much over the dendritic ones. Burst "
        f"probability rises from {probability[:, 0].mean():.2f} to "
        f"{probability[:, -1].mean():.2f} over the dendritic currents.",
        exhibits="neuron",
    )


def channels(arrays: Arrays) -> Plate:
    """Raster of both ensembles, the two inputs, and the two outputs that follow them."""
    time, waves, spike_ms, row, burst, shown = need(
        arrays,
        "time_ms",
        "waves",
        "raster.spike_ms",
        "raster.row",
        "raster.burst",
        "raster.neurons",
    )
    events = _mean(arrays, "events_1")
    bursts = _mean(arrays, "probability_2")
    if events.size != time.size:
        raise NotMeasuredError("Signals and times do not fit.")
    plate = Plate(5.0)
    axes = plate.panels(3, 1, sharex=True, height_ratios=[1.5, 1, 1])[:, 0]
    colours = np.where(burst.astype(bool), RED, INK)
    raster(axes[0], spike_ms / 1000, row, colours=colours, height=0.9)
    axes[0].set_yticks([shown / 2, 3 * shown / 2], ["lower", "upper"])
    axes[0].set_ylim(-1, 2 * shown)
    axes[0].axhline(shown - 0.5, color=GREY, linewidth=0.8)
    axes[0].set_ylabel("neurons")
    seconds = time / 1000
    found = (
        _against(axes[1], seconds, waves[:, 0], events, BLUE, "event rate,\nlower, Hz"),
        _against(axes[2], seconds, waves[:, 1], bursts, RED, "burst prob.,\nupper"),
    )
    axes[2].set_xlabel("time after relaxation, s")
    n_trials = arrays["events_1"].shape[0]
    return plate.says(
        f"Two ensembles in Brian2. Top: {int(shown)} neurons of each, one realisation; red: spikes "
        "of bursts. Middle and bottom (bins of 50 ms): thick, mean of "
        f"{n_trials} realisations; dashed grey, the sine into the somata of the "
        "lower ensemble and that into the dendrites of the upper one, scaled to fit.",
        f"Correlation of somatic current and lower event rate {found[0]:.2f}, of dendritic current "
        f"and upper burst probability {found[1]:.2f}.",
        exhibits="multiplexing",
    )


def readouts(arrays: Arrays) -> Plate:
    """What depressing and facilitating synapses of the upper ensemble pass on."""
    (time,) = need(arrays, "time_ms")
    seconds = time / 1000
    plate = Plate(4.2)
    axes = plate.panels(2, 2, sharex=True)
    words = []
    heard = {"depressing": (BLUE, "depressing"), "facilitating": (PURPLE, "facilitating")}
    for row, (kind, (colour, label)) in enumerate(heard.items()):
        (trace,) = need(arrays, kind)
        passed = trace.mean(axis=0)[:, 1]
        for column, (signal, said) in enumerate(
            (("events_2", "event rate"), ("bursts_2", "burst rate"))
        ):
            ax = axes[row, column]
            source = _mean(arrays, signal)
            ax.plot(seconds, _standard(source), color=GREY, linestyle="--", label="rate")
            ax.plot(seconds, _standard(passed), color=colour, label=f"{label} synapses")
            r = correlation(source, passed)
            ax.set_title(f"{label} · {said}: r = {r:.2f}", fontsize=10)
            words.append(f"{label} synapses and {said} {r:.2f}")
        axes[row, 0].set_ylabel("sd from the mean")
    for ax in axes[-1]:
        ax.set_xlabel("time after relaxation, s")
    legend_below(plate, axes.ravel())
    return plate.says(
        "One spike train, two readers: conductance behind depressing (top) and facilitating "
        "(bottom) synapses of the upper ensemble in Brian2, beside its event rate (left) and its "
        "burst rate (right). Mean of all realisations, bins of 50 ms, standardised.",
        "Correlations: " + "; ".join(words) + ".",
        exhibits="multiplexing",
    )


def _mean(arrays: Arrays, name: str) -> NDArray:
    return need(arrays, name)[0].mean(axis=0)


def _against(
    ax: Axes, seconds: NDArray, wave: NDArray, signal: NDArray, colour: str, label: str
) -> float:
    scaled = signal.mean() + wave * signal.std() / wave.std()
    ax.plot(seconds, scaled, color=GREY, linestyle="--", linewidth=1)
    ax.plot(seconds, signal, color=colour, linewidth=1.8)
    ax.set_ylabel(label)
    r = correlation(wave, signal)
    ax.set_title(f"r = {r:.2f}", fontsize=10, loc="right")
    return r


def _standard(values: NDArray) -> NDArray:
    spread = values.std()
    return (values - values.mean()) / (spread if spread else 1.0)
