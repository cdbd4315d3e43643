"""The figure of the ground: floors of every task, and the networks that were built for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table
from whyspiking.talks.ground.protocol import protocol

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

COLOURS = {"spikes": fg.RED, "leaky": fg.BLUE, "units": fg.GREEN}
"""By what a network is built of."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Figures by name, in the order of the story."""
    return {"what the tasks ask": lambda: asked(results.metrics)}


def asked(metrics: Table) -> fg.Plate:
    """Accuracy of every floor and every built network, one panel a task; means over seeds."""
    said, shares = protocol(), metrics[metrics["metric"] == "accuracy"]
    floors = shares[shares["variant"] == "floors"].groupby(["experiment", "perturbation"])["value"]
    there, told = floors.mean().unstack(), []
    fg.require(len(there), "No floors were computed at this scale.")
    plate, axes = fg.row_of_panels(5.2, len(there), sharey=True)
    for ax, task in zip(axes, [task for task in said.tasks if task in there.index], strict=True):
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
        ax.set(title=task.replace("_", " "), xlabel="accuracy (%)", xlim=(0, 104))
        veto = max(found[name] for name in described.floors.veto)
        told.append(
            f"{task.replace('_', ' ')}: floors that would veto it {100 * veto:.1f} % at most, the "
            f"reference {100 * found[said.reference]:.1f}, guessing {100 * described.chance:.1f} %."
        )
        told += [f"Built: {', '.join(of_hand)}."] if of_hand else []
    axes[0].set_yticks(range(len(said.floors)), [name.replace("_", " ") for name in said.floors])
    axes[0].invert_yaxis()
    return plate.says(
        "What static readers make of each task (squares: those that would veto it; dotted: "
        "guessing), and below them networks that were built by hand (stars; red: with spikes, "
        "blue: leaky units that send numbers, green: ReLU units). Means over seeds.",
        " ".join(told),
    )
