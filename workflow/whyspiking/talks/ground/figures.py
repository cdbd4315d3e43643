"""Figures of the ground: floors and built networks of every task; what isolates the spike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from whyspiking.plots import figures as fg
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.talks.ground.protocol import protocol

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

COLOURS = {"spikes": fg.RED, "leaky": fg.BLUE, "units": fg.GREEN}
"""By what a network is built of."""
FAMILIES = {"lif": "leaky, with spikes", "twin": "the same, sending numbers", "gated": "gated"}
"""Family of reference networks -> what a figure calls it."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Figures by name, in the order of the story."""
    return {
        "isolated": lambda: isolated(results.metrics),
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


def isolated(metrics: Table) -> fg.Plate:
    """What one thing changes, paired by seed, and accuracy by the number of distinct trials."""
    said = protocol().isolates
    shares = tables.where(metrics, metric="accuracy", experiment=list(said.experiments))
    fg.require(len(shares), "No cells were trained at this scale.")
    plate, (left, right) = fg.row_of_panels(4.0, 2, width=7.0, width_ratios=(3, 2))
    gaps = pd.concat([_gaps(shares, name) for name in said.contrasts])
    means = fg.over_seeds(gaps, ["contrast"]).set_index("contrast")
    there, told = [name for name in said.contrasts if name in means.index], []
    for row, (name, mean) in enumerate(means.loc[there].iterrows()):
        contrast, own = said.contrasts[str(name)], gaps["value"][gaps["contrast"] == name]
        low, high = (
            side if edge is None else 100 * edge
            for edge, side in zip(contrast.band, (-100, 100), strict=True)
        )
        left.barh(row, high - low, 0.8, low, facecolor=(fg.GREEN, 0.1), edgecolor=fg.GREEN)
        left.plot(own, [row + 0.2] * len(own), ".", color=fg.GREY, markersize=5)
        left.plot([mean["low"], mean["high"]], [row, row], color=fg.INK)
        left.plot(mean["mean"], row, "o", color=fg.RED, markersize=5)
        told.append(f"{name} {mean['mean']:+.1f}".replace("_", " "))
    left.axvline(0, color=fg.INK, linewidth=0.8)
    left.set_yticks(range(len(there)), [fill(said.contrasts[n].says, 30) for n in there], size=9)
    reach = 1.1 * np.nanmax(np.abs([5.0, *gaps["value"], *means["low"], *means["high"]]))
    left.set(xlabel="difference in accuracy (points)", xlim=(-reach, reach))
    left.invert_yaxis()
    for index, cell in zip((1, 0, 2), said.experiments["samples"].cells, strict=True):
        own = tables.where(shares, experiment="samples", variant=cell)
        points = fg.over_seeds(own.assign(value=100 * own["value"]), ["strength"])
        fg.line_with_interval(right, points["strength"], points, index=index, label=FAMILIES[cell])
    counts = said.experiments["samples"].distinct
    right.set(xlabel="distinct trials", ylabel="accuracy (%)", xscale="log")
    right.set_xticks(counts, [f"{n:,}" for n in counts])
    right.minorticks_off()
    fg.legend_below(plate, [right])
    return plate.says(
        "Left: what one change gives or takes; red: mean with its 95 % interval over networks that "
        "share their data (grey); green: expected, fixed beforehand. Right: sound localisation by "
        "8 units, shown 64,000 trials.",
        f"Points: {'; '.join(told)}.",
    )


def _gaps(shares: Table, name: str) -> Table:
    """Points between the two sides of a contrast, a row a seed."""
    contrast, sides = protocol().isolates.contrasts[name], []
    for side in (contrast.of, contrast.versus):
        experiment, variant = side.split("/")
        at = {} if contrast.at is None else {"strength": contrast.at}
        own = tables.where(shares, experiment=experiment, variant=variant, **at)
        sides.append(own.set_index("seed")["value"])
    gaps = (100 * (sides[0] - sides[1])).dropna().rename("value").reset_index()
    return gaps.assign(contrast=name)
