"""Figures: one digit, accuracy of each layer, lessons without replay, simulated devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table, where

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

LEG_MS = 105
LAYERS = (1, 2, 3)
RULES = {
    ("nmnist", "spiking"): "local, update per step",
    ("budgets", "batched"): "local, update per batch",
    ("budgets", "spiking"): "backpropagation",
}
STAGES = {
    "accuracy_designed": "as designed",
    "accuracy_built": "as built",
    "accuracy_relearned": "after learning",
}
LESSON = "told_lesson"
LESSON_TITLES = {"spiking": "local learning", "bptt": "backpropagation"}
VARIANT_LABELS = {
    "spiking": "local",
    "batched": "local, update\nper batch",
    "bptt": "back-\npropagation",
    "last_spiking": "local, only\nlast lesson",
    "joint_spiking": "local, lessons\nmixed",
}


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Return the talk's figures by name, in the order in which the page shows them."""
    return {
        "one digit": lambda: one_digit(results.exhibit("nmnist")),
        "layers": lambda: layers(results.metrics),
        "lessons": lambda: lessons(results.history, results.metrics),
        "device": lambda: device(results.metrics),
    }


def one_digit(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw events of each saccade, spikes of all layers, and the votes of the last readout."""
    names = ("input_t_ms", "input_x", "input_y", "input_on", "target", "dt_ms")
    t, x, y, is_on, target, dt = fg.need(arrays, *names, of="digit")
    spikes = [fg.need(arrays, f"digit.layer{k}_t_ms", f"digit.layer{k}_unit") for k in LAYERS]
    (readout,) = fg.need(arrays, "digit.readout3")
    plate = fg.Plate(4.6)
    grid = plate.add_gridspec(3, 4, width_ratios=[1, 1.15, 1.15, 1.15])
    side = int(max(x.max(), y.max())) + 1
    for leg in range(3):
        in_saccade = (t >= leg * LEG_MS) & (t < (leg + 1) * LEG_MS)
        image = np.zeros((side, side))
        np.add.at(image, (y[in_saccade], x[in_saccade]), np.where(is_on[in_saccade], 1, -1))
        _draw_saccade(plate.add_subplot(grid[leg, 0]), leg, image)
    top = plate.add_subplot(grid[:2, 1:])
    _draw_rasters(top, spikes)
    bottom = plate.add_subplot(grid[2, 1:], sharex=top)
    # Every time step votes for the class with the largest readout.
    votes = np.cumsum(readout.argmax(axis=1)[:, None] == np.arange(readout.shape[1]), axis=0)
    for k, class_votes in enumerate(votes.T):
        colour, width = (fg.RED, 1.8) if k == int(target) else (fg.GREY, 0.8)
        bottom.plot(np.arange(len(votes)) * float(dt), class_votes, color=colour, linewidth=width)
    bottom.set(xlabel="time, ms", ylabel="number of votes", xlim=(0, 3 * LEG_MS))
    top.tick_params(labelbottom=False)
    counts = ", ".join(str(times.size) for times, _ in spikes)
    return plate.says(
        "The figure shows one validation digit. Left: events in each of the three saccades. Top "
        "right: spikes, simulated in Brian2, of the network that learned from local losses. Bottom "
        "right: votes of its last readout, one per time step, for the true class (red) and the "
        "other classes (grey). Votes of the burn-in (60 ms) are shown but do not count.",
        f"Digit {int(target)}: {t.size} events, {counts} spikes in layers 1 to 3; the true class "
        f"ends with {int(votes[-1, int(target)])} of {len(votes)} votes.",
        exhibits="nmnist",
    )


def _draw_saccade(ax: Any, leg: int, image: NDArray) -> None:
    """Draw the events of one saccade: ON minus OFF."""
    limit = max(1.0, float(np.abs(image).max()))
    ax.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_ylabel(f"{leg * LEG_MS}–{(leg + 1) * LEG_MS} ms")
    if leg == 0:
        ax.set_title("ON minus OFF")


def _draw_rasters(ax: Any, spikes: list) -> None:
    """Draw the spikes of all layers, one layer above the other."""
    offset, ticks = 0, []
    for index, (times, units) in enumerate(spikes):
        n = int(units.max()) + 1 if units.size else 1
        fg.raster(ax, times, units + offset, colours=fg.PALETTE[index], height=1.0)
        ticks.append(offset + n / 2)
        offset += n + 8
    ax.set_yticks(ticks, [f"layer {k}" for k in LAYERS])
    ax.set(ylim=(-4, offset), title="spikes of the three layers")


def layers(metrics: Table) -> fg.Plate:
    """Draw the accuracy of the readout of each layer, and the activity of each layer."""
    plate, (accuracy_ax, activity_ax) = fg.row_of_panels(2.8, 2)
    layer_texts = []
    for index, ((experiment, variant), label) in enumerate(RULES.items()):
        value_texts = []
        for ax, metric in ((accuracy_ax, "accuracy_layer"), (activity_ax, "activity_layer")):
            rows = where(
                metrics, experiment=experiment, variant=variant, engine="brian2",
                perturbation="none", metric=[f"{metric}{k}" for k in LAYERS],
            )  # fmt: skip
            if rows.empty:
                continue
            table = rows.assign(layer=rows["metric"].str[-1].astype(int))
            points = fg.over_seeds(table, ["layer"])
            fg.line_with_interval(ax, points["layer"], points, index=index, label=label)
            value_texts.append(" / ".join(f"{value:.3f}" for value in points["mean"]))
        if value_texts:
            activity = (
                f", spikes per neuron and time step {value_texts[1]}" if value_texts[1:] else ""
            )
            layer_texts.append(f"{label}: accuracy {value_texts[0]}{activity}")
    if not layer_texts:
        raise fg.NotMeasuredError("No accuracy per layer was measured.")
    accuracy_ax.set_ylabel("test accuracy of the readout")
    activity_ax.set(ylabel="spikes per neuron and step", ylim=(0, None))
    for ax in (accuracy_ax, activity_ax):
        ax.set_xlabel("layer")
        ax.set_xticks(LAYERS)
    fg.legend_below(plate, [accuracy_ax, activity_ax])
    return plate.says(
        "Accuracy of the readout of each layer (left) and activity of each layer (right) on test "
        "digits in Brian2. Backpropagation uses only the loss of the last readout, so the "
        "accuracies of its lower readouts are not meaningful. Intervals are 95 % t intervals over "
        "networks (one per seed).",
        "Values in layers 1 to 3. " + "; ".join(layer_texts) + ".",
    )


def lessons(history: Table, metrics: Table) -> fg.Plate:
    """Draw the accuracy on each lesson after each lesson, and on all lessons at the end."""
    rows = where(history, experiment="continual")
    plate = fg.Plate(3.4)
    grid = plate.add_gridspec(1, 3, width_ratios=[1, 1, 1.5])
    first_ax: Any = None
    for i_column, (variant, title) in enumerate(LESSON_TITLES.items()):
        ax = plate.add_subplot(grid[i_column], sharey=first_ax, sharex=first_ax)
        first_ax = first_ax or ax
        _plot_lessons(ax, where(rows, variant=variant))
        ax.set(xlabel="number of lessons", xlim=(0.5, 5.5), ylim=(0, 1.09))
        ax.set_title(title, pad=9)
        ax.tick_params(labelleft=i_column == 0)
    first_ax.set_ylabel("accuracy, lesson given")
    accuracy_texts = _plot_final_accuracy(plate.add_subplot(grid[2]), metrics)
    return plate.says(
        "The networks learn five lessons with two digits each, one after the other and without "
        "replay. Left and middle: accuracy on held-out digits of each lesson after each number of "
        "lessons; the network is given the two digits of the lesson and chooses between them. "
        "Right: accuracy on all test digits after all lessons, in Brian2, as a choice between the "
        "two digits of the lesson or among all ten digits. The grey lines show the chance level of "
        "a choice between two digits. Intervals are 95 % t intervals over networks (one per seed).",
        "Accuracy after all lessons: " + "; ".join(accuracy_texts) + ".",
        "history.csv",
        "continual",
    )


def _plot_lessons(ax: Any, rows: Table) -> None:
    """Draw one line per lesson, from the end of this lesson on."""
    for k in range(1, 6):
        points = fg.over_seeds(rows[rows["metric"] == f"{LESSON}{k}"], ["epoch"])
        points = points[points["epoch"] >= k]
        if points.empty:
            raise fg.NotMeasuredError("No network for continual learning was measured.")
        fg.line_with_interval(ax, points["epoch"], points, index=k - 1)
        ax.annotate(
            f"{2 * k - 2}, {2 * k - 1}", (k, 1.0), (0, 4), textcoords="offset points",
            ha="center", fontsize=7.5,
        )  # fmt: skip
    ax.axhline(0.5, color=fg.GREY, linewidth=0.8)
    ax.annotate("chance level", (0.6, 0.5), (0, 3), textcoords="offset points", fontsize=7.5)
    ax.set_xticks(range(1, 6))


def _plot_final_accuracy(ax: Any, metrics: Table) -> list[str]:
    """Draw the accuracy of every variant after all lessons; return the numbers as text."""
    accuracy_texts = []
    final_rows = where(metrics, experiment="continual", engine="brian2", perturbation="none")
    for index, (metric, label) in enumerate(
        {"accuracy_told": "two digits", "accuracy": "ten digits"}.items()
    ):
        points = fg.over_seeds(where(final_rows, metric=metric), ["variant"]).set_index("variant")
        if points.empty:
            raise fg.NotMeasuredError("No network for continual learning was measured.")
        for y, variant in enumerate(VARIANT_LABELS):
            if variant not in points.index:
                continue
            mean, low, high = (float(points.loc[variant, k]) for k in ("mean", "ci_low", "ci_high"))
            ax.plot(
                mean, y, color=fg.PALETTE[index], marker="os"[index], linestyle="none",
                label=label if y == 0 else "_",
            )  # fmt: skip
            ax.plot([low, high], [y, y], color=fg.PALETTE[index], linewidth=1.4)
            name = VARIANT_LABELS[variant].replace("-\n", "").replace("\n", " ")
            accuracy_texts.append(f"{name}, {label}: {mean:.3f}")
    ax.axvline(0.5, color=fg.GREY, linewidth=0.8)
    ax.set_yticks(range(len(VARIANT_LABELS)), list(VARIANT_LABELS.values()), fontsize=8)
    ax.set(
        xlim=(0, 1.02), ylim=(len(VARIANT_LABELS) - 0.4, -0.6), xlabel="test accuracy, all lessons"
    )
    ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.17), ncols=2)
    return accuracy_texts


def device(metrics: Table) -> fg.Plate:
    """Draw the accuracy of devices before and after learning against the deviations."""
    rows: Table = where(metrics, experiment="mismatch", perturbation="device", metric=[*STAGES])
    if rows.empty:
        raise fg.NotMeasuredError("No device was simulated.")
    plate, (ax,) = fg.row_of_panels(2.9, width=5.4)
    for index, (metric, label) in enumerate(STAGES.items()):
        points = fg.over_seeds(rows[rows["metric"] == metric], ["strength"])
        fg.line_with_interval(ax, 100 * points["strength"], points, index=index, label=label)
    ax.set(xlabel="SD of thresholds and time constants, %", ylabel="test accuracy")
    fg.label_ends(ax)
    level_texts = []
    for level, group in rows.groupby("strength"):
        mean = group.groupby("metric")["value"].mean()
        stages = [f"{label} {mean[m]:.3f}" for m, label in STAGES.items() if m in mean]
        level_texts.append(f"{100 * float(level):.0f} %: {', '.join(stages)}")
    return plate.says(
        "Accuracy of simulated devices (Brian2) whose thresholds and time constants deviate "
        "randomly from the design, on the same test digits: without deviations (as designed), with "
        "deviations (as built), and with deviations after online learning of training digits. The "
        "devices with a standard deviation (SD) of 0 % are the control: they receive the same "
        "lesson without deviations. Shaded bands are 95 % t intervals over networks (one per "
        "seed).",
        "Accuracy by standard deviation. " + "; ".join(level_texts) + ".",
        experiment="mismatch",
    )
