"""Signature figures of the talk: one record, time constants, what training them is worth, rates.

Exhibits read (`exhibits.npz` of `ecg` and `spoken`) are described in `exhibits.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.declared import registry
from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    PALETTE,
    PURPLE,
    RED,
    NotMeasuredError,
    Plate,
    label_ends,
    learning_curve,
    legend_below,
    need,
    over_seeds,
    raster,
    row_of_panels,
)
from whyspiking.records.tables import Table, where

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from whyspiking.contract.types import Results

SHOWN_MS = (400.0, 2600.0)
WAVES = ("P", "PQ", "QR", "RS", "ST", "TP")
WAVE_COLOURS = (*PALETTE[:5], "#777B82")
VARIANTS = (
    ("ecg", "spiking", "adaptive, trained"),
    ("timescales", "alif_fixed", "adaptive, fixed"),
    ("timescales", "lif", "plain, trained"),
    ("timescales", "lif_fixed", "plain, fixed"),
    ("timescales", "lif_published", "plain, the authors'"),
    ("published_rate", "spiking", "adaptive, trained,\npublished rate"),
    ("published_rate", "alif_fixed", "adaptive, fixed,\npublished rate"),
    ("ecg", "lstm", "LSTM"),
    ("ecg", "gru", "GRU"),
    ("ecg", "rnn", "tanh units"),
    ("ecg", "traces", "fixed traces"),
    ("ecg", "linear", "linear"),
)
PIXELS = (
    ("released_smnist", "spiking", "released by the authors,\n64, 256, 256 units, 200 epochs"),
    ("smnist", "spiking", "adaptive, trained here"),
    ("smnist", "gru", "GRU, as many weights"),
    ("smnist", "traces", "fixed traces"),
    ("smnist", "counts", "linear, ink alone"),
)
VOWELS = (
    ("vowels", "spiking", "adaptive"),
    ("vowels", "lif", "plain"),
    ("vowels", "gru", "GRU, as many units"),
    ("vowels", "counts", "linear, counts alone"),
)
IN_JAX = ("lstm", "gru", "rnn", "traces", "linear", "counts")
PENALTIES = ("spiking", "penalty_0", "penalty_1", "penalty_2")


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "one record": lambda: one_record(results.exhibit("ecg")),
        "time constants": lambda: time_constants(results.exhibit("ecg")),
        "what it is worth": lambda: worth(results.metrics),
        "accuracy and rate": lambda: trade_off(results.metrics),
        "energy by formula": lambda: formula(results.exhibit("spoken"), results.metrics),
        "digits pixel by pixel": lambda: digits(results.metrics),
        "recorded vowels": lambda: vowels(results.metrics),
        "learning": lambda: learning(results.history),
    }


def one_record(arrays: Mapping[str, NDArray]) -> Plate:
    """Voltage, events, labels, hidden spikes and adaptation of one test record."""
    names = ("voltage_mv", "events", "labels", "choices", "spikes", "eta", "eta_tau_ms", "step_ms")
    voltage, events, labels, choices, spikes, eta, taus, step = need(arrays, *names, of="record")
    (accuracy,) = need(arrays, "record.accuracy")
    step_ms = float(step)
    stop = min(SHOWN_MS[1], len(labels) * step_ms)
    seen = np.arange(int(SHOWN_MS[0] / step_ms), int(stop / step_ms))
    seconds = seen * step_ms / 1000
    heights = [1.4, 0.7, 0.55, 1.4, 1.1]
    # The authors' file holds events only.
    known = bool(len(voltage))
    plate = Plate(6.6 if known else 5.2)
    shown = heights if known else heights[1:]
    axes = plate.panels(len(shown), 1, sharex=True, height_ratios=shown)[:, 0]
    axes[0].set_xlim(seconds[0], seconds[-1])
    if known:
        for lead in range(voltage.shape[1]):
            axes[0].plot(seconds, voltage[seen, lead], color=(INK, GREY)[lead], linewidth=1,
                         label=f"lead {lead + 1}")  # fmt: skip
        axes[0].set_ylabel("voltage, mV")
        # Fixed now, or the labels would be placed by old limits.
        axes[0].set_ylim(*axes[0].get_ylim())
        label_ends(axes[0], gap=0.12)
    axes = axes[-4:]
    when, channel = np.nonzero(events[seen])
    raster(axes[0], seconds[when], channel)
    axes[0].set_ylim(events.shape[1] - 0.4, -0.6)
    axes[0].set_yticks(range(events.shape[1]), ["1 up", "1 down", "2 up", "2 down"])
    axes[0].set_ylabel("events")
    for row, series in enumerate((labels, choices)):
        for wave, name in enumerate(WAVES):
            inside = series[seen] == wave
            inside[1:] |= inside[:-1]  # up to where the next one begins
            axes[1].fill_between(
                seconds, row - 0.4, row + 0.4, where=inside, color=WAVE_COLOURS[wave],
                linewidth=0, step="post", label="" if row else name,
            )  # fmt: skip
    axes[1].set_ylim(1.6, -0.6)
    axes[1].set_yticks([0, 1], ["true", "network"])
    when, neuron = np.nonzero(spikes[seen])
    raster(axes[2], seconds[when], neuron, colours=GREY)
    axes[2].set(ylim=(-1, spikes.shape[1]), ylabel="hidden neuron")
    for index, tau in enumerate(taus):
        axes[3].plot(
            seconds, eta[seen, index], color=(BLUE, RED, PURPLE)[index], linewidth=1.2,
            label=_duration(float(tau)),
        )  # fmt: skip
    axes[3].set(ylabel="adaptation η", xlabel="time, s", ylim=(0, axes[3].get_ylim()[1]))
    label_ends(axes[3], gap=0.2)
    legend_below(plate, [axes[1]])
    return plate.says(
        "A test record that is labelled about as well as the median one, in Brian2. From above: "
        + ("the two leads (which the network does not see), " if known else "")
        + "the events made of the two leads, true and "
        "chosen labels (white: nobody labelled), hidden spikes, and the adaptation of three "
        "neurons, named by their trained time constant.",
        f"One record, {100 * float(accuracy):.1f} % of its steps labelled rightly; time constants "
        f"of the adaptations shown: {', '.join(_duration(float(t)) for t in taus)}.",
        exhibits="ecg",
    )


MEMBRANES_MS = ((9.5, 2.0), (20.0, 2.0), (22.0, 2.0))
"""Membrane time constants of cortical cells: mean and sd of each of three types."""


def _within(taus_ms: NDArray, types: Sequence[tuple[float, float]]) -> str:
    """Shares of trained membranes among, below and above those of cortical cells, in words."""
    low, high = types[0][0] - types[0][1], types[-1][0] + types[-1][1]
    below, above = np.mean(taus_ms < low), np.mean(taus_ms > high)
    spread = np.std(np.log10(taus_ms))
    return (
        f"trained membranes: {100 * (1 - below - above):.0f} % from {low:g} to {high:g} ms as "
        f"cortical cells, {100 * below:.0f} % below, {100 * above:.0f} % above; their log10 has a "
        f"standard deviation of {spread:.2f}"
    )


def time_constants(arrays: Mapping[str, NDArray]) -> Plate:
    """Time constants before and after training, membranes beside those of cortical cells."""
    plate, axes = row_of_panels(2.8, 3)
    words = []
    titles = {"mem": "membrane", "adapt": "adaptation", "out": "readout"}
    for ax, (kind, title) in zip(axes, titles.items(), strict=True):
        start, end = need(arrays, f"tau.start.{kind}_ms", f"tau.end.{kind}_ms")
        low = min(start.min(), end.min()) / 1.2
        high = max(start.max(), end.max()) * 1.2
        bins = np.geomspace(low, high, 25)
        ax.hist(end, bins, color=BLUE, alpha=0.75, label="after training")
        ax.hist(start, bins, histtype="step", color=INK, linewidth=1.2, label="before")
        if kind == "mem":
            for k, (mean, sd) in enumerate(MEMBRANES_MS):
                label = "_" if k else "membranes of cortical cells"
                ax.axvspan(mean - sd, mean + sd, color=GREEN, alpha=0.3, linewidth=0, label=label)
            words.append(_within(end, MEMBRANES_MS))
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.xaxis.set_minor_formatter(lambda value, _: "")
        ax.set(title=title, xlabel="time constant, ms")
        words.append(
            f"{title}: median {np.median(start):.0f} ms before, {np.median(end):.0f} ms after "
            f"({np.percentile(end, 10):.0f} to {np.percentile(end, 90):.0f} ms, 10 to 90 %)"
        )
    axes[0].set_ylabel("number of units")
    legend_below(plate, [axes[0]])
    return plate.says(
        "Time constants of all units before and after training, all seeds together, in the "
        "network's own time. Green: membranes of cortical cells, mean ± sd of fast-spiking, other "
        "inhibitory and excitatory ones (Duarte & Morrison 2019, PLoS Computational Biology "
        "15:e1006781, Table 1). Perez-Nieves, Leung & Goodman 2021 (Nature Communications, "
        "abstract) found trained time constants distributed like measured ones. Adaptation of "
        "cortical cells has no single constant: it decays as a power law over more than 20 s "
        "(Pozzorini et al. 2013, Nature Neuroscience 16:942, abstract).",
        "; ".join(words) + ".",
        exhibits="ecg",
    )


def worth(metrics: Table) -> Plate:
    """Test accuracy of every network, time constants trained or fixed."""
    plate, (ax,) = row_of_panels(4.4, width=6.4)
    words = _accuracies(ax, metrics, VARIANTS)
    ax.set_xlabel("share of steps labelled rightly, test records")
    return plate.says(
        "What training the time constants is worth: every network at its own best learning rate "
        "(chosen on validation records), and adaptive neurons at the published one; the authors' "
        "own plain neuron; feed-forward units on fixed traces of the events. Strokes: "
        "seeds; bars: 95 % t intervals.",
        "; ".join(words) + ".",
        experiment="timescales",
    )


def digits(metrics: Table) -> Plate:
    """Test accuracy on digits read pixel by pixel."""
    return _named(
        metrics, PIXELS, "share of test digits read rightly",
        "Digits read pixel by pixel, 784 steps each, one network of each kind. The network that "
        "the authors released (first 1,000 test digits, in Brian2; others: all 10,000); one of 64 "
        "and 128 adaptive neurons, trained here on fewer digits and for a few epochs, with a step "
        "after every 98 pixels; gated units and feed-forward units on fixed traces "
        "of the ink, trained alike; a linear classifier that is told the ink of every channel.",
    )  # fmt: skip


def vowels(metrics: Table) -> Plate:
    """Test accuracy on recorded vowels."""
    return _named(
        metrics, VOWELS, "share of test utterances whose speaker is named",
        "Recorded speech: vowels said by nine men, as events of their cepstral coefficients. Time "
        "is not needed there: the linear classifier is told how many events a channel has. "
        "Strokes: seeds; bars: 95 % t intervals.",
    )  # fmt: skip


def _named(
    metrics: Table, networks: Sequence[tuple[str, str, str]], xlabel: str, caption: str
) -> Plate:
    """Test accuracy of networks, with its number, from 0 to 1."""
    plate, (ax,) = row_of_panels(2.6, width=6.4)
    words = _accuracies(ax, metrics, networks)
    for line in ax.get_lines():
        if line.get_marker() in MARKERS:
            place = line.get_xydata()[0]
            ax.annotate(f"{100 * place[0]:.1f} %", place, (-8, 0), textcoords="offset points",
                        ha="right", va="center")  # fmt: skip
    ax.set(xlabel=xlabel, xlim=(0, 1))
    experiment = networks[-1][0]
    return plate.says(caption, "; ".join(words) + ".", experiment=experiment)


def trade_off(metrics: Table) -> Plate:
    """Accuracy against rate of networks that pay different prices for spikes."""
    rows = where(metrics, experiment="sparse", engine="brian2", perturbation="none")
    prices = registry.load_talk("bohte").experiments["sparse"].published["penalties"]
    plate, (ax,) = row_of_panels(3.0, width=5.2)
    words = []
    for index, variant in enumerate(PENALTIES):
        own = where(rows, variant=variant)
        silent = where(own, metric="activation_sparsity").set_index("seed")["value"]
        score = where(own, metric="accuracy").set_index("seed")["value"]
        if silent.empty:
            continue
        rate = 1 - silent
        name = f"price {prices[index - 1]:g}" if index else "spikes are free"
        ax.plot(rate, score.loc[rate.index], color=PALETTE[index], marker=MARKERS[index],
                linestyle="none", label=name)  # fmt: skip
        words.append(f"{name}: rate {rate.mean():.3f}, accuracy {score.mean():.3f}")
    if not words:
        raise NotMeasuredError("The networks with a price on spikes were not simulated.")
    ax.axvline(0.1, color=INK, linewidth=0.8, linestyle=":")
    ax.set_xlim(left=0)
    ax.set(xlabel="spikes per neuron and step", ylabel="accuracy, test records")
    legend_below(plate, [ax])
    return plate.says(
        "Accuracy against firing rate: networks trained with different prices of spikes, one dot "
        "per seed. Dotted: one spike in ten steps.",
        "; ".join(words) + ".",
        experiment="sparse",
    )


def formula(arrays: Mapping[str, NDArray], metrics: Table) -> Plate:
    """Does a hundredfold saving follow from the papers' formula?"""
    units, ratio, rates, measured = need(
        arrays, "units", "ratio", "rates", "measured", of="formula"
    )
    plate, (ax,) = row_of_panels(3.1, width=5.6)
    for index, (rate, values) in enumerate(zip(rates, ratio, strict=True)):
        ax.plot(units, values, color=PALETTE[index], label=f"{rate:g} spikes per step")
    n, rate, own = (float(value) for value in measured)
    ecg = where(
        metrics, experiment="ecg", variant="spiking", metric="energy_ratio_published",
        perturbation="none",
    )["value"]  # fmt: skip
    ax.plot(n, own, color=INK, marker="D", markersize=7, linestyle="none",
            label=f"this network: {rate:.2f} spikes per step")  # fmt: skip
    ax.axhline(100, color=INK, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set(xlabel="units per layer", ylabel="energy of an LSTM\nover that of spikes")
    legend_below(plate, [ax])
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


def learning(history: Table) -> Plate:
    """Validation accuracy against epoch."""
    plate, (ax,) = row_of_panels(3.0, width=6.0)
    rows = history[history["experiment"].isin(["ecg", "timescales"])]
    labels = {variant: name for _, variant, name in VARIANTS[:4]}
    told = learning_curve(ax, rows, metric="validation_accuracy", labels=labels, log_epochs=False)
    ax.set_ylabel("accuracy,\nvalidation records")
    legend_below(plate, [ax])
    return plate.says(
        "Learning of the spiking networks. Bands: pointwise 95 % t intervals over seeds.",
        told + ".",
        "history.csv",
    )


def _accuracies(ax: Axes, metrics: Table, networks: Sequence[tuple[str, str, str]]) -> list[str]:
    """A row of dots for every network that was evaluated; what they say in words."""
    shown, words = [], []
    for experiment, variant, name in networks:
        engine = "jax" if variant in IN_JAX else "brian2"
        rows = where(
            metrics, experiment=experiment, variant=variant, metric="accuracy",
            perturbation="none", engine=engine,
        )  # fmt: skip
        if rows.empty:
            continue
        place = len(shown)
        kind = 2 if engine == "jax" else int("fixed" in name)
        per_seed = rows.groupby("seed")["value"].mean()
        ax.plot(per_seed, np.full(len(per_seed), place), color=PALETTE[kind], marker="|",
                markersize=9, linestyle="none")  # fmt: skip
        mean = _bar(ax, rows, place, kind)
        words.append(f"{name.replace(chr(10), ' ')}: {mean:.3f}")
        shown.append(name)
    if not shown:
        raise NotMeasuredError("No network was evaluated.")
    ax.set_yticks(range(len(shown)), shown)
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.grid(axis="x", alpha=0.3)
    return words


def _bar(ax: Axes, rows: Table, place: int, kind: int) -> float:
    points: Any = over_seeds(rows, ["metric"]).iloc[0]
    mean, low, high = (float(points[name]) for name in ("mean", "low", "high"))
    if np.isfinite(low):
        ax.plot([low, high], [place, place], color=PALETTE[kind], linewidth=1.2)
    ax.plot(mean, place, color=PALETTE[kind], marker=MARKERS[kind], markersize=6)
    return mean


def _duration(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.0f} ms"
