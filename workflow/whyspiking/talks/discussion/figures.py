"""Figures of the discussion: approximation error against size, and units that a task needs.

All figures are drawn from the metrics table. Its column `perturbation` names the target function or
the task, and its column `strength` has the number of units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

TITLES = {"sine": "sine", "root": "square root", "cosines": "five cosines of four inputs"}
SERIES = {
    "constructed": {
        ("constructed", "poisson"): ("Poisson neurons, exponent −1/2", fg.GREY, "X", -0.5),
        ("constructed", "coordinated"): (
            "neurons in tight balance, exponent −1",
            fg.OLIVE,
            "D",
            -1.0,
        ),
        ("constructed", "clocked"): (
            "clock-driven leaky neurons, exponent −1",
            fg.PURPLE,
            "^",
            -1.0,
        ),
        ("constructed", "first_spike_coarse"): (
            "first spikes, times rounded to 0.01",
            fg.RED,
            "v",
            0.0,
        ),
        ("constructed", "first_spike"): (
            "first spikes, exact times, exponent −2",
            fg.RED,
            "s",
            -2.0,
        ),
        ("constructed", "relu"): ("ReLU units, exponent −2", fg.BLUE, "o", -2.0),
    },
    "trained": {
        ("trained", "frozen"): ("first spikes, first layer not trained", fg.GREY, "X-", 0.0),
        ("trained", "first_spike"): ("first spikes, trained", fg.RED, "s-", 0.0),
        ("trained", "relu"): ("ReLU units, trained", fg.BLUE, "o-", 0.0),
        ("constructed", "first_spike"): ("first spikes or ReLU, hand-designed", fg.INK, "--", 0.0),
    },
}
"""Figure -> experiment and variant -> label, colour, marker, theoretical exponent (0: none)."""
ARMS = {
    "neuron": ("one leaky neuron", fg.RED, "s"),
    "gated": ("GRU", fg.PURPLE, "D"),
    "sorted_times": ("ReLU, sorted times", fg.GREEN, "^"),
    "relu": ("ReLU, exact times", fg.BLUE, "o"),
    "relu_two": ("ReLU, two layers", fg.OLIVE, "v"),
    "pairs": ("ReLU, hand-designed", fg.GREY, "X"),
}
"""Variant of the experiment `units` -> label, colour, marker."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Return functions that draw the figures, by name, in the order of the page."""
    return {
        "rates of approximation": lambda: rates(
            results.metrics,
            "constructed",
            ("sine", "root"),
            "Error of hand-designed networks against their number of units, mean over seeds. The "
            "dotted lines have the slopes that theory predicts. The firing rate of Poisson neurons "
            "and of neurons in tight balance is the target function itself.",
        ),
        "units for element distinctness": lambda: units(results.metrics),
        "what learning reaches": lambda: rates(
            results.metrics,
            "trained",
            ("sine", "cosines"),
            "Error of trained networks against their number of units, mean over seeds. The dashed "
            "line shows hand-designed networks of first-spike neurons, which have the same error "
            "as hand-designed ReLU networks.",
        ),
    }


def points(metrics: Table, experiment: str, variant: str, metric: str, task: str = "") -> Table:
    """Average a metric over seeds; return the columns perturbation, strength and value."""
    own = metrics[
        (metrics["experiment"] == experiment)
        & (metrics["variant"] == variant)
        & (metrics["metric"] == metric)
    ]
    own = own[own["perturbation"] == task] if task else own
    return own.groupby(["perturbation", "strength"], as_index=False)["value"].mean()


def rates(metrics: Table, experiment: str, tasks: tuple[str, str], caption: str) -> fg.Plate:
    """Draw the error against the number of units, with the theoretical slope if there is one."""
    plate, axes = fg.row_of_panels(3.6, 2, sharey=True)
    said = []
    for ax, task in zip(axes, tasks, strict=True):
        for (where, variant), (label, colour, marker, slope) in SERIES[experiment].items():
            own = points(metrics, where, variant, "rms_error", task)
            fg.require(len(own), "This run has no networks of this kind.")
            n, rms = own["strength"].to_numpy(), own["value"].to_numpy()
            filled = {"markerfacecolor": "none"} if (marker, slope) == ("s", -2) else {}
            ax.plot(n, rms, marker, color=colour, label=label, markersize=6, **filled)
            if slope:
                ax.plot(n, rms[-1] * (n / n[-1]) ** slope, ":", color=colour, linewidth=1)
            said.append(f"{TITLES[task]}, {label}: {rms[0]:.2g} to {rms[-1]:.2g}")
        ax.set(xscale="log", yscale="log", title=TITLES[task], xlabel="number of hidden units")
    axes[0].set_ylabel("root mean square error")
    fg.legend_below(plate, axes[:1])
    alt = f"From the smallest to the largest network: {'; '.join(said)}."
    return plate.says(caption, alt, experiment=experiment)


def units(metrics: Table) -> fg.Plate:
    """Draw the smallest number of units with an accuracy of 95 % against the number of inputs."""
    plate, (ax,) = fg.row_of_panels(3.6, width=5.2)
    said = []
    for shift, (variant, (label, colour, marker)) in enumerate(ARMS.items()):
        scores = points(metrics, "units", variant, "accuracy")
        fg.require(len(scores), "This run has no networks of different sizes.")
        scores["n"] = [int(task.removeprefix("n ")) for task in scores["perturbation"]]
        found, missed = [], []
        for n, own in scores.groupby("n"):
            enough = own[own["value"] >= 0.95]["strength"]
            place = n * 1.02 ** (shift - 2.5)
            (found if len(enough) else missed).append(
                (place, enough.min() if len(enough) else own["strength"].max())
            )
            reached = f"{enough.min():g}" if len(enough) else f"more than {own['strength'].max():g}"
            said.append(f"{label}, {n} inputs: {reached}")
        if found:
            ax.plot(*np.transpose(found), marker, linestyle="-", color=colour, label=label)
        for place, most in missed:
            ax.annotate(
                "",
                (place, 2.2 * most),
                (place, most),
                arrowprops={"color": colour, "arrowstyle": "->"},
            )
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="number of inputs",
        ylabel="units for an accuracy of 95 %",
        ylim=(0.7, 2000),
    )
    ax.set_xticks(ticks := [3, 4, 6, 10, 20], [str(tick) for tick in ticks])
    fg.legend_below(plate, [ax])
    return plate.says(
        "Smallest number of units with a mean accuracy over seeds of 95 %. An arrow means that the "
        "largest network that was trained did not reach this accuracy.",
        f"{'; '.join(said)}.",
        experiment="units",
    )
