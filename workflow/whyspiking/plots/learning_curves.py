"""Learning curves of a talk from its history: a panel an experiment, a line a kind of network."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from whyspiking.plots import figures
from whyspiking.plots.figures import Plate, require
from whyspiking.records import labels
from whyspiking.records.tables import Table

SHOWN = (
    *("validation_accuracy", "validation_error", "train_error", "train_accuracy"),
    *("xor_margin", "nmse", "error_during"),
)
"""Metrics that say how good a network is; the first that an experiment has is drawn."""
LEAST = 3
"""With fewer points there is no curve."""
MOST = 6
"""Panels; more would not be read."""


def learning_curves(history: Table, titles: Mapping[str, str]) -> Plate:
    """Score against epoch with t intervals over networks.

    Args:
        history: All rows of a talk's history.csv.
        titles: Experiment -> what it is called, in the order of drawing.

    Raises:
        NotMeasuredError: If no experiment has a curve.
    """
    panels = []
    for experiment, title in titles.items():
        own = history[history["experiment"] == experiment]
        metric = next((name for name in SHOWN if (own["metric"] == name).any()), None)
        rows = own[(own["metric"] == metric) & (own["epoch"] > 0)]
        if rows["epoch"].nunique() >= LEAST:
            panels.append((title, metric or "", rows))
    require(panels, "No experiment of this run has a history of three epochs.")
    panels = panels[:MOST]
    columns = min(len(panels), 2)
    n_rows = -(-len(panels) // columns)
    plate = Plate(0.3 + 2.3 * n_rows)
    axes = plate.panels(n_rows, columns, used=len(panels))
    words = []
    for ax, (title, metric, rows) in zip(axes.flat, panels, strict=False):
        # Networks of other sizes have a figure of their own.
        variants = [name for name in dict.fromkeys(rows["variant"]) if "_at_" not in name]
        called = {name: labels.variant(name) for name in variants}
        words.append(f"{title}: {figures.learning_curve(ax, rows, metric=metric, labels=called)}")
        ax.set_title(textwrap.fill(title, 32), fontsize=9)
        if len(called) > 1:
            figures.label_ends(ax, size=7.5)
    return plate.says(
        "How the networks learn: mean over networks, with its 95 % interval as a band. Validation "
        "data where the experiment has some.",
        ". ".join(words),
        "history.csv",
    )
