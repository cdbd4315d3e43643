"""Figures of the spoken words: one word through all layers, accuracy against activity, leaks.

Exhibits read: `words/exhibits.npz`, described in `exhibits_words.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets.speech.voices import WORDS
from whyspiking.plots.figures import (
    BLUE,
    GREY,
    INK,
    RED,
    Plate,
    legend_below,
    need,
    raster,
    row_of_panels,
)
from whyspiking.records.tables import Table, where

FRAME_MS = 10.0
NAMES = {"spiking": "leaky", "if_neuron": "no leak", "sparse": "leaky, spikes have a price"}
COLOURS = {"spiking": BLUE, "if_neuron": GREY, "sparse": RED}
N_LAYERS = 3


def one_word(arrays: Mapping[str, NDArray]) -> Plate:
    """The spectrum of one word and the spikes that it causes in the three layers."""
    mel, target = need(arrays, "word.mel", "word.target")
    layers = need(arrays, *(f"word.layer_{k}" for k in range(N_LAYERS)))
    word = WORDS[int(target)]
    end_s = len(mel) * FRAME_MS / 1000
    plate = Plate(4.6)
    axes = plate.subplots(1 + N_LAYERS, 1, sharex=True, height_ratios=[1.2, 1, 1, 1])
    extent = (0, end_s, 0.5, mel.shape[1] + 0.5)
    picture = axes[0].imshow(mel.T, origin="lower", aspect="auto", cmap="Greys", extent=extent)
    plate.colorbar(picture, ax=list(axes), label="log power, sd", shrink=0.35, anchor=(0, 1))
    axes[0].set_ylabel("mel band")
    shares = []
    for k, (ax, spikes) in enumerate(zip(axes[1:], layers, strict=True)):
        frames, neurons = np.nonzero(spikes)
        raster(ax, frames * FRAME_MS / 1000, neurons, colours=BLUE, height=1.2)
        for line in ax.get_lines():
            line.set_linewidth(1.8)
        ax.set(ylabel=f"layer {k + 1}\nneuron", ylim=(-1, spikes.shape[1]))
        shares.append(f"{100 * spikes.mean():.0f} %")
    axes[-1].set(xlabel="time, s", xlim=(0, end_s))
    return plate.says(
        (
            f"The word “{word}”, spoken by a voice that was left out of training, and its spikes "
            "in Brian2. A frame lasts 10 ms; layers are drawn without their lag of a frame each. "
            f"Share of neurons active in a frame: {', '.join(shares)}."
        ),
        (
            f"Mel spectrum of the word {word} over one second, and below it the spikes of three "
            f"layers of {layers[0].shape[1]} neurons; active are {', '.join(shares)} of neurons "
            "and frames."
        ),
        exhibits="words",
    )


def activity(metrics: Table) -> Plate:
    """Accuracy on test words against the share of active neurons, one dot per network."""
    rows = where(metrics, experiment="words", engine="brian2", perturbation="none")
    plate, (ax,) = row_of_panels(3.0)
    told = []
    for variant, name in NAMES.items():
        score = _of_seeds(rows, variant=variant, metric="accuracy")
        share = 100 * (1 - _of_seeds(rows, variant=variant, metric="activation_sparsity"))
        if not score.size:
            continue
        ax.plot(share, 100 * score, "o", color=COLOURS[variant], label=name)
        told.append(f"{name}: {100 * score.mean():.1f} % right at {share.mean():.1f} % active")
    clean = where(metrics, experiment="words", perturbation="none")
    control = _of_seeds(clean, variant="conv", metric="accuracy")
    if control.size:
        ax.axhline(100 * control.mean(), color=INK, lw=1, ls=":", label="ReLU convolutions")
        told.append(f"ReLU convolutions: {100 * control.mean():.1f} % right")
    ax.axvline(5, color=GREY, lw=1, ls="--", label="5 % (published: less)")
    ax.set_xlim(left=0)
    ax.set(xlabel="neurons active per frame of 10 ms, %", ylabel="accuracy on test words, %")
    legend_below(plate, [ax])
    return plate.says(
        (
            "Accuracy on test words against activity, one dot per trained network, means of seeds: "
            + "; ".join(told)
            + ". Published with Speech Commands: less than 5 % active (dashed)."
        ),
        "Accuracy against activity. " + "; ".join(told) + ".",
        "metrics.csv",
        "words",
    )


def _of_seeds(rows: Table, **places: str) -> NDArray[np.float64]:
    """Values of some rows, lowest seed first."""
    return where(rows, **places).sort_values("seed")["value"].to_numpy()


def leaks(arrays: Mapping[str, NDArray], metrics: Table) -> Plate:
    """What the leak is worth per seed, and the trained leaks of the layers."""
    plate, (left, right) = row_of_panels(2.8, 2, width_ratios=[1, 1.2])
    rows = where(
        metrics, experiment="words", engine="brian2", perturbation="none", metric="accuracy"
    )
    both = [where(rows, variant=v).set_index("seed")["value"] for v in ("if_neuron", "spiking")]
    gains = []
    for seed in sorted(set(both[0].index) & set(both[1].index)):
        pair = [100 * float(values.loc[seed]) for values in both]
        gains.append(pair[1] - pair[0])
        left.plot([0, 1], pair, "o-", color=BLUE, lw=1)
    left.set_xticks([0, 1], ["no leak", "leaky"])
    left.set(xlim=(-0.4, 1.4), ylabel="accuracy on test words, %")
    kept: dict[str, list[NDArray]] = {}
    for key, values in arrays.items():
        if key.startswith("leak."):
            kept.setdefault(key.split(".")[1], []).append(values)
    taus = {v: [-FRAME_MS / np.log(np.clip(x, 1e-3, 0.999)) for x in found]
            for v, found in kept.items()}  # fmt: skip
    for shift, (variant, found) in zip((-0.08, 0.08), taus.items(), strict=False):
        for index, values in enumerate(found):
            right.plot(1 + np.arange(len(values)) + shift, values, "o", color=COLOURS[variant],
                       label=NAMES[variant] if not index else None)  # fmt: skip
    right.axhline(-FRAME_MS / np.log(0.7), color=GREY, lw=1, ls="--", label="before training")
    right.set_xticks([1, 2, 3], ["layer 1", "layer 2", "layer 3"])
    right.set_ylim(bottom=0)
    right.set_ylabel("time constant of the leak, ms")
    legend_below(plate, [right])
    gain = f"{np.mean(gains):.1f}" if gains else "not measured"
    return plate.says(
        (
            "Left: accuracy on test words without and with leak, a line per seed; mean gain "
            f"{gain} points. Right: time constants that the trained leaks stand for, a dot per "
            "seed; dashed: before training."
        ),
        (
            f"Left: accuracy without and with leak for each seed; the mean gain is {gain} points. "
            "Right: trained time constants of the leak in each of the three layers."
        ),
        exhibits="words",
    )
