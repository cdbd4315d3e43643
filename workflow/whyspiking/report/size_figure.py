"""Score against number of parameters: how large spiking networks and their controls need to be."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import NotMeasuredError, Plate, legend_below, line_with_interval
from whyspiking.records.tables import Table
from whyspiking.report import html

COLUMNS = 3
LOOKS = ("spiking", "control")
"""What a line is, in the order of their looks."""


def accuracy_size(curves: Table, talks: Mapping[str, Talk]) -> Plate:
    """Small multiples, one per experiment with several sizes: spiking network and control.

    Args:
        curves: Rows of curves.csv.
        talks: The talks, by name.

    Raises:
        NotMeasuredError: If no experiment was trained at several sizes.
    """
    every = curves[curves["along"] == "parameters"]
    found = []
    for (talk, experiment), own in every.groupby(["talk", "experiment"], sort=False):
        lines = {str(name): part for name, part in own.groupby("variant", sort=False)}
        if any(len(points) > 1 for points in lines.values()):
            found.append((talks[talk].experiments[experiment], lines))
    if not found:
        raise NotMeasuredError("No experiment of this run was trained at several sizes.")
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    plate = Plate(0.6 + 2.3 * rows, 7.2 if columns > 1 else 4.0)
    panels = plate.panels(rows, columns).ravel()
    words = []
    for ax, (experiment, lines) in zip(panels, found, strict=False):
        for name, points in lines.items():
            role = experiment.variants[name].role
            sizes = points["at"].to_numpy()
            line_with_interval(ax, sizes, points, index=LOOKS.index(role), label=role)
            words.append(f"{experiment.talk} {experiment.name}, {name}: {_told(points)}")
        title = f"{experiment.talk} · {experiment.name}".replace("_", " ")
        _finish(ax, title, next(iter(lines.values()))["at"].tolist())
    for ax in panels[len(found) :]:
        ax.set_axis_off()
    for ax in panels[::columns]:
        ax.set_ylabel("score")
    legend_below(plate, list(panels[: len(found)]))
    return plate.says(
        "Score on test data against the number of trained parameters; the largest networks are "
        "those of all other figures. Bands: pointwise 95 % t intervals over seeds.",
        "Score against parameters. " + "; ".join(words) + ".",
        "curves.csv",
    )


def _told(points: Table) -> str:
    return ", ".join(
        f"{row['mean']:.3f} with {html.digits(row['at'])}" for row in points.to_dict("records")
    )


def _finish(ax: Axes, title: str, sizes: list[float]) -> None:
    ax.set_title(title)
    ax.set_xscale("log")
    ax.set_xlabel("parameters")
    low, high = ax.get_ylim()
    ax.set_ylim(max(0.0, low), min(1.0, max(high, low + 0.02)))
    # The sizes themselves: they span less than a decade.
    ax.set_xticks(sizes, [f"{size / 1000:.3g}k" if size >= 1000 else f"{size:g}" for size in sizes])
    ax.set_xticks([], minor=True)
