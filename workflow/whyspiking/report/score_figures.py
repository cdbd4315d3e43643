"""Scores against number of parameters and against time, from curves.csv."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import (
    PALETTE,
    NotMeasuredError,
    Plate,
    legend_below,
    line_with_interval,
)
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.sentences import surname

COLUMNS = 3
LOOKS = ("spiking", "control")
"""What a line is, in the order of their looks."""
FIRST_TAU = 0.02
"""Where the logarithmic time axis begins, unless somebody decides earlier."""


def accuracy_size(curves: Table, talks: Mapping[str, Talk]) -> Plate:
    """Small multiples, one per experiment with several sizes: spiking network and control.

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
    panels = plate.panels(rows, columns, len(found)).ravel()
    words = []
    for ax, (experiment, lines) in zip(panels, found, strict=False):
        for name, points in lines.items():
            role = experiment.variants[name].role
            sizes = points["at"].to_numpy()
            line_with_interval(ax, sizes, points, index=LOOKS.index(role), label=role)
            words.append(f"{experiment.talk} {experiment.name}, {name}: {_told(points)}")
        called = labels.experiment(experiment.talk, experiment.name)
        title = f"{surname(talks[experiment.talk])} · {called}"
        _finish(ax, title, next(iter(lines.values()))["at"].tolist())
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


def by_data(curves: Table, talks: Mapping[str, Talk]) -> dict[str, dict[str, Table]]:
    """Curves against time of the data that several talks share: key of the data, label, curve."""
    found: dict[str, dict[str, Table]] = {}
    of: dict[str, set[str]] = {}
    keys = ["talk", "experiment", "variant"]
    for key, part in curves[curves["along"] == "time"].groupby(keys, sort=False):
        talk, experiment, variant = (str(word) for word in key)
        data = talks[talk].experiments[experiment].data_key
        kind = "" if variant == "spiking" else f", {labels.variant(variant)}"
        label = f"{surname(talks[talk])} · {labels.experiment(talk, experiment)}{kind}"
        found.setdefault(data, {})[label] = part
        of.setdefault(data, set()).add(talk)
    return {data: lines for data, lines in found.items() if len(of[data]) > 1}


def speed_accuracy(lines: Mapping[str, Table]) -> Plate:
    """One line per experiment on the same data.

    Args:
        lines: Label of the legend -> its rows of curves.csv.

    Raises:
        NotMeasuredError: If there are fewer than two.
    """
    if len(lines) < 2:
        raise NotMeasuredError("Fewer than two experiments on these data were measured.")
    plate = Plate(3.4, 6.4)
    ax = plate.panels(1, 1)[0, 0]
    words = []
    for index, (label, points) in enumerate(lines.items()):
        shown = points[points["at"] > 0]
        line_with_interval(
            ax, shown["at"].to_numpy(), shown, index=index, label=label, markers=False
        )
        final = float(points["mean"].iloc[-1])
        reached = points["at"].to_numpy()[int(np.argmax(points["mean"] >= 0.95 * final - 1e-9))]
        ax.plot(reached, 0.95 * final, marker="o", color=PALETTE[index % len(PALETTE)])
        words.append(f"{label}: {final:.3f}, 95 % of it after {reached:.2g} τ")
    ax.set_xscale("log")
    first = min(float(points.loc[points["at"] > 0, "at"].min()) for points in lines.values())
    ax.set_xlim(left=max(first, FIRST_TAU))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_ylim(0, 1)
    ax.set_xlabel("time since stimulus onset, τ of each talk")
    ax.set_ylabel("accuracy if stopped at t")
    legend_below(plate, [ax])
    return plate.says(
        "Networks with one spike per neuron on the same images: accuracy if stopped at t, where "
        "undecided trials guess; dots: 95 % of the final accuracy. Time is in units of each talk's "
        "characteristic time, stated on its page. Bands: pointwise 95 % t intervals over seeds.",
        "Accuracy against the time of stopping. " + "; ".join(words) + ".",
        "curves.csv",
    )
