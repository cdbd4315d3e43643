"""Signature figures: one digit, when decisions fall, what time costs, learning, filters, ties.

Exhibits read: `mnist_strict/exhibits.npz`, described in `exhibits.py`. Figures of the spoken words
are in `audio/figures.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    RED,
    NotMeasuredError,
    Plate,
    heat_map,
    learning_curve,
    legend_below,
    line_with_interval,
    need,
    over_seeds,
    raster,
    row_of_panels,
)
from whyspiking.records.tables import Table, where
from whyspiking.talks.masquelier.audio import figures as audio

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

T_MAX = 256
PUBLISHED = 0.974
"""Abstract of Kheradpisheh & Masquelier 2020, test accuracy on MNIST."""
RELEASED = (0.9669, 0.9623)
"""Test accuracy of the weights released with the published code: ties as hits, ties by potential
(our evaluation of `weights_pretrained.npy`)."""
HITS = "as published:\na tie is a hit"
READOUTS = {"published": HITS, "mnist": HITS, "mnist_strict": "strict:\nties by potential"}
"""Experiment -> how its networks are read out."""
DOTS = {"published": "published recipe, last epoch", "mnist": "improved recipe (ours)"}
"""Experiment -> label of its dots, one a seed; those of mnist_strict are those of mnist."""
RECIPES = {
    "spiking": "improved",
    "no_average": "improved, no mean of weights",
    "gamma3": "improved, margin of 3 ticks",
    "published": "published recipe",
}

DEPTHS = {
    "shallow/spiking": "one hidden layer",
    "deep/spiking": "two hidden layers",
    "deep/first_frozen": "two, the first as drawn",
}
"""Experiment and variant -> label."""
FASHION = {
    "one spike": ("spiking", "brian2", BLUE),
    "ReLU": ("mlp", "jax", GREY),
    "linear": ("linear", "jax", GREY),
}
"""Label -> variant, engine and colour of its dots."""


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "one digit": lambda: one_digit(results.exhibit("mnist_strict")),
        "decisions": lambda: decisions(results.exhibit("mnist_strict")),
        "learning": lambda: learning(results.history),
        "filters": lambda: filters(results.exhibit("mnist_strict")),
        "depth": lambda: depth(results.history, results.metrics),
        "ties": lambda: ties(results.metrics, results.exhibit("mnist_strict")),
        "one word": lambda: audio.one_word(results.exhibit("words")),
        "activity": lambda: audio.activity(results.metrics),
        "leaks": lambda: audio.leaks(results.exhibit("words"), results.metrics),
    }


def one_digit(arrays: Mapping[str, NDArray]) -> Plate:
    """All spikes of one image, up to the decision and after it."""
    names = ("image", "target", "input", "hidden", "output")
    image, target, inputs, hidden, output = need(arrays, *names, of="digit")
    first = int(output.min())
    if first >= T_MAX:
        raise NotMeasuredError("No output neuron fires in the example.")
    plate = Plate(4.4)
    grid = plate.add_gridspec(3, 2, width_ratios=[1, 3.4], height_ratios=[1.25, 1.25, 1])
    picture = plate.add_subplot(grid[0, 0])
    picture.imshow(image, cmap="gray_r")
    picture.set_xticks([])
    picture.set_yticks([])
    picture.set_title("image")
    early = plate.add_subplot(grid[1, 0])
    seen = (inputs < first).reshape(image.shape)
    early.imshow(np.where(seen, image, 0), cmap="gray_r", vmin=0, vmax=float(image.max()))
    early.set_xticks([])
    early.set_yticks([])
    early.set_title(f"seen by tick {first}")

    rows = [plate.add_subplot(grid[index, 1]) for index in range(3)]
    counts = []
    for ax, times, label in zip(
        rows[:2], (inputs, hidden), ("pixel", "hidden neuron"), strict=True
    ):
        order = np.argsort(times, kind="stable")
        order = order[times[order] < T_MAX]
        when = times[order]
        before = when < first
        # The last hidden spikes that could cause the decision come a tick before it.
        raster(ax, when[before], np.flatnonzero(before), colours=BLUE, height=2.4)
        raster(ax, when[~before], np.flatnonzero(~before), colours=GREY, height=2.4)
        ax.set(ylabel=f"{label}\n(sorted)", ylim=(-3, max(order.size, 1) + 3))
        ax.tick_params(labelbottom=False)
        counts.append((int(before.sum()), order.size))
    raster(
        rows[2], output[output < T_MAX], np.flatnonzero(output < T_MAX), colours=GREY, height=0.8
    )
    winners = np.flatnonzero(output == first)
    raster(rows[2], np.full(winners.size, first), winners, colours=RED, height=0.9)
    for ax, width in zip(rows, (1.0, 1.2, 2.2), strict=True):
        for line in ax.get_lines():
            line.set_linewidth(width)
    rows[2].set_ylabel("output\n(class)")
    rows[2].set_yticks(range(0, output.size, 3))
    rows[2].set(ylim=(-0.8, output.size - 0.2), xlabel="time, ticks")
    for ax in rows:
        ax.axvline(first, color=RED, linewidth=0.9, linestyle=":")
        ax.set_xlim(-2, T_MAX)
    rows[0].annotate(
        "decision", (first, 0.9), (5, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", fontsize=8.5, va="center",
    )  # fmt: skip
    (n_in, all_in), (n_hidden, all_hidden) = counts
    return plate.says(
        "One image through the network, spikes from Brian2. Blue: spikes before the decision, "
        "grey: those that come too late for it. Bottom: outputs, the deciding spike in red.",
        f"Class {int(target)}: output {' and '.join(map(str, winners))} fires first, at tick "
        f"{first} of {T_MAX}, after {n_in} of {all_in} input spikes and {n_hidden} of "
        f"{all_hidden} hidden spikes ({hidden.size} hidden neurons).",
        exhibits="mnist_strict",
    )


def decisions(arrays: Mapping[str, NDArray]) -> Plate:
    """When decisions fall, and what a decision forced earlier is worth."""
    edges, ticks = need(arrays, "decided.tick", "forced.tick")
    shares, accuracy = (_seeds(arrays, key) for key in ("decided.share", "forced.accuracy"))
    plate, (left, right) = row_of_panels(2.9, 2)
    mean = over_seeds(shares, ["index"])["mean"].to_numpy()
    left.bar(edges[:-1], 100 * mean, width=np.diff(edges), align="edge", color=BLUE, linewidth=0)
    left.set(xlabel="tick of the decision", ylabel="share of images, %")
    left.set_title("when the first output fires")
    points = over_seeds(accuracy, ["index"])
    line_with_interval(right, ticks, points, markers=False)
    right.set(xlabel="tick at which a decision is forced", ylabel="accuracy", ylim=(0, 1.02))
    right.set_title("what an earlier answer is worth")
    for ax in (left, right):
        ax.set_xlim(0, T_MAX)
        ax.set_xticks(range(0, T_MAX + 1, 64))
    final = float(points["mean"].iloc[-1])
    reached = int(ticks[int(np.argmax(points["mean"].to_numpy() >= 0.95 * final))])
    middle = edges[int(np.searchsorted(np.cumsum(mean), 0.5))]
    return plate.says(
        "Left: tick of the first output spike over 1,000 test images (the last bar: images "
        "without one). Right: accuracy if the network must answer at a tick, by the first spike "
        "where there is one, else by the largest potential. Mean over seeds; band: pointwise 95 % "
        "t interval.",
        f"Half of the decisions have fallen by about tick {int(middle)}; silent images: "
        f"{100 * float(mean[-1]):.1f} %. A forced decision has 95 % of the final accuracy "
        f"({final:.3f}) from tick {reached} of {T_MAX} on.",
        exhibits="mnist_strict",
    )


def learning(history: Table) -> Plate:
    """Validation accuracy against epoch for the recipe and its ablations."""
    rows = history[history["experiment"] == "recipe"]
    plate, (left, right) = row_of_panels(3.1, 2)
    said = learning_curve(left, rows, metric="validation_accuracy", labels=RECIPES)
    lowest = 0.90
    left.set_ylim(min(lowest, _floor(rows, "validation_accuracy")), 1.0)
    left.set(ylabel="validation accuracy", title="ties by potential")
    learning_curve(right, rows, metric="decision_tick", labels=RECIPES)
    right.set(ylim=(0, None), ylabel="mean tick of the decision", title="decisions move forward")
    for line in (*left.get_lines(), *right.get_lines()):
        line.set_linewidth(1.2)
    legend_below(plate, [left, right])
    return plate.says(
        "Learning curves of the experiment on recipes, which holds validation images out; epochs "
        "on a logarithmic axis. Without the running mean the weights jump with every image that is "
        "not right with margin. Bands: pointwise 95 % t intervals over seeds, where there are "
        "several.",
        said + ".",
        "history.csv",
    )


def _floor(rows: Table, metric: str) -> float:
    """A lower limit that shows the second half of every curve."""
    late = rows[(rows["metric"] == metric) & (rows["epoch"] > rows["epoch"].max() / 2)]
    return float(np.floor(50 * late["value"].min()) / 50) if len(late) else 1.0


def filters(arrays: Mapping[str, NDArray]) -> Plate:
    """Input weights of hidden neurons that fire on about half of the images."""
    (weights,) = need(arrays, "filters.weights")
    plate = Plate(1.95)
    limit = float(np.percentile(np.abs(weights), 99.5))
    columns = 8
    axes = plate.panels(-(-len(weights) // columns), columns)
    for ax in axes.ravel():
        ax.set_axis_off()
    for ax, image in zip(axes.ravel(), weights, strict=False):
        heat_map(ax, image, -limit, limit, "RdBu_r")
    bar = plate.colorbar(axes[0, 0].collections[0], ax=axes, aspect=18, label="weight\n(θ = 100)")
    bar.outline.set_visible(False)
    positive = float((weights > 0).mean())
    return plate.says(
        "Input weights of the hidden neurons that fire before the decision on nearly half of the "
        "images, as images: red pixels bring their spike forward, blue ones hold it back.",
        f"{len(weights)} weight images; {100 * positive:.0f} % of the weights are positive, the "
        f"middle 99 % lie within {limit:.0f} of zero.",
        exhibits="mnist_strict",
    )


def ties(metrics: Table, arrays: Mapping[str, NDArray]) -> Plate:
    """Test accuracy of both recipes by both readouts, beside the published and the released one."""
    import seaborn

    rows = where(
        metrics, metric="accuracy", engine="brian2", perturbation="none", variant="spiking",
        experiment=list(READOUTS),
    )  # fmt: skip
    if rows.empty:
        raise NotMeasuredError("No accuracy in Brian2 was measured.")
    recipe = [DOTS.get(str(name), DOTS["mnist"]) for name in rows["experiment"]]
    shown = pd.DataFrame(
        {
            "readout": rows["experiment"].map(READOUTS),
            "recipe": recipe,
            "accuracy": 100 * rows["value"],
        }
    )
    order = list(dict.fromkeys(READOUTS.values()))
    plate, (ax,) = row_of_panels(2.9)
    seaborn.stripplot(
        data=shown, x="readout", y="accuracy", hue="recipe", order=order,
        hue_order=list(DOTS.values()), palette=[GREEN, BLUE], dodge=True, ax=ax, size=6,
        jitter=False,
    )  # fmt: skip
    ax.plot([0.35], [100 * PUBLISHED], "D", color=RED, label="paper (best epoch on test images)")
    ax.plot(
        [0.35, 1.35], 100 * np.array(RELEASED), "s", color=INK, markerfacecolor="none",
        label="released weights",
    )  # fmt: skip
    ax.set(xlim=(-0.5, 1.6), xlabel="", ylabel="test accuracy, %")
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    if (own := ax.get_legend()) is not None:
        own.remove()
    ax.legend(handles.values(), handles.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5))
    means = shown.groupby(["recipe", "readout"])["accuracy"].mean()
    share = [float(v) for k, v in arrays.items() if k.startswith("ties.share.")]
    equal = [float(v) for k, v in arrays.items() if k.startswith("parity.times.")]
    words = [
        f"{own}, {name.replace(chr(10), ' ')}: {means[own, name]:.2f} %"
        for own in DOTS.values()
        for name in order
        if (own, name) in means
    ]
    extra = ""
    if share and equal:
        extra = (
            f" {100 * np.mean(share):.1f} % of 1,000 test images tie; "
            f"{100 * np.mean(equal):.4g} % of all spikes fall on the same tick in Brian2 and in "
            "the kernel."
        )
    return plate.says(
        "Networks read out by two rules, in Brian2, one dot a seed. The published rule counts an "
        "image as right if the true class is among those that fire first.",
        "; ".join(words) + f"; published {100 * PUBLISHED:.1f} %, released weights "
        f"{100 * RELEASED[0]:.1f} % and {100 * RELEASED[1]:.1f} %." + extra,
        "metrics.csv",
    )


def depth(history: Table, metrics: Table) -> Plate:
    """What a second hidden layer is worth, and a second set of images."""
    rows = history[history["experiment"].isin(["shallow", "deep"])]
    rows = rows[rows["metric"] == "validation_accuracy"].copy()
    if rows.empty:
        raise NotMeasuredError("No network of two hidden layers was trained.")
    rows["variant"] = rows["experiment"] + "/" + rows["variant"]
    plate, (left, right) = row_of_panels(3.1, 2, width_ratios=[1.1, 1])
    said = learning_curve(left, rows, metric="validation_accuracy", labels=DEPTHS, log_epochs=False)
    left.set(ylim=(0, 1), ylabel="validation accuracy", title="MNIST: one and two hidden layers")
    told = []
    for place, (name, (variant, engine, colour)) in enumerate(FASHION.items()):
        found = where(
            metrics, experiment="fashion", variant=variant, engine=engine, metric="accuracy",
            perturbation="none",
        )  # fmt: skip
        if found.empty:
            continue
        values = 100 * found["value"].to_numpy()
        right.plot(np.full(values.size, place), values, "o", color=colour)
        right.annotate(
            f"{values.mean():.1f} %", (place, values.mean()), (8, 0), textcoords="offset points",
            fontsize=8.5, va="center",
        )  # fmt: skip
        told.append(f"{name}: {values.mean():.1f} %")
    right.set_xticks(range(len(FASHION)), list(FASHION))
    right.set(xlim=(-0.5, len(FASHION) - 0.3), ylabel="test accuracy, %", title="Fashion-MNIST")
    if not told:
        right.set_axis_off()
        right.text(0.5, 0.5, "Fashion-MNIST was not there", ha="center", transform=right.transAxes)
    legend_below(plate, [left])
    return plate.says(
        "Left: validation accuracy (ties by potential) of networks with one and two hidden layers, "
        "as many weights and presentations, each at its own learning rate; bands: pointwise 95 % t "
        "intervals over seeds. Right: test accuracy on Fashion-MNIST, a dot per seed.",
        f"{said}. Fashion-MNIST: {'; '.join(told) or 'not measured'}.",
        "history.csv",
    )


def _seeds(arrays: Mapping[str, NDArray], key: str) -> Table:
    """Curves `<key>.<seed>` as a long table with the columns index, seed, value."""
    tables = [
        pd.DataFrame(
            {"index": np.arange(len(values)), "seed": name.rpartition(".")[2], "value": values}
        )
        for name, values in arrays.items()
        if name.startswith(f"{key}.")
    ]
    if not tables:
        raise NotMeasuredError(f"What it shows is left out at this scale (exhibit {key}).")
    return pd.concat(tables, ignore_index=True)
