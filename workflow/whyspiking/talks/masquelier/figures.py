"""Figures: spikes for one digit, accuracy by readout, accuracy on words against activity.

Exhibits read: `published/figure_data.npz`, described in `exhibits.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from whyspiking.contract.types import Results
from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table, where

T_MAX = 256
PUBLISHED = 0.974
"""Abstract of Kheradpisheh & Masquelier 2020, test accuracy on MNIST."""
RELEASED = (0.9669, 0.9623)
"""Test accuracy of the weights released with the published code: ties as hits, ties by potential
(our evaluation of `weights_pretrained.npy`)."""
HITS = "as published:\na tie is correct"
STRICT = "strict:\npotential decides ties"
"""Rules by which networks are read out."""
WORDS = {
    "spiking": ("leaky", fg.BLUE),
    "if_neuron": ("no leak", fg.GREY),
    "sparse": ("leaky, with spike penalty", fg.RED),
}
"""Variant of experiment words -> label and colour of its dots."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "one digit": lambda: one_digit(results.exhibit("published")),
        "ties": lambda: ties(results.metrics, results.exhibit("published")),
        "activity": lambda: activity(results.metrics),
    }


def one_digit(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """All spikes of one image, up to the decision and after it."""
    names = ("image", "target", "input", "hidden", "output")
    image, target, inputs, hidden, output = fg.need(arrays, *names, of="digit")
    first = int(output.min())
    if first >= T_MAX:
        raise fg.NotMeasuredError("No output neuron fires in the example.")
    plate = fg.Plate(4.4)
    grid = plate.add_gridspec(3, 2, width_ratios=[1, 3.4], height_ratios=[1.25, 1.25, 1])
    early = np.where((inputs < first).reshape(image.shape), image, 0)
    for row, (seen, title) in enumerate(((image, "image"), (early, f"pixels before tick {first}"))):
        picture = plate.add_subplot(grid[row, 0])
        picture.imshow(seen, cmap="gray_r", vmin=0, vmax=float(image.max()))
        picture.set(xticks=[], yticks=[], title=title)
    rows = [plate.add_subplot(grid[index, 1]) for index in range(3)]
    n_in, all_in = _sorted_raster(rows[0], inputs, first, "pixel")
    n_hidden, all_hidden = _sorted_raster(rows[1], hidden, first, "hidden neuron")
    fired, winners = np.flatnonzero(output < T_MAX), np.flatnonzero(output == first)
    fg.raster(rows[2], output[fired], fired, colours=fg.GREY, height=0.8)
    fg.raster(rows[2], np.full(winners.size, first), winners, colours=fg.RED, height=0.9)
    rows[2].set(ylabel="output\n(class)", yticks=range(0, output.size, 3))
    rows[2].set(ylim=(-0.8, output.size - 0.2), xlabel="time, ticks")
    for ax, width in zip(rows, (1.0, 1.2, 2.2), strict=True):
        for line in ax.get_lines():
            line.set_linewidth(width)
        ax.axvline(first, color=fg.RED, linewidth=0.9, linestyle=":")
        ax.set_xlim(-2, T_MAX)
    rows[0].annotate(
        "decision", (first, 0.9), (5, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", fontsize=8.5, va="center",
    )  # fmt: skip
    return plate.says(
        "The figure shows the spikes of one network for one image, simulated in Brian2. Spikes in "
        "blue come before the decision, and spikes in grey come too late to influence it. The "
        "bottom panel shows the output neurons, with the deciding spike in red.",
        f"Class {int(target)}: output {' and '.join(map(str, winners))} fires first, at tick "
        f"{first} of {T_MAX}, after {n_in} of {all_in} input spikes and {n_hidden} of "
        f"{all_hidden} hidden spikes ({hidden.size} hidden neurons).",
        exhibits="published",
    )


def _sorted_raster(ax: Axes, times: NDArray, first: int, label: str) -> tuple[int, int]:
    """First spikes in their order, blue before the decision; how many those are, and all."""
    when = np.sort(times[times < T_MAX], kind="stable")
    before = when < first
    # The last hidden spikes that could cause the decision come a tick before it.
    fg.raster(ax, when[before], np.flatnonzero(before), colours=fg.BLUE, height=2.4)
    fg.raster(ax, when[~before], np.flatnonzero(~before), colours=fg.GREY, height=2.4)
    ax.set(ylabel=f"{label}\n(sorted)", ylim=(-3, max(when.size, 1) + 3))
    ax.tick_params(labelbottom=False)
    return int(before.sum()), when.size


def ties(metrics: Table, arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Test accuracy of our networks and of the released one, by both readouts."""
    import seaborn

    scores = 100 * _of_seeds(
        metrics, experiment="published", variant="spiking", metric="accuracy", engine="brian2",
        perturbation="none",
    )  # fmt: skip
    if not scores.size:
        raise fg.NotMeasuredError("No accuracy in Brian2 was measured.")
    shown = pd.DataFrame({"readout": HITS, "accuracy": scores})
    plate, (ax,) = fg.row_of_panels(2.9)
    seaborn.stripplot(
        data=shown, x="readout", y="accuracy", order=[HITS, STRICT], color=fg.GREEN, ax=ax, size=6,
        jitter=False, label="published recipe, last epoch",
    )  # fmt: skip
    label = "paper (best epoch on test images)"
    ax.plot([0.35], [100 * PUBLISHED], "D", color=fg.RED, label=label)
    ax.plot(
        [0.35, 1.35], 100 * np.array(RELEASED), "s", color=fg.INK, markerfacecolor="none",
        label="released weights",
    )  # fmt: skip
    ax.set(xlim=(-0.5, 1.6), xlabel="", ylabel="test accuracy, %")
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.legend(handles.values(), handles.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5))
    words = [
        f"published recipe, scored as published: {scores.mean():.2f} %",
        f"published accuracy: {100 * PUBLISHED:.1f} %",
        "released weights: {:.1f} % and {:.1f} %".format(*100 * np.array(RELEASED)),
    ]
    share = [float(v) for k, v in arrays.items() if k.startswith("ties.share.")]
    tied = f" In {100 * np.mean(share):.1f} % of 1,000 test images outputs tie." if share else ""
    return plate.says(
        "The figure shows the test accuracy of our networks in Brian2 (one dot per network) and of "
        "the released network with two readouts. With the published readout, an image is correct "
        "if its true class is among the outputs that fire first.",
        "; ".join(words) + "." + tied,
        "metrics.csv",
    )


def activity(metrics: Table) -> fg.Plate:
    """Accuracy on test words against the fraction of active neurons, one dot per network."""
    clean = where(metrics, experiment="words", perturbation="none")
    if clean.empty:
        raise fg.NotMeasuredError("No network for spoken words was measured.")
    spiking = where(clean, engine="brian2")
    plate, (ax,) = fg.row_of_panels(3.0)
    words = []
    for variant, (name, colour) in WORDS.items():
        score = _of_seeds(spiking, variant=variant, metric="accuracy")
        share = 100 * (1 - _of_seeds(spiking, variant=variant, metric="activation_sparsity"))
        if score.size:
            ax.plot(share, 100 * score, "o", color=colour, label=name)
            words.append(
                f"{name}: accuracy {100 * score.mean():.1f} %, active {share.mean():.1f} %"
            )
    control = _of_seeds(clean, variant="conv", metric="accuracy")
    if control.size:
        ax.axhline(100 * control.mean(), color=fg.INK, lw=1, ls=":", label="ReLU convolutions")
        words.append(f"ReLU convolutions: accuracy {100 * control.mean():.1f} %")
    ax.axvline(5, color=fg.GREY, lw=1, ls="--", label="5 % (published: less than 5 %)")
    ax.set_xlim(left=0)
    ax.set(xlabel="active neurons per frame of 10 ms, %", ylabel="accuracy on test words, %")
    fg.legend_below(plate, [ax])
    return plate.says(
        "The figure shows the accuracy on test words against the activity, one dot per trained "
        f"network. Means over networks: {'; '.join(words)}. The dashed line marks the published "
        "activity on Speech Commands, which is less than 5 % of the neurons.",
        f"Accuracy against activity. {'; '.join(words)}.",
        "metrics.csv",
        "words",
    )


def _of_seeds(rows: Table, **places: str) -> NDArray[np.float64]:
    """Values of some rows, lowest seed first."""
    return where(rows, **places).sort_values("seed")["value"].to_numpy()
