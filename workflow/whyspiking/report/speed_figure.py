"""Speed against accuracy, networks of several talks on the same data side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.declared.registry import Talk
from whyspiking.plots.figures import (
    PALETTE,
    NotMeasuredError,
    Plate,
    legend_below,
    line_with_interval,
)
from whyspiking.records.tables import Table

FIRST_TAU = 0.02
"""Where the logarithmic time axis begins, unless somebody decides earlier."""


def by_data(curves: Table, talks: Mapping[str, Talk]) -> dict[str, dict[str, Table]]:
    """Curves against time of the data that several talks share: key of the data, label, curve.

    Args:
        curves: Rows of curves.csv.
        talks: The talks, by name.
    """
    found: dict[str, dict[str, Table]] = {}
    of: dict[str, set[str]] = {}
    keys = ["talk", "experiment", "variant"]
    for key, part in curves[curves["along"] == "time"].groupby(keys, sort=False):
        talk, experiment, variant = (str(word) for word in key)
        data = talks[talk].experiments[experiment].data_key
        kind = "" if variant == "spiking" else f" {variant}"
        label = f"{talk} · {experiment}{kind}".replace("_", " ")
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
