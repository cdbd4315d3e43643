"""Figures of the talk: responses of the network to one record, and accuracy of all networks.

The figure data (`figure_data.npz` of `ecg`) are described in `exhibits.py`.
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

WINDOW_MS = (400.0, 2600.0)
COLOURS = (fg.BLUE, fg.RED, fg.PURPLE)
WAVES = ("P", "PQ", "QR", "RS", "ST", "TP")
WAVE_COLOURS = fg.PALETTE
NETWORKS = (
    ("ecg", "spiking", "adaptive, trained τ"),
    ("timescales", "alif_fixed", "adaptive, fixed τ"),
    ("timescales", "lif", "no adaptation, trained τ"),
    ("timescales", "lif_fixed", "no adaptation, fixed τ"),
    ("timescales", "lif_published", "authors' plain neuron"),
    ("published", "spiking", "published recipe, no adaptation, fixed τ"),
    ("published", "adaptive", "published recipe, adaptive, trained τ"),
    ("ecg", "gru", "GRU"),
    ("ecg", "rnn", "tanh units (RNN)"),
    ("ecg", "traces", "fixed input traces"),
    ("ecg", "linear", "linear classifier"),
)
IN_JAX = ("gru", "rnn", "traces", "linear")


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Return the talk's figures by name, in the order of the page."""
    return {
        "one record": lambda: draw_one_record(results.exhibit("ecg")),
        "what it is worth": lambda: draw_accuracies(results.metrics),
    }


def draw_one_record(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw events, labels, hidden spikes and adaptation of one test record."""
    names = ("events", "labels", "choices", "spikes", "eta", "eta_tau_ms", "step_ms", "accuracy")
    events, *series, spikes, eta, taus, step, accuracy = fg.need(arrays, *names, of="record")
    first_step, end_step = (int(edge_ms / step) for edge_ms in WINDOW_MS)
    window_steps = np.arange(first_step, min(end_step, len(spikes)))
    seconds = window_steps * float(step) / 1000
    plate = fg.Plate(5.2)
    axes = plate.panels(4, 1, sharex=True, height_ratios=[0.7, 0.55, 1.4, 1.1])[:, 0]
    axes[0].set_xlim(seconds[0], seconds[-1])
    spike_steps, channel = np.nonzero(events[window_steps])
    fg.raster(axes[0], seconds[spike_steps], channel)
    axes[0].set(ylim=(events.shape[1] - 0.4, -0.6), ylabel="events")
    axes[0].set_yticks(
        range(events.shape[1]), ["lead 1 rises", "lead 1 falls", "lead 2 rises", "lead 2 falls"]
    )
    _draw_labels(axes[1], seconds, [labels[window_steps] for labels in series])
    spike_steps, neuron = np.nonzero(spikes[window_steps])
    fg.raster(axes[2], seconds[spike_steps], neuron, colours=fg.GREY)
    axes[2].set(ylim=(-1, spikes.shape[1]), ylabel="hidden neuron")
    durations = [f"{tau / 1000:.1f} s" if tau >= 1000 else f"{tau:.0f} ms" for tau in taus]
    for values, colour, label in zip(eta[window_steps].T, COLOURS, durations, strict=True):
        axes[3].plot(seconds, values, color=colour, linewidth=1.2, label=label)
    axes[3].set(ylabel="adaptation η", xlabel="time, s", ylim=(0, axes[3].get_ylim()[1]))
    fg.label_ends(axes[3], gap=0.2)
    fg.legend_below(plate, [axes[1]])
    return plate.says(
        "The figure shows an adaptive network of the experiment ecg, which is not the network of "
        "the key claim, on a test record whose accuracy in Brian2 is close to the median. "
        "The panels show, from top to bottom, the events of two leads, the true labels and those "
        "of the network (white: unlabelled), the spikes of the hidden neurons, and the adaptation "
        "of three neurons with their trained time constants.",
        f"One record with an accuracy of {100 * float(accuracy):.1f} % of its steps. The time "
        f"constants of the adaptation shown are {', '.join(durations)}.",
        exhibits="ecg",
    )


def _draw_labels(ax: Axes, seconds: NDArray, series: list[NDArray]) -> None:
    for row, labels in enumerate(series):
        for wave, name in enumerate(WAVES):
            is_wave = labels == wave
            is_wave[1:] |= is_wave[:-1]  # extend each label to the start of the next one
            ax.fill_between(
                seconds, row - 0.4, row + 0.4, where=is_wave, color=WAVE_COLOURS[wave],
                linewidth=0, step="post", label="" if row else name,
            )  # fmt: skip
    ax.set_ylim(1.6, -0.6)
    ax.set_yticks([0, 1], ["true", "network"])


def draw_accuracies(metrics: Table) -> fg.Plate:
    """Draw the test accuracy of networks with trained or fixed time constants and of controls."""
    plate, (ax,) = fg.row_of_panels(4.2, width=6.4)
    names, texts = [], []
    for experiment, variant, name in NETWORKS:
        rows = where(
            metrics, experiment=experiment, variant=variant, metric="accuracy",
            perturbation="none", engine="jax" if variant in IN_JAX else "brian2",
        )  # fmt: skip
        if rows.empty:
            continue
        kind = 2 if variant in IN_JAX else int("fixed" in name)
        i_row, colour = len(names), fg.PALETTE[kind]
        per_seed = rows.groupby("seed")["value"].mean()
        ax.plot(per_seed, np.full(len(per_seed), i_row), color=colour, marker="|", markersize=9,
                linestyle="none")  # fmt: skip
        mean: Any = fg.over_seeds(rows, ["metric"]).iloc[0]
        if np.isfinite(mean["ci_low"]):
            ax.plot([mean["ci_low"], mean["ci_high"]], [i_row, i_row], color=colour, linewidth=1.2)
        ax.plot(mean["mean"], i_row, color=colour, marker=fg.MARKERS[kind], markersize=6)
        texts.append(f"{name}: {mean['mean']:.3f}")
        names.append(name)
    if not names:
        raise fg.NotMeasuredError("No network was evaluated.")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    ax.set_xlabel("accuracy on labelled steps of test records")
    return plate.says(
        "The figure shows the test accuracy of networks with trained or fixed time constants τ, of "
        "networks of the authors' plain neuron, and of non-spiking controls (GRU, tanh units, "
        "units that receive fixed traces of the events, linear classifier). Networks of the "
        "published recipe have the published learning rate. Every other network has its own best "
        "learning rate, chosen on validation records. Strokes are single networks "
        "(seeds), and bars are 95 % t intervals.",
        "; ".join(texts) + ".",
        experiment="ecg",
    )
