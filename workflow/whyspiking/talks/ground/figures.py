"""Figures of the shared benchmark: baselines, hand-designed networks, and few distinct trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.plots import figures as fg
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.talks.ground.protocol import protocol

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

COLOURS = {"spikes": fg.RED, "leaky": fg.BLUE, "units": fg.GREEN}
"""Kind of a hand-designed network -> colour."""
FAMILIES = {"lif": "LIF", "leaky_units": "non-spiking leaky units", "gru": "GRU"}
"""Family of baseline networks -> label in the figure."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Return functions that draw the figures, by name, in the order of the page."""
    return {
        "few trials": lambda: few_trials(results.metrics),
        "what the tasks ask": lambda: asked(results.metrics),
    }


def asked(metrics: Table) -> fg.Plate:
    """Draw mean accuracies of memoryless baselines and hand-designed networks, a panel per task."""
    said, shares = protocol(), metrics[metrics["metric"] == "accuracy"]
    floors = shares[shares["variant"] == "floors"].groupby(["experiment", "perturbation"])["value"]
    there, told = floors.mean().unstack(), []
    shown = [task for task in said.tasks if task in there.index]
    fg.require(shown, "This run has no memoryless baselines.")
    plate, axes = fg.row_of_panels(5.2, len(shown), sharey=True)
    for ax, task in zip(axes, shown, strict=True):
        described, found = said.tasks[task], there.loc[task].to_dict()
        for row, name in enumerate(said.baselines):
            veto = name in described.baseline_expectations.must_fail
            look = {"marker": "s", "color": fg.RED} if veto else {"marker": "o", "color": fg.GREY}
            ax.plot(100 * found[name], row, linestyle="", markersize=5, **look)
        of_hand = []
        for row, (variant, built) in enumerate(
            described.hand_designed.items(), len(said.baselines)
        ):
            own = (shares["experiment"] == task) & (shares["variant"] == variant)
            share = shares[own & (shares["engine"] == built.engine)]["value"].mean()
            ax.plot(100 * share, row, "*", color=COLOURS[built.unit_type], markersize=10)
            of_hand.append(f"{variant} {100 * share:.1f} %")
        ax.axvline(100 * described.chance, color=fg.INK, linewidth=0.8, linestyle=":")
        ax.set(title=task.replace("_", " ").capitalize(), xlabel="accuracy (%)", xlim=(0, 104))
        veto = max(found[name] for name in described.baseline_expectations.must_fail)
        told.append(
            f"{task.replace('_', ' ')}: baselines that must stay at chance level reach "
            f"{100 * veto:.1f} % at most, a ReLU network that receives the whole trial reaches "
            f"{100 * found[said.reference_baseline]:.1f}, chance level is "
            f"{100 * described.chance:.1f} %."
        )
        told += [f"Hand-designed: {', '.join(of_hand)}."] if of_hand else []
    axes[0].set_yticks(
        range(len(said.baselines)),
        [name.replace("_", " ").replace("relu", "ReLU") for name in said.baselines],
    )
    axes[0].invert_yaxis()
    return plate.says(
        "Accuracy of memoryless baselines (squares and dots) and, below them, of hand-designed "
        "networks (stars) on each task, mean over seeds. Baselines with a red square must stay at "
        "chance level (dotted line), because the task must not be solvable from their input. Red "
        "stars are spiking networks, blue stars non-spiking leaky units and green stars ReLU "
        "units.",
        " ".join(told),
    )


def few_trials(metrics: Table) -> fg.Plate:
    """Draw the accuracy on sound localisation against the number of distinct training trials."""
    described = protocol().samples
    shares = tables.where(metrics, metric="accuracy", experiment="samples")
    fg.require(len(shares), "This run has no networks that were trained on few distinct trials.")
    plate, (ax,) = fg.row_of_panels(4.0, width=5.0)
    words = []
    for index, cell in zip((1, 0, 2), described.cells, strict=True):
        of_cell = tables.where(shares, variant=cell)
        points = fg.over_seeds(of_cell.assign(value=100 * of_cell["value"]), ["strength"])
        fg.line_with_interval(ax, points["strength"], points, index=index, label=FAMILIES[cell])
        means = ", ".join(f"{mean:.1f}" for mean in points["mean"])
        words.append(f"{FAMILIES[cell]}: {means}")
    ax.set(xlabel="number of distinct training trials", ylabel="accuracy (%)", xscale="log")
    ax.set_xticks(described.n_distinct, [f"{n:,}" for n in described.n_distinct])
    ax.minorticks_off()
    fg.legend_below(plate, [ax])
    return plate.says(
        "Accuracy on sound localisation of networks with 8 hidden units. Training always has "
        "64,000 presentations, but only the given number of trials are distinct. Mean over seeds "
        "with its 95 % confidence interval.",
        f"Accuracy in % for increasing numbers of distinct training trials. {'; '.join(words)}.",
    )
