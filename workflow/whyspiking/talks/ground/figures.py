"""Figures of the ground: floors and built networks of every task; few distinct trials."""

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
"""By what a network is built of."""
FAMILIES = {"lif": "leaky, with spikes", "leaky_units": "the same, sending numbers", "gru": "gru"}
"""Family of reference networks -> what a figure calls it."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Figures by name, in the order of the story."""
    return {
        "few trials": lambda: few_trials(results.metrics),
        "what the tasks ask": lambda: asked(results.metrics),
    }


def asked(metrics: Table) -> fg.Plate:
    """Accuracy of every floor and every built network, one panel a task; means over seeds."""
    said, shares = protocol(), metrics[metrics["metric"] == "accuracy"]
    floors = shares[shares["variant"] == "floors"].groupby(["experiment", "perturbation"])["value"]
    there, told = floors.mean().unstack(), []
    shown = [task for task in said.tasks if task in there.index]
    fg.require(shown, "No floors were computed at this scale.")
    plate, axes = fg.row_of_panels(5.2, len(shown), sharey=True)
    for ax, task in zip(axes, shown, strict=True):
        described, found = said.tasks[task], there.loc[task].to_dict()
        for row, name in enumerate(said.floors):
            veto = name in described.floors.veto
            look = {"marker": "s", "color": fg.RED} if veto else {"marker": "o", "color": fg.GREY}
            ax.plot(100 * found[name], row, linestyle="", markersize=5, **look)
        of_hand = []
        for row, (variant, built) in enumerate(described.built.items(), len(said.floors)):
            own = (shares["experiment"] == task) & (shares["variant"] == variant)
            share = shares[own & (shares["engine"] == built.engine)]["value"].mean()
            ax.plot(100 * share, row, "*", color=COLOURS[built.kind], markersize=10)
            of_hand.append(f"{variant} {100 * share:.1f} %")
        ax.axvline(100 * described.chance, color=fg.INK, linewidth=0.8, linestyle=":")
        ax.set(title=task.replace("_", " ").capitalize(), xlabel="accuracy (%)", xlim=(0, 104))
        veto = max(found[name] for name in described.floors.veto)
        told.append(
            f"{task.replace('_', ' ')}: floors that would veto it {100 * veto:.1f} % at most, the "
            f"reference {100 * found[said.reference]:.1f}, guessing {100 * described.chance:.1f} %."
        )
        told += [f"Built: {', '.join(of_hand)}."] if of_hand else []
    axes[0].set_yticks(
        range(len(said.floors)),
        [name.replace("_", " ").replace("relu", "ReLU") for name in said.floors],
    )
    axes[0].invert_yaxis()
    return plate.says(
        "What static readers make of each task (squares: those that would veto it; dotted: "
        "guessing), and below them networks that were built by hand (stars; red: with spikes, "
        "blue: leaky units that send numbers, green: ReLU units). Means over seeds.",
        " ".join(told),
    )


def few_trials(metrics: Table) -> fg.Plate:
    """Accuracy of sound localisation by the number of distinct training trials."""
    described = protocol().samples
    shares = tables.where(metrics, metric="accuracy", experiment="samples")
    fg.require(len(shares), "No networks were trained on few distinct trials at this scale.")
    plate, (ax,) = fg.row_of_panels(4.0, width=5.0)
    words = []
    for index, cell in zip((1, 0, 2), described.cells, strict=True):
        of_cell = tables.where(shares, variant=cell)
        points = fg.over_seeds(of_cell.assign(value=100 * of_cell["value"]), ["strength"])
        fg.line_with_interval(ax, points["strength"], points, index=index, label=FAMILIES[cell])
        means = ", ".join(f"{mean:.1f}" for mean in points["mean"])
        words.append(f"{FAMILIES[cell]}: {means}")
    ax.set(xlabel="distinct trials", ylabel="accuracy (%)", xscale="log")
    ax.set_xticks(described.distinct, [f"{n:,}" for n in described.distinct])
    ax.minorticks_off()
    fg.legend_below(plate, [ax])
    return plate.says(
        "Sound localisation by 8 units that are shown 64,000 trials, of which only some differ. "
        "Mean over seeds with its 95 % interval.",
        f"Accuracy in % by number of distinct trials. {'; '.join(words)}.",
    )
