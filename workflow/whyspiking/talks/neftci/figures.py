"""Signature figures: one digit, learning curves, alignment, layers, memory, a device's life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    GREY,
    PALETTE,
    RED,
    NotMeasuredError,
    Plate,
    label_ends,
    legend_below,
    line_with_interval,
    need,
    over_seeds,
    raster,
    row_of_panels,
)
from whyspiking.records.tables import Table, where
from whyspiking.talks.neftci import figures_lessons

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

LEG_MS = 105
RULES = {
    ("nmnist", "spiking"): "local, every step",
    ("budgets", "batched"): "local, once per batch",
    ("budgets", "spiking"): "back-propagation",
    ("sparse", "spiking"): "local, target rate",
}
STAGES = {
    "accuracy_designed": "as designed",
    "accuracy_built": "as built",
    "accuracy_relearned": "relearned",
}
N_LAYERS = 3


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "one digit": lambda: one_digit(results.exhibit("sparse")),
        "learning": lambda: learning(results.history),
        "alignment": lambda: alignment(results.history),
        "layers": lambda: layers(results.metrics),
        "memory": lambda: memory(results.history),
        "device": lambda: device(results.metrics),
        "lessons": lambda: figures_lessons.lessons(results.history, results.metrics),
        "finer steps": lambda: figures_lessons.steps(results.history, results.metrics),
        "convolution": lambda: figures_lessons.convolution(results.metrics),
        "time series": lambda: series(results.exhibit("regression"), results.history),
    }


def one_digit(arrays: Mapping[str, NDArray]) -> Plate:
    """What the camera sends in each saccade, what the layers make of it, how they decide."""
    names = ("input_t_ms", "input_x", "input_y", "input_on", "target", "dt_ms")
    t, x, y, on, target, dt = need(arrays, *names, of="digit")
    spikes = [need(arrays, f"digit.layer{k}_t_ms", f"digit.layer{k}_unit") for k in (1, 2, 3)]
    (readout,) = need(arrays, "digit.readout3")
    side = int(max(x.max(), y.max())) + 1
    plate = Plate(4.6)
    grid = plate.add_gridspec(3, 4, width_ratios=[1, 1.15, 1.15, 1.15])
    for leg in range(3):
        ax = plate.add_subplot(grid[leg, 0])
        here = (t >= leg * LEG_MS) & (t < (leg + 1) * LEG_MS)
        image = np.zeros((side, side))
        np.add.at(image, (y[here], x[here]), np.where(on[here], 1, -1))
        limit = max(1.0, float(np.abs(image).max()))
        ax.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_ylabel(f"{leg * LEG_MS}–{(leg + 1) * LEG_MS} ms")
        if leg == 0:
            ax.set_title("ON less OFF")
    top = plate.add_subplot(grid[:2, 1:])
    offset, ticks = 0, []
    for index, (times, units) in enumerate(spikes):
        n = int(units.max()) + 1 if units.size else 1
        raster(top, times, units + offset, colours=PALETTE[index], height=1.0)
        ticks.append(offset + n / 2)
        offset += n + 8
    top.set_yticks(ticks, [f"layer {k}" for k in (1, 2, 3)])
    top.set(ylim=(-4, offset), title="spikes of the three layers")
    bottom = plate.add_subplot(grid[2, 1:], sharex=top)
    steps = np.arange(len(readout))
    lead = np.cumsum(readout.argmax(axis=1)[:, None] == np.arange(readout.shape[1]), axis=0)
    for k in range(readout.shape[1]):
        chosen = k == int(target)
        bottom.plot(
            steps * float(dt), lead[:, k], color=RED if chosen else GREY,
            linewidth=1.8 if chosen else 0.8,
        )  # fmt: skip
    bottom.set(xlabel="time, ms", ylabel="votes", xlim=(0, 3 * LEG_MS))
    top.tick_params(labelbottom=False)
    counts = ", ".join(str(times.size) for times, _ in spikes)
    return plate.says(
        "One validation digit. Left: events in each of the three saccades. Right: spikes in "
        "Brian2 of the network with a target rate, and the votes of its last readout, one per "
        "step, for the right class (red) and the others; votes of the burn-in (60 ms) are drawn, "
        "but do not count.",
        f"Digit {int(target)}: {t.size} events, {counts} spikes in layers 1 to 3; the right class "
        f"ends with {int(lead[-1, int(target)])} of {len(readout)} votes.",
        exhibits="sparse",
    )


def learning(history: Table) -> Plate:
    """Validation accuracy against samples and against updates."""
    plate, (left, right) = row_of_panels(3.1, 2)
    words = []
    for index, ((experiment, variant), label) in enumerate(RULES.items()):
        rows = where(history, experiment=experiment, variant=variant)
        points = _by_epoch(rows, "validation_accuracy")
        samples, updates = (_by_epoch(rows, axis)["mean"] for axis in ("samples", "updates"))
        if points.empty or samples.empty:
            continue
        for ax, places in ((left, samples), (right, updates)):
            line_with_interval(ax, places, points, index=index, label=label)
        words.append(f"{label} ends at {points['mean'].iloc[-1]:.3f}")
    if not words:
        raise NotMeasuredError("No history of training was recorded.")
    left.set_xlabel("training digits seen")
    right.set(xlabel="updates of the weights", xscale="log")
    right.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    right.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in "25" else "")
    left.set(ylabel="validation accuracy, last layer", title="equal samples")
    right.set_title("the same against updates")
    legend_below(plate, [left, right])
    return plate.says(
        "Learning curves of the same network under each rule, same optimiser, learning rate of "
        "each chosen on validation digits. Bands: pointwise 95 % t intervals over seeds.",
        "; ".join(words) + ".",
        "history.csv",
    )


def alignment(history: Table) -> Plate:
    """Cosine of the local gradients with back-propagation over training, layer by layer."""
    rows = where(history, experiment="nmnist", variant="spiking")
    plate, (left, right) = row_of_panels(2.8, 2, sharey=True)
    words = []
    places = {f"alignment_layer{k}": f"layer {k}" for k in range(1, N_LAYERS + 1)}
    for index, (metric, label) in enumerate(places.items()):
        said = []
        for ax, ending in ((left, ""), (right, "_permuted")):
            points = _by_epoch(rows, metric + ending)
            if points.empty:
                raise NotMeasuredError("No alignment was recorded.")
            line_with_interval(ax, points["epoch"], points, index=index, label=label)
            said.append(f"{points['mean'].iloc[0]:.2f} to {points['mean'].iloc[-1]:.2f}")
        words.append(f"{label}: {said[0]}, null {said[1]}")
    for ax, title in ((left, "the digits' own labels"), (right, "labels permuted (null)")):
        ax.axhline(0, color=GREY, linewidth=0.8)
        ax.set(ylim=(-1.05, 1.05), xlabel="epoch", title=title)
    left.set_ylabel("cosine with back-propagation")
    legend_below(plate, [left, right])
    return plate.says(
        "Cosine of what the local rule sums up over a trial with the gradient of the last layer's "
        "loss through all layers and steps, same network, same training digits, before the "
        "optimiser. Lower layers follow losses of their own. Bands: pointwise 95 % t intervals "
        "over seeds.",
        "From start to end of training. " + "; ".join(words) + ".",
        "history.csv",
        "nmnist",
    )


def layers(metrics: Table) -> Plate:
    """Accuracy of the readout of each layer, and activity of each layer."""
    plate, (left, right) = row_of_panels(2.8, 2)
    words = []
    for index, ((experiment, variant), label) in enumerate(RULES.items()):
        said = []
        for ax, metric in ((left, "accuracy_layer"), (right, "activity_layer")):
            rows = where(
                metrics, experiment=experiment, variant=variant, engine="brian2",
                perturbation="none", metric=[f"{metric}{k}" for k in range(1, N_LAYERS + 1)],
            )  # fmt: skip
            if rows.empty:
                continue
            table = rows.assign(layer=rows["metric"].str[-1].astype(int))
            points = over_seeds(table, ["layer"])
            line_with_interval(ax, points["layer"], points, index=index, label=label)
            said.append(" / ".join(f"{value:.3f}" for value in points["mean"]))
        if said:
            words.append(
                f"{label}: accuracy {said[0]}" + (f", activity {said[1]}" if said[1:] else "")
            )
    if not words:
        raise NotMeasuredError("No accuracy per layer was measured.")
    left.set_ylabel("test accuracy of the readout")
    right.set(ylabel="spikes per neuron and step", ylim=(0, None))
    for ax in (left, right):
        ax.set_xlabel("layer")
        ax.set_xticks(range(1, N_LAYERS + 1))
    legend_below(plate, [left, right])
    return plate.says(
        "Readouts of all layers in Brian2. Back-propagation trains the last readout only, so its "
        "lower ones say little. Intervals: 95 % t intervals over seeds.",
        "Layers 1 to 3. " + "; ".join(words) + ".",
    )


def memory(history: Table) -> Plate:
    """Buffers of the compiled training step against the length of a trial."""
    plate, (ax,) = row_of_panels(2.7, width=5.0)
    words: list[str] = []
    steps = (0, 0)
    labels = {"memory_local": "local", "memory_end_to_end": "back-propagation"}
    for index, (metric, label) in enumerate(labels.items()):
        rows = where(history, experiment="memory", metric=metric)
        if rows.empty:
            raise NotMeasuredError("The memory of a training step was not measured.")
        points = over_seeds(rows.assign(value=rows["value"] / 1e6), ["epoch"])
        line_with_interval(ax, points["epoch"], points, index=index, label=label)
        first, last = points["mean"].iloc[0], points["mean"].iloc[-1]
        words.append(f"{label} from {first:.2f} to {last:.2f} MB")
        steps = int(points["epoch"].iloc[0]), int(points["epoch"].iloc[-1])
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set(xlabel="steps per trial", ylabel="buffers of a training step, MB")
    label_ends(ax)
    return plate.says(
        "Temporary memory of the compiled training step for one batch; input and weights, which "
        "both rules need, are not counted.",
        f"From {steps[0]} to {steps[1]} steps per trial: " + "; ".join(words) + ".",
        "history.csv",
        "memory",
    )


def device(metrics: Table) -> Plate:
    """Accuracy of devices before and after learning against how much neurons deviate."""
    rows: Table = where(metrics, experiment="mismatch", perturbation="device", metric=[*STAGES])
    if rows.empty:
        raise NotMeasuredError("No device was simulated.")
    plate, (ax,) = row_of_panels(2.9, width=5.4)
    for index, (metric, label) in enumerate(STAGES.items()):
        points = over_seeds(rows[rows["metric"] == metric], ["strength"])
        line_with_interval(ax, 100 * points["strength"], points, index=index, label=label)
    ax.set(xlabel="sd of thresholds and time constants, %", ylabel="test accuracy")
    label_ends(ax)
    words = []
    for level, group in rows.groupby("strength"):
        mean = group.groupby("metric")["value"].mean()
        words.append(
            f"{100 * float(level):.0f} %: " + ", ".join(
                f"{label} {mean[metric]:.3f}" for metric, label in STAGES.items() if metric in mean
            )
        )  # fmt: skip
    return plate.says(
        "Devices whose neurons deviate, in Brian2: the same test digits before the deviations, "
        "with them, and after learning online on training digits with them; 0 %: the same lesson "
        "without deviations, the control. Bands: 95 % t intervals over seeds.",
        "; ".join(words) + ".",
        experiment="mismatch",
    )


def series(arrays: Mapping[str, NDArray], history: Table) -> Plate:
    """What three layers make of frozen noise after learning in Brian2, and how they came there."""
    target, output, dt = need(arrays, "series.target", "series.output", "series.dt_ms")
    plate = Plate(2.9)
    grid = plate.add_gridspec(3, 2, width_ratios=[1.6, 1])
    right = plate.add_subplot(grid[:, 1])
    t = np.arange(len(target)) * float(dt)
    words, above = [], None
    for k in range(N_LAYERS):
        ax = plate.add_subplot(grid[k, 0], sharex=above)
        above = ax
        ax.plot(t, target[:, k], color=GREY, linewidth=1.0)
        ax.plot(t, output[:, k], color=PALETTE[k], linewidth=1.2)
        ax.set_ylabel(f"layer {k + 1}")
        ax.tick_params(labelbottom=k == N_LAYERS - 1)
        rows = where(history, experiment="regression", variant="spiking")
        points = _by_epoch(rows, f"nmse_layer{k + 1}")
        if points.empty:
            raise NotMeasuredError("No time series was learned.")
        line_with_interval(right, points["epoch"], points, index=k, label=f"layer {k + 1}")
        first, last = points["mean"].iloc[0], points["mean"].iloc[-1]
        words.append(f"layer {k + 1} from {first:.2f} to {last:.3f}")
    assert above is not None
    above.set_xlabel("time, ms")
    right.set(yscale="log", xlabel="trials", ylabel="squared error / variance")
    label_ends(right)
    return plate.says(
        "Three layers that learn a ramp and sines of 12 and 4 Hz, each by its own loss, while the "
        "same noise enters trial after trial. Left: wanted (grey) and smoothed readouts after "
        "learning, weights fixed. Right: error of the smoothed readout in each trial; bands: "
        "95 % t intervals over seeds.",
        "Error in the first and last trial: " + "; ".join(words) + ".",
        exhibits="regression",
    )


def _by_epoch(rows: Table, metric: str) -> Table:
    return over_seeds(rows[rows["metric"] == metric], ["epoch"])
