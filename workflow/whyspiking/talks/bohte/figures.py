"""Figures of the talk: one record through the network, and accuracy of all networks.

Exhibits read (`exhibits.npz` of `ecg`) are described in `exhibits.py`.
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
COLOURS = (fg.BLUE, fg.RED, fg.PURPLE)
WAVES = ("P", "PQ", "QR", "RS", "ST", "TP")
WAVE_COLOURS = fg.PALETTE
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
    }


def one_record(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Events, labels, hidden spikes and adaptation of one test record."""
    names = ("events", "labels", "choices", "spikes", "eta", "eta_tau_ms", "step_ms", "accuracy")
    events, *series, spikes, eta, taus, step, accuracy = fg.need(arrays, *names, of="record")
    first, stop = (int(at / step) for at in SHOWN_MS)
    seen = np.arange(first, min(stop, len(spikes)))
    seconds = seen * float(step) / 1000
    plate = fg.Plate(5.2)
    axes = plate.panels(4, 1, sharex=True, height_ratios=[0.7, 0.55, 1.4, 1.1])[:, 0]
    axes[0].set_xlim(seconds[0], seconds[-1])
    when, channel = np.nonzero(events[seen])
    fg.raster(axes[0], seconds[when], channel)
    axes[0].set(ylim=(events.shape[1] - 0.4, -0.6), ylabel="events")
    axes[0].set_yticks(range(events.shape[1]), ["1 up", "1 down", "2 up", "2 down"])
    _labels(axes[1], seconds, [one[seen] for one in series])
    when, neuron = np.nonzero(spikes[seen])
    fg.raster(axes[2], seconds[when], neuron, colours=fg.GREY)
    axes[2].set(ylim=(-1, spikes.shape[1]), ylabel="hidden neuron")
    durations = [f"{tau / 1000:.1f} s" if tau >= 1000 else f"{tau:.0f} ms" for tau in taus]
    for values, colour, label in zip(eta[seen].T, COLOURS, durations, strict=True):
        axes[3].plot(seconds, values, color=colour, linewidth=1.2, label=label)
    axes[3].set(ylabel="adaptation η", xlabel="time, s", ylim=(0, axes[3].get_ylim()[1]))
    fg.label_ends(axes[3], gap=0.2)
    fg.legend_below(plate, [axes[1]])
    return plate.says(
        "A test record that is labelled about as well as the median one, in Brian2. From above: "
        "the events made of two leads, true and chosen labels (white: nobody labelled), hidden "
        "spikes, and the adaptation of three neurons, named by their trained time constant.",
        f"One record, {100 * float(accuracy):.1f} % of its steps labelled rightly; time constants "
        f"of the adaptations shown: {', '.join(durations)}.",
        exhibits="ecg",
    )


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
        if np.isfinite(mean["ci_low"]):
            ax.plot([mean["ci_low"], mean["ci_high"]], [place, place], color=colour, linewidth=1.2)
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
