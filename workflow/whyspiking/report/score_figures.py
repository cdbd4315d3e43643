"""Scores against number of parameters and against time, from curves.csv."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import (
    PALETTE,
    Plate,
    legend_below,
    line_with_interval,
    require,
    row_of_panels,
)
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html
from whyspiking.report.sentences import surname

COLUMNS = 3
LOOKS = ("spiking", "control")
"""Roles of the networks that lines are of, in the order of their looks."""
FIRST_TAU = 0.02
"""Start of the logarithmic time axis, unless a network decides earlier."""


def accuracy_size(curves: Table, talks: Mapping[str, Talk]) -> Plate:
    """Small multiples, one per experiment with several sizes: spiking network and control.

    Raises:
        NotMeasuredError: If no experiment was trained at several sizes.
    """
    every = curves[curves["along"] == "parameters"]
    drawn = []
    for (talk, experiment), own in every.groupby(["talk", "experiment"], sort=False):
        if own["variant"].duplicated().any():
            drawn.append((talks[talk].experiments[experiment], own))
    require(drawn, "No experiment of this run was trained at several sizes.")
    columns = min(COLUMNS, len(drawn))
    rows = -(-len(drawn) // columns)
    plate = Plate(0.6 + 2.3 * rows, 7.2 if columns > 1 else 4.0)
    panels = plate.panels(rows, columns, len(drawn)).ravel()
    words = []
    for ax, (experiment, own) in zip(panels, drawn, strict=False):
        lines = [(str(name), points) for name, points in own.groupby("variant", sort=False)]
        for name, points in lines:
            role = experiment.variants[name].role
            line_with_interval(ax, points["at"], points, index=LOOKS.index(role), label=role)
            words.append(f"{experiment.talk} {experiment.name}, {name}: {_in_words(points)}")
        called = labels.experiment(experiment.talk, experiment.name)
        title = f"{surname(talks[experiment.talk])}\n{called}"
        _finish(ax, title, lines[0][1]["at"].tolist())
    for ax in panels[::columns]:
        ax.set_ylabel("score")
    legend_below(plate, list(panels[: len(drawn)]))
    return plate.says(
        "Score on test data against the number of trained parameters; the largest networks are "
        "those of all other figures. Bands: pointwise 95 % t intervals over seeds.",
        "Score against parameters. " + "; ".join(words) + ".",
        "curves.csv",
    )


def _in_words(points: Table) -> str:
    return ", ".join(
        f"{row['mean']:.3f} with {html.digits(row['at'])}" for row in points.to_dict("records")
    )


def _finish(ax: Axes, title: str, sizes: list[float]) -> None:
    low, high = ax.get_ylim()
    limits = max(0.0, low), min(1.0, max(high, low + 0.02))
    ax.set(title=title, xscale="log", xlabel="parameters", ylim=limits)
    # The sizes themselves: they span less than a decade.
    ax.set_xticks(sizes, [f"{size / 1000:.3g}k" if size >= 1000 else f"{size:g}" for size in sizes])
    ax.set_xticks([], minor=True)


def by_data(curves: Table, talks: Mapping[str, Talk]) -> dict[str, dict[str, Table]]:
    """Curves against time of the data that several talks share: key of the data, label, curve."""
    by_key: dict[str, dict[str, Table]] = {}
    keys = ["talk", "experiment", "variant"]
    for key, part in curves[curves["along"] == "time"].groupby(keys, sort=False):
        talk, experiment, variant = (str(word) for word in key)
        kind = "" if variant == "spiking" else f", {labels.variant(variant)}"
        label = f"{surname(talks[talk])} · {labels.experiment(talk, experiment)}{kind}"
        by_key.setdefault(talks[talk].experiments[experiment].data_key, {})[label] = part
    return {
        key: lines
        for key, lines in by_key.items()
        if len({part["talk"].iloc[0] for part in lines.values()}) > 1
    }


def speed_accuracy(lines: Mapping[str, Table]) -> Plate:
    """One line per experiment on the same data.

    Args:
        lines: Label of the legend -> its rows of curves.csv.

    Raises:
        NotMeasuredError: If there are fewer than two.
    """
    require(len(lines) > 1, "Fewer than two experiments on these data were measured.")
    plate, (ax,) = row_of_panels(3.4, width=6.4)
    words = []
    for index, (label, points) in enumerate(lines.items()):
        shown = points[points["at"] > 0]
        line_with_interval(ax, shown["at"], shown, index=index, label=label, markers=False)
        final = float(points["mean"].iloc[-1])
        reached = points["at"].to_numpy()[int(np.argmax(points["mean"] >= 0.95 * final - 1e-9))]
        ax.plot(reached, 0.95 * final, marker="o", color=PALETTE[index % len(PALETTE)])
        words.append(f"{label}: {final:.3f}, 95 % of it after {reached:.2g} τ")
    ax.set(
        xscale="log",
        ylim=(0, 1),
        xlabel="time since stimulus onset, τ of each talk",
        ylabel="accuracy if stopped at t",
    )
    first = min(float(points.loc[points["at"] > 0, "at"].min()) for points in lines.values())
    ax.set_xlim(left=max(first, FIRST_TAU))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    legend_below(plate, [ax])
    return plate.says(
        "Networks with one spike per neuron on the same images: accuracy if stopped at t, where "
        "undecided trials guess; dots: 95 % of the final accuracy. Time is in units of each talk's "
        "characteristic time, stated on its page. Bands: pointwise 95 % t intervals over seeds.",
        "Accuracy against the time of stopping. " + "; ".join(words) + ".",
        "curves.csv",
    )
