"""Figures of lessons without replay, of finer steps, and of convolutional layers."""

from __future__ import annotations

from typing import Any

from whyspiking.plots.figures import (
    GREY,
    PALETTE,
    NotMeasuredError,
    Plate,
    label_ends,
    line_with_interval,
    over_seeds,
    row_of_panels,
)
from whyspiking.records.tables import Table, where

LESSON = "told_lesson"
TAUGHT = {
    "spiking": "local",
    "batched": "local, once\nper batch",
    "bptt": "back-\npropagation",
    "last_spiking": "last lesson\nalone",
    "joint_spiking": "local,\nall mixed",
}
STEPS = {"coarse": "15 ms", "fine": "5 ms"}
BY = {"spiking": "local, every step", "bptt": "back-propagation"}


def lessons(history: Table, metrics: Table) -> Plate:
    """What becomes of each lesson as others follow, and what is left of all at the end."""
    rows = where(history, experiment="continual")
    plate = Plate(3.4)
    grid = plate.add_gridspec(1, 3, width_ratios=[1, 1, 1.5])
    words: list[str] = []
    first: Any = None
    for place, variant in enumerate(("spiking", "bptt")):
        ax = plate.add_subplot(grid[place], sharey=first, sharex=first)
        first = first or ax
        _fates(ax, where(rows, variant=variant))
        ax.set(xlabel="lessons so far", xlim=(0.5, 5.5), ylim=(0, 1.09))
        ax.set_title(BY[variant], pad=9)
        ax.tick_params(labelleft=place == 0)
    first.set_ylabel("right, told the pair")
    right = plate.add_subplot(grid[2])
    ends = where(metrics, experiment="continual", engine="brian2", perturbation="none")
    for index, (metric, label) in enumerate(
        {"accuracy_told": "told the pair", "accuracy": "among all ten"}.items()
    ):
        points = over_seeds(where(ends, metric=metric), ["variant"]).set_index("variant")
        if points.empty:
            raise NotMeasuredError("No lessons were taught.")
        for y, variant in enumerate(TAUGHT):
            if variant not in points.index:
                continue
            mean, low, high = (float(points.loc[variant, k]) for k in ("mean", "low", "high"))
            right.plot(
                mean, y, color=PALETTE[index], marker="os"[index], linestyle="none",
                label=label if y == 0 else "_",
            )  # fmt: skip
            right.plot([low, high], [y, y], color=PALETTE[index], linewidth=1.4)
            name = TAUGHT[variant].replace("-\n", "-").replace("\n", " ")
            words.append(f"{name} {label} {mean:.3f}")
    right.axvline(0.5, color=GREY, linewidth=0.8)
    right.set_yticks(range(len(TAUGHT)), list(TAUGHT.values()), fontsize=8)
    right.set(xlim=(0, 1.02), ylim=(len(TAUGHT) - 0.4, -0.6), xlabel="test accuracy after all")
    right.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.17), ncols=2)
    return plate.says(
        "Five lessons of two digits, one after the other, nothing shown again. Left and middle: "
        "held-out digits of each lesson after each lesson, the network being told which two digits "
        "it may be. Right: all test digits at the end, in Brian2; grey: chance between two. "
        "Intervals: 95 % t intervals over seeds.",
        "At the end: " + "; ".join(words) + ".",
        "history.csv",
        "continual",
    )


def _fates(ax: Any, rows: Table) -> None:
    """One line per lesson, from its own end on."""
    for k in range(1, 6):
        points = over_seeds(rows[rows["metric"] == f"{LESSON}{k}"], ["epoch"])
        points = points[points["epoch"] >= k]
        if points.empty:
            raise NotMeasuredError("No lessons were taught.")
        name = f"{2 * k - 2}, {2 * k - 1}"
        line_with_interval(ax, points["epoch"], points, index=k - 1)
        ax.annotate(
            name, (k, 1.0), (0, 4), textcoords="offset points", ha="center", fontsize=7.5,
            color=PALETTE[k - 1],
        )  # fmt: skip
    ax.axhline(0.5, color=GREY, linewidth=0.8)
    ax.annotate("chance", (0.6, 0.5), (0, 3), textcoords="offset points", fontsize=7.5)
    ax.set_xticks(range(1, 6))


def steps(history: Table, metrics: Table) -> Plate:
    """Accuracy after equal digits in steps of 15 and 5 ms, and the updates that it took."""
    plate, (left, right) = row_of_panels(2.8, 2)
    words = []
    for index, (variant, label) in enumerate(BY.items()):
        for ax, table, metric in (
            (left, where(metrics, engine="brian2", perturbation="none"), "accuracy"),
            (right, history, "updates"),
        ):
            rows = where(table, experiment=[*STEPS], variant=variant, metric=metric)
            if rows.empty:
                raise NotMeasuredError("Nothing was learned in finer steps.")
            if "epoch" in rows:
                rows = rows[rows["epoch"] == rows["epoch"].max()]
            rows = rows.assign(step=[list(STEPS).index(name) for name in rows["experiment"]])
            points = over_seeds(rows, ["step"])
            line_with_interval(ax, points["step"], points, index=index, label=label)
            said = " and ".join(f"{value:.4g}" for value in points["mean"])
            words.append(f"{label}: {metric} {said}")
    for ax in (left, right):
        ax.set_xticks(range(len(STEPS)), [f"steps of {name}" for name in STEPS.values()])
        ax.set_xlim(-0.25, 1.25)
    left.set_ylabel("test accuracy")
    right.set(ylabel="updates of the weights", yscale="log")
    right.yaxis.set_major_formatter(lambda y, _: f"{y:,.0f}")
    right.yaxis.set_minor_formatter(lambda y, _: "")
    label_ends(right)
    return plate.says(
        "The same digits, each shown once, in steps of 15 and of 5 ms. The local rule makes an "
        "update in every step, so three times as many in finer ones; back-propagation one per "
        "batch. Bands: 95 % t intervals over seeds.",
        "In steps of 15 and 5 ms. " + "; ".join(words) + ".",
    )


def convolution(metrics: Table) -> Plate:
    """Accuracy of the readout of each layer: convolutional and dense, after equal digits."""
    plate, (ax,) = row_of_panels(2.8, width=5.4)
    words = []
    for index, (experiment, label) in enumerate(
        {"convolution": "convolutional", "coarse": "dense"}.items()
    ):
        rows = where(
            metrics, experiment=experiment, variant="spiking", engine="brian2",
            perturbation="none", metric=[f"accuracy_layer{k}" for k in (1, 2, 3)],
        )  # fmt: skip
        if rows.empty:
            raise NotMeasuredError("No convolutional layers were taught.")
        points = over_seeds(rows.assign(layer=rows["metric"].str[-1].astype(int)), ["layer"])
        line_with_interval(ax, points["layer"], points, index=index, label=label)
        words.append(f"{label} " + " / ".join(f"{value:.3f}" for value in points["mean"]))
    ax.set(xlabel="layer", ylabel="test accuracy of the readout")
    ax.set_xticks((1, 2, 3))
    label_ends(ax)
    return plate.says(
        "Readouts of all layers in Brian2, both networks taught locally with the same digits, each "
        "shown once. Bands: 95 % t intervals over seeds.",
        "Layers 1 to 3. " + "; ".join(words) + ".",
        experiment="convolution",
    )
