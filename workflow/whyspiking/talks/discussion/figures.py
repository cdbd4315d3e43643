"""Figures of the discussion: rates of approximation, units that a task takes.

All are drawn from the metrics table: its perturbation names target or task, its strength the
number of units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

TITLES = {"sine": "a sine", "root": "a root", "cosines": "five cosines of four inputs"}
SERIES = {
    "constructed": {
        ("constructed", "poisson"): ("Poisson neurons, −1/2", fg.GREY, "X", -0.5),
        ("constructed", "coordinated"): ("tight balance, −1", fg.OLIVE, "D", -1.0),
        ("constructed", "clocked"): ("leaky neurons on a clock, −1", fg.PURPLE, "^", -1.0),
        ("constructed", "first_spike_coarse"): ("first spikes on a grid of 0.01", fg.RED, "v", 0.0),
        ("constructed", "first_spike"): ("first spikes, exact, −2", fg.RED, "s", -2.0),
        ("constructed", "relu"): ("ReLU units, −2", fg.BLUE, "o", -2.0),
    },
    "trained": {
        ("trained", "frozen"): ("first spikes, first layer not learned", fg.GREY, "X-", 0.0),
        ("trained", "first_spike"): ("first spikes, learned", fg.RED, "s-", 0.0),
        ("trained", "relu"): ("ReLU units, learned", fg.BLUE, "o-", 0.0),
        ("constructed", "first_spike"): ("either of them, built", fg.INK, "--", 0.0),
    },
}
"""Figure -> experiment and variant -> words, colour, marker, exponent of theory (0: none)."""
ARMS = {
    "neuron": ("one leaky neuron", fg.RED, "s"),
    "gated": ("gated units", fg.PURPLE, "D"),
    "sorted_times": ("ReLU, sorted times", fg.GREEN, "^"),
    "relu": ("ReLU, exact times", fg.BLUE, "o"),
    "relu_two": ("ReLU, two layers", fg.OLIVE, "v"),
    "pairs": ("ReLU, built by pairs", fg.GREY, "X"),
}
"""Variant of `units` -> words, colour, marker."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """The figures by name, in the order of the story."""
    return {
        "rates of approximation": lambda: rates(
            results.metrics,
            "constructed",
            ("sine", "root"),
            "Error of networks that nobody had to train, by their number of units; dotted: the "
            "slopes of theory through the last mark. Rate codes are given the function itself. "
            "Means.",
        ),
        "units for element distinctness": lambda: units(results.metrics),
        "what learning reaches": lambda: rates(
            results.metrics,
            "trained",
            ("sine", "cosines"),
            "Error of networks that learned, by their number of units; dashed: networks of either "
            "kind that were built without learning. Means.",
        ),
    }


def points(metrics: Table, experiment: str, variant: str, metric: str, task: str = "") -> Table:
    """Mean over seeds of a metric: columns perturbation, strength and value."""
    own = metrics[
        (metrics["experiment"] == experiment)
        & (metrics["variant"] == variant)
        & (metrics["metric"] == metric)
    ]
    own = own[own["perturbation"] == task] if task else own
    return own.groupby(["perturbation", "strength"], as_index=False)["value"].mean()


def rates(metrics: Table, experiment: str, tasks: tuple[str, str], caption: str) -> fg.Plate:
    """Error against units: what was built, and the slopes of theory, or what was learned."""
    plate, axes = fg.row_of_panels(3.6, 2, sharey=True)
    said = []
    for ax, task in zip(axes, tasks, strict=True):
        for (where, variant), (label, colour, marker, slope) in SERIES[experiment].items():
            own = points(metrics, where, variant, "rms_error", task)
            fg.require(len(own), "There are no such networks at this scale.")
            n, rms = own["strength"].to_numpy(), own["value"].to_numpy()
            filled = {"markerfacecolor": "none"} if (marker, slope) == ("s", -2) else {}
            ax.plot(n, rms, marker, color=colour, label=label, markersize=6, **filled)
            if slope:
                ax.plot(n, rms[-1] * (n / n[-1]) ** slope, ":", color=colour, linewidth=1)
            said.append(f"{TITLES[task]}, {label}: {rms[0]:.2g} to {rms[-1]:.2g}")
        ax.set(xscale="log", yscale="log", title=TITLES[task], xlabel="hidden units")
    axes[0].set_ylabel("root mean square error")
    fg.legend_below(plate, axes[:1])
    alt = f"From the smallest to the largest network: {'; '.join(said)}."
    return plate.says(caption, alt, experiment=experiment)


def units(metrics: Table) -> fg.Plate:
    """Fewest units with an accuracy of 95 %, against the number of inputs."""
    plate, (ax,) = fg.row_of_panels(3.6, width=5.2)
    said = []
    for shift, (variant, (label, colour, marker)) in enumerate(ARMS.items()):
        scores = points(metrics, "units", variant, "accuracy")
        fg.require(len(scores), "Units were not counted at this scale.")
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
    ax.set(xscale="log", yscale="log", xlabel="inputs", ylabel="units for 95 %", ylim=(0.7, 2000))
    ax.set_xticks(ticks := [3, 4, 6, 10, 20], [str(tick) for tick in ticks])
    fg.legend_below(plate, [ax])
    return plate.says(
        "Fewest units with which the mean accuracy over seeds is 95 %. Arrows: not reached with "
        "the largest network that was trained.",
        f"{'; '.join(said)}.",
        experiment="units",
    )
