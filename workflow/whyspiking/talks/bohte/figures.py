"""Figures of the talk: one record, accuracy of all networks, energy by formula.

Exhibits read (`exhibits.npz` of `ecg` and `spoken`) are described in `exhibits.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table, where

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from whyspiking.contract.types import Results

SHOWN_MS = (400.0, 2600.0)
WAVES = ("P", "PQ", "QR", "RS", "ST", "TP")
WAVE_COLOURS = (*fg.PALETTE[:5], "#777B82")
NETWORKS = (
    ("ecg", "spiking", "adaptive, trained"),
    ("timescales", "alif_fixed", "adaptive, fixed"),
    ("timescales", "lif", "plain, trained"),
    ("timescales", "lif_fixed", "plain, fixed"),
    ("timescales", "lif_published", "plain, the authors'"),
    ("ecg", "gru", "GRU"),
    ("ecg", "rnn", "tanh units"),
    ("ecg", "traces", "fixed traces"),
    ("ecg", "linear", "linear"),
)
IN_JAX = ("gru", "rnn", "traces", "linear")


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """The talk's figures by name, in the order of the story."""
    return {
        "one record": lambda: one_record(results.exhibit("ecg")),
        "what it is worth": lambda: worth(results.metrics),
        "energy by formula": lambda: formula(results.exhibit("spoken"), results.metrics),
    }


def one_record(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Voltage, events, labels, hidden spikes and adaptation of one test record."""
    names = ("voltage_mv", "events", "labels", "choices", "spikes", "eta", "eta_tau_ms", "step_ms")
    voltage, events, *series, spikes, eta, taus, step = fg.need(arrays, *names, of="record")
    (accuracy,) = fg.need(arrays, "record.accuracy")
    step_ms = float(step)
    stop = min(SHOWN_MS[1], len(spikes) * step_ms)
    seen = np.arange(int(SHOWN_MS[0] / step_ms), int(stop / step_ms))
    seconds = seen * step_ms / 1000
    # The authors' file holds events only.
    heights = ([1.4] if len(voltage) else []) + [0.7, 0.55, 1.4, 1.1]
    plate = fg.Plate(5.2 + 1.4 * (len(heights) > 4))
    axes = plate.panels(len(heights), 1, sharex=True, height_ratios=heights)[:, 0]
    axes[0].set_xlim(seconds[0], seconds[-1])
    if len(voltage):
        _voltage(axes[0], seconds, voltage[seen])
    when, channel = np.nonzero(events[seen])
    fg.raster(axes[-4], seconds[when], channel)
    axes[-4].set(ylim=(events.shape[1] - 0.4, -0.6), ylabel="events")
    axes[-4].set_yticks(range(events.shape[1]), ["1 up", "1 down", "2 up", "2 down"])
    _labels(axes[-3], seconds, [one[seen] for one in series])
    when, neuron = np.nonzero(spikes[seen])
    fg.raster(axes[-2], seconds[when], neuron, colours=fg.GREY)
    axes[-2].set(ylim=(-1, spikes.shape[1]), ylabel="hidden neuron")
    durations = [f"{tau / 1000:.1f} s" if tau >= 1000 else f"{tau:.0f} ms" for tau in taus]
    for values, colour, label in zip(
        eta[seen].T, (fg.BLUE, fg.RED, fg.PURPLE), durations, strict=True
    ):
        axes[-1].plot(seconds, values, color=colour, linewidth=1.2, label=label)
    axes[-1].set(ylabel="adaptation η", xlabel="time, s", ylim=(0, axes[-1].get_ylim()[1]))
    fg.label_ends(axes[-1], gap=0.2)
    fg.legend_below(plate, [axes[-3]])
    return plate.says(
        "A test record that is labelled about as well as the median one, in Brian2. From above: "
        + ("the two leads (which the network does not see), " if len(voltage) else "")
        + "the events made of the two leads, true and "
        "chosen labels (white: nobody labelled), hidden spikes, and the adaptation of three "
        "neurons, named by their trained time constant.",
        f"One record, {100 * float(accuracy):.1f} % of its steps labelled rightly; time constants "
        f"of the adaptations shown: {', '.join(durations)}.",
        exhibits="ecg",
    )


def _voltage(ax: Axes, seconds: NDArray, voltage: NDArray) -> None:
    for lead, values in enumerate(voltage.T):
        colour = (fg.INK, fg.GREY)[lead]
        ax.plot(seconds, values, color=colour, linewidth=1, label=f"lead {lead + 1}")
    ax.set_ylabel("voltage, mV")
    # Fixed now, or the labels would be placed by old limits.
    ax.set_ylim(*ax.get_ylim())
    fg.label_ends(ax, gap=0.12)


def _labels(ax: Axes, seconds: NDArray, series: list[NDArray]) -> None:
    for row, labels in enumerate(series):
        for wave, name in enumerate(WAVES):
            inside = labels == wave
            inside[1:] |= inside[:-1]  # up to where the next one begins
            ax.fill_between(
                seconds, row - 0.4, row + 0.4, where=inside, color=WAVE_COLOURS[wave],
                linewidth=0, step="post", label="" if row else name,
            )  # fmt: skip
    ax.set_ylim(1.6, -0.6)
    ax.set_yticks([0, 1], ["true", "network"])


def worth(metrics: Table) -> fg.Plate:
    """Test accuracy of every network, time constants trained or fixed, and of the controls."""
    plate, (ax,) = fg.row_of_panels(4.2, width=6.4)
    shown, words = [], []
    for experiment, variant, name in NETWORKS:
        rows = where(
            metrics, experiment=experiment, variant=variant, metric="accuracy",
            perturbation="none", engine="jax" if variant in IN_JAX else "brian2",
        )  # fmt: skip
        if rows.empty:
            continue
        kind = 2 if variant in IN_JAX else int("fixed" in name)
        place, colour = len(shown), fg.PALETTE[kind]
        per_seed = rows.groupby("seed")["value"].mean()
        ax.plot(per_seed, np.full(len(per_seed), place), color=colour, marker="|", markersize=9,
                linestyle="none")  # fmt: skip
        mean: Any = fg.over_seeds(rows, ["metric"]).iloc[0]
        if np.isfinite(mean["low"]):
            ax.plot([mean["low"], mean["high"]], [place, place], color=colour, linewidth=1.2)
        ax.plot(mean["mean"], place, color=colour, marker=fg.MARKERS[kind], markersize=6)
        words.append(f"{name}: {mean['mean']:.3f}")
        shown.append(name)
    if not shown:
        raise fg.NotMeasuredError("No network was evaluated.")
    ax.set_yticks(range(len(shown)), shown)
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    ax.set_xlabel("share of steps labelled rightly, test records")
    return plate.says(
        "What training the time constants is worth: every network at its own best learning rate "
        "(chosen on validation records); the authors' own plain neuron; recurrent networks of "
        "equal size; feed-forward units on fixed traces of the events. Strokes: seeds; bars: 95 % "
        "t intervals.",
        "; ".join(words) + ".",
        experiment="ecg",
    )


def formula(arrays: Mapping[str, NDArray], metrics: Table) -> fg.Plate:
    """Does a hundredfold saving follow from the papers' formula?"""
    units, ratio, rates, measured = fg.need(
        arrays, "units", "ratio", "rates", "measured", of="formula"
    )
    plate, (ax,) = fg.row_of_panels(3.1, width=5.6)
    for index, (rate, values) in enumerate(zip(rates, ratio, strict=True)):
        ax.plot(units, values, color=fg.PALETTE[index], label=f"{rate:g} spikes per step")
    n, rate, own = (float(value) for value in measured)
    ecg = where(
        metrics, experiment="ecg", variant="spiking", metric="energy_ratio_published",
        perturbation="none",
    )["value"]  # fmt: skip
    ax.plot(n, own, color=fg.INK, marker="D", markersize=7, linestyle="none",
            label=f"this network: {rate:.2f} spikes per step")  # fmt: skip
    ax.axhline(100, color=fg.INK, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set(xlabel="units per layer", ylabel="energy of an LSTM\nover that of spikes")
    fg.legend_below(plate, [ax])
    reached = [
        f"{r:g} spikes per step: {units[np.argmax(v >= 100)]} units" if (v >= 100).any()
        else f"{r:g} spikes per step: not up to {units[-1]} units"
        for r, v in zip(rates, ratio, strict=True)
    ]  # fmt: skip
    return plate.says(
        "The papers' own formula, which counts operations and no memory, for two layers at the "
        "input rate of the spoken digits, of other sizes and rates. Dotted: a hundredfold saving. "
        "The formula charges each neuron for its updates, so that small layers save less: one of "
        "36 units with four inputs and six classes, as for ECG, cannot save more than 84.5 times, "
        "even without a spike.",
        f"At {n:.0f} units and {rate:.3f} spikes per step the ratio is {own:.1f}; 100 is reached "
        "with "
        + "; ".join(reached) + ("" if ecg.empty else f". ECG: {ecg.mean():.1f}") + ".",
        exhibits="spoken",
    )  # fmt: skip
