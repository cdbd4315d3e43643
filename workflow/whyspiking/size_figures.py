"""Score against number of parameters: how large spiking networks and their controls need to be."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from whyspiking import markup, tables
from whyspiking.figures import (
    NotMeasuredError,
    Plate,
    legend_below,
    line_with_interval,
    over_seeds,
)
from whyspiking.registry import Experiment, Talk
from whyspiking.tables import Table

COLUMNS = 3
LOOKS = ("spiking", "control")
"""What a line is, in the order of their looks."""


def accuracy_size(metrics: Table, talks: Mapping[str, Talk]) -> Plate:
    """Small multiples, one per experiment with several sizes: spiking network and control.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: The talks, by name.

    Raises:
        NotMeasuredError: If no experiment was trained at several sizes.
    """
    found = []
    for talk in talks.values():
        for experiment in talk.experiments.values():
            lines = _lines(metrics, experiment)
            if any(len(points) > 1 for points in lines.values()):
                found.append((talk, experiment, lines))
    if not found:
        raise NotMeasuredError("No experiment of this run was trained at several sizes.")
    columns = min(COLUMNS, len(found))
    rows = -(-len(found) // columns)
    plate = Plate(0.6 + 2.3 * rows, 7.2 if columns > 1 else 4.0)
    panels = plate.panels(rows, columns).ravel()
    words = []
    for ax, (talk, experiment, lines) in zip(panels, found, strict=False):
        for (name, role), points in lines.items():
            line_with_interval(
                ax, points["size"].to_numpy(), points, index=LOOKS.index(role), label=role
            )
            words.append(f"{talk.name} {experiment.name}, {name}: {_told(points)}")
        named = next(iter(lines.values()))["size"].tolist()
        _finish(ax, f"{talk.name} · {experiment.name}".replace("_", " "), named)
    for ax in panels[len(found) :]:
        ax.set_axis_off()
    for ax in panels[::columns]:
        ax.set_ylabel("score")
    legend_below(plate, list(panels[: len(found)]))
    return plate.says(
        "Score on test data against the number of trained parameters; the largest networks are "
        "those of all other figures. Bands: pointwise 95 % t intervals over seeds.",
        "Score against parameters. " + "; ".join(words) + ".",
    )


def _lines(metrics: Table, experiment: Experiment) -> dict[tuple[str, str], Table]:
    """(Variant, its role) -> size, mean and interval of its score at every size."""
    if experiment.sizes is None:
        return {}
    own = tables.where(
        metrics,
        talk=experiment.talk,
        experiment=experiment.name,
        perturbation="none",
        locus="",
        metric=["parameters", "score"],
    )
    engines = tables.where(own, metric="parameters")["engine"].unique().tolist()
    own = tables.where(own, engine=engines)
    lines = {}
    for name in experiment.sizes.of:
        same = [v.name for v in experiment.variants.values() if v.trained_as == name]
        part: Table = tables.where(own, variant=same)
        if part.empty:
            continue
        sizes = part[part["metric"] == "parameters"].groupby("variant")["value"].mean()
        scores = part[(part["metric"] == "score") & part["variant"].isin(sizes.index)]
        points = over_seeds(scores.assign(size=scores["variant"].map(sizes)), ["size"])
        if len(points):
            lines[name, experiment.variants[name].role] = points
    return lines


def _told(points: Table) -> str:
    return ", ".join(
        f"{row.mean:.3f} with {markup.digits(float(row.size))}"
        for row in points.itertuples(index=False)
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
