"""Scores against number of parameters and against time, from curves.csv."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import (
    Plate,
    legend_below,
    line_with_interval,
    require,
)
from whyspiking.records import labels
from whyspiking.records.tables import Table

COLUMNS = 3
LOOKS = ("control", "spiking")
"""Roles of the networks that lines are of, in the order of their looks."""


def accuracy_size(curves: Table, talks: Mapping[str, Talk]) -> Plate:
    """Small multiples, one per experiment with several sizes: spiking network and control.

    Raises:
        NotMeasuredError: If no experiment was trained at several sizes.
    """
    every = curves[curves["along"] == "parameters"]
    drawn = []
    for (talk, experiment), own in every.groupby(["talk", "experiment"], sort=False):
        variants = talks[talk].experiments[experiment].variants
        roles = {variants[name].role for name in own["variant"][own["variant"].duplicated()]}
        if roles.issuperset(LOOKS):
            drawn.append((talks[talk].experiments[experiment], own))
    require(drawn, "No experiment of this run was trained at several sizes.")
    columns = min(COLUMNS, len(drawn))
    rows = -(-len(drawn) // columns)
    plate = Plate(0.6 + 1.3 * rows, 1.9 * max(columns, 2))
    panels = plate.panels(rows, columns, len(drawn), sharey=True).ravel()
    for ax, (experiment, own) in zip(panels, drawn, strict=False):
        lines = [(str(name), points) for name, points in own.groupby("variant", sort=False)]
        for name, points in lines:
            role = experiment.variants[name].role
            line_with_interval(ax, points["place"], points, index=LOOKS.index(role), label=role)
        called = labels.experiment(experiment.talk, experiment.name)
        title = f"{talks[experiment.talk].surname}\n{called}"
        _finish(ax, title, lines[0][1]["place"].tolist())
    for ax in panels[::columns]:
        ax.set_ylabel("score")
    legend_below(plate, list(panels[: len(drawn)]))
    return plate.says(
        "Test score against trained parameters. Bands: pointwise 95 % t intervals over seeds.",
        f"Score against parameters in {len(drawn)} experiments; the numbers stand in the table.",
        "curves.csv",
    )


def _finish(ax: Axes, title: str, sizes: list[float]) -> None:
    ax.set(title=title, xscale="log", xlabel="parameters")
    # The sizes themselves: they span less than a decade.
    ax.set_xticks(sizes, [f"{size / 1000:.3g}k" if size >= 1000 else f"{size:g}" for size in sizes])
    ax.set_xticks([], minor=True)
