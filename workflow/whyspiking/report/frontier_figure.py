"""Figure of accuracy against estimated energy, one panel per shared task.

Lines are trained networks of all sizes, stars hand-designed networks, dots the talks' learning
rules (frontiers.csv). The text above a panel is read from advantage.csv.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from whyspiking.plots.figures import BLUE, GREY, INK, RED, Plate, require
from whyspiking.records import tables
from whyspiking.records.tables import Table
from whyspiking.verdicts.advantage import NOT_ASSESSED
from whyspiking.verdicts.frontiers import (
    BEST_TRAINED,
    BUILT,
    GRU,
    LEAKY_UNITS,
    LIF,
    RULE,
    Frontier,
    side,
)

ACCOUNT = "memory_8kb_event_driven"
"""The main cost model, by which the figure is drawn."""
N_COLUMNS, WIDTH = 3, 9.0
"""Panels side by side, and the width of the figure in inches."""
HEADING = "Accuracy against estimated energy per trial, spiking and non-spiking networks"
FAMILIES = {"relu": "ReLU", LEAKY_UNITS: "leaky units", GRU: "GRU"}
"""Non-spiking family -> how a panel calls it."""
LOOKS: dict[str, dict[str, Any]] = {
    LIF: {"color": RED, "lw": 3.2},
    BEST_TRAINED: {"color": BLUE, "lw": 1.9},
    LEAKY_UNITS: {"color": BLUE, "lw": 1.3, "dashes": (4, 1.5)},
    GRU: {"color": BLUE, "lw": 1.5, "dashes": (1, 1.2)},
}
"""Family -> look of its line; the spiking one is the thickest, also without colour."""
LEGEND: dict[str, dict[str, Any]] = {
    "spiking (LIF), trained": LOOKS[LIF],
    "best non-spiking, trained": LOOKS[BEST_TRAINED],
    "non-spiking leaky units": LOOKS[LEAKY_UNITS],
    "GRU": LOOKS[GRU],
    "compared accuracy": {"color": INK, "marker": "|", "markersize": 9, "lw": 1.4},
    "hand-designed": {"color": GREY, "lw": 0, "marker": "*", "markersize": 11},
    "a talk’s learning rule": {
        "color": RED,
        "lw": 0,
        "marker": "o",
        "alpha": 0.85,
        "mew": 0,
        "ms": 4,
    },
    "chance": {"color": GREY, "lw": 1.6, "dashes": (1, 1.6)},
}
"""Label of the legend -> look of its line or mark."""


@dataclass(frozen=True)
class Panel:
    """One task.

    Attributes:
        title: Its name and its question in few words, with a colon between.
        points: Its rows of frontiers.csv.
        row: Comparison with the best trained non-spiking networks, of advantage.csv.
    """

    title: str
    points: Table
    row: Mapping[str, Any]

    @property
    def better_methods(self) -> list[str]:
        """Methods of talks that are better than our spiking networks under the main cost model."""
        is_missing = self.row["verdict"] == NOT_ASSESSED
        return self.row["comment"].partition(":")[0].split(", ") if is_missing else []

    def write_heading(self) -> list[str]:
        """Two lines: the energy ratio with its interval, and what is compared."""
        row = self.row
        if not row["verdict"] or self.better_methods:
            better = f"better: {', '.join(self.better_methods)} (ring)"
            return ["no energy verdict", better if self.better_methods else "too low accuracy"]
        ratio, low, high = (f"{row[name]:.2g}" for name in ("ratio", "ci_low", "ci_high"))
        family = FAMILIES.get(row["cheapest_family"], row["cheapest_family"])
        return [
            f"{ratio} × the energy [{low}, {high}]",
            f"at {100 * row['accuracy']:.0f} % accuracy, vs {family}",
        ]

    def average_families(self, kind: str) -> list[tuple[str, float, float]]:
        """List family, energy in nJ and accuracy in percent: means over seeds, best first."""
        networks = self.points[self.points["network_type"] == kind].groupby("family", sort=False)
        # A method without spikes has no energy here.
        means = (
            networks[[ACCOUNT, "test_accuracy"]]
            .mean()
            .dropna()
            .sort_values("test_accuracy", ascending=False)
        )
        return [(str(name), cost / 1e3, 100 * test) for name, cost, test in means.itertuples()]

    def compute_frontiers(self, family: str) -> list[Frontier]:
        """Compute one frontier per seed, for spiking networks or for one non-spiking family."""
        spikes = family == LIF
        networks_by_seed = side(
            self.points, BEST_TRAINED if spikes else family, spikes=spikes
        ).groupby("seed")
        return [Frontier.of(networks, ACCOUNT) for _, networks in networks_by_seed]


def panels(frontiers: Table, advantage: Table, titles: Mapping[str, str]) -> Iterator[Panel]:
    """The tasks on which trained spiking and non-spiking networks are compared."""
    comparison = {"subject": "spikes", "compared_with": BEST_TRAINED, "cost_model": ACCOUNT}
    for task, title in titles.items():
        for row in tables.where(advantage, task=task, **comparison).to_dict("records"):
            if np.isfinite(row["relative_accuracy"]):
                networks = tables.where(frontiers, task=task)
                yield Panel(title, networks, {str(name): value for name, value in row.items()})


def figure(frontiers: Table, advantage: Table, titles: Mapping[str, str]) -> Plate:
    """A panel per task: accuracy against energy.

    Args:
        frontiers: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
        titles: Task -> its question in at most 40 letters, in order.

    Raises:
        NotMeasuredError: If no task has both sides.
    """
    task_panels = list(panels(frontiers, advantage, titles))
    require(task_panels, "No task has trained networks with spikes and without on the same seeds.")
    n_rows = -(-len(task_panels) // N_COLUMNS)
    plate = Plate(2.8 * n_rows + 1.0, WIDTH)
    for ax, panel in zip(
        plate.panels(n_rows, N_COLUMNS, len(task_panels)).flat, task_panels, strict=False
    ):
        _draw(ax, panel)
    handles = [Line2D([], [], label=label, **look) for label, look in LEGEND.items()]
    plate.legend(
        handles=handles,
        title=HEADING,
        loc="outside upper left",
        ncols=4,
        alignment="left",
        title_fontproperties={"weight": "bold", "size": 10},
        columnspacing=1.2,
        borderpad=0.1,
    )
    plate.supylabel("accuracy (%)", fontsize=9)
    return plate.says(CAPTION, _write_alt_text(task_panels), "frontiers.csv")


def _draw(ax: Axes, panel: Panel) -> None:
    """Draw the panel of one task."""
    frontiers_by_family = {
        family: frontiers for family in LOOKS if (frontiers := panel.compute_frontiers(family))
    }
    energies = [
        x / 1e3
        for frontiers in frontiers_by_family.values()
        for front in frontiers
        for x in front.cost[1:]
    ]
    energies += [x for kind in (BUILT, RULE) for _, x, _ in panel.average_families(kind)]
    x = np.geomspace(0.6 * min(energies), 1.5 * max(energies), 90)
    for family, frontiers in frontiers_by_family.items():
        y = 100 * np.array([front.at(1e3 * x) for front in frontiers])
        is_reached = x >= np.exp(np.mean([np.log(front.cost[1] / 1e3) for front in frontiers]))
        ax.plot(x, np.where(is_reached, y.mean(0), np.nan), zorder=4, **LOOKS[family])
        if family in (LIF, BEST_TRAINED):
            colour = LOOKS[family]["color"]
            band_style: dict[str, Any] = {
                "facecolor": (colour, 0.15),
                "edgecolor": colour,
                "lw": 0.5,
            }
            ax.fill_between(x, y.min(0), y.max(0), where=is_reached, **band_style)
    chance_percent = 100 * float(panel.points["chance"].iloc[0])
    ax.axhline(chance_percent, **LEGEND["chance"])
    # A 17th of what is above guessing is left on either side.
    ax.set(
        xscale="log",
        xlim=(x[0], x[-1]),
        ylim=(1.06 * chance_percent - 6, 106 - 0.06 * chance_percent),
    )
    _draw_marks(ax, panel)
    is_narrow_range = x[-1] < 100 * x[0]
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3) if is_narrow_range else (1,)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.minorticks_off()
    ax.set_title("\n" * 4)  # the room for what follows
    ax.set_xlabel("estimated energy per trial (nJ)")
    for i_line, text in enumerate([*panel.title.split(": ", 1), *panel.write_heading()]):
        weight = "bold" if i_line == 2 else "normal"
        text_style: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "fontsize": 8.5,
        }
        note = ax.annotate(text, (0, 1), (0, 43 - 12.5 * i_line), weight=weight, **text_style)
        note.set_in_layout(False)  # it stands in the room of the empty title


def _draw_marks(ax: Axes, panel: Panel) -> None:
    """Mark hand-designed networks, methods of the talks, and the compared accuracy."""
    for family, energy, accuracy in panel.average_families(BUILT):
        colour, size = (RED, 8) if family == LIF else (BLUE, 14)  # both are seen at one place
        ax.plot(energy, accuracy, "*", color=colour, markersize=size, mew=0, zorder=20 - size)
    for name, energy, accuracy in panel.average_families(RULE):
        marker_style = dict(LEGEND["a talk’s learning rule"])
        if name in panel.better_methods:
            marker_style |= {"mew": 1.4, "mec": INK, "zorder": 8, "alpha": 1}
        ax.plot(energy, accuracy, gid="rule", **marker_style)
    energies = [panel.row[key] / 1e3 for key in ("cost_spiking", "cost_other")]
    compared_accuracy = 100 * panel.row["accuracy"]
    if not panel.better_methods:
        ax.plot(
            energies, [compared_accuracy] * 2, zorder=7, gid="bar", **LEGEND["compared accuracy"]
        )


CAPTION = (
    "Higher and further left is better. Bold: energy of spiking networks relative to the best "
    "non-spiking ones at equal accuracy, with its 95 % interval. Lines are trained networks of all "
    "sizes; the bands are the range over data sets. Energy is estimated for event-driven hardware "
    "with 8 kB of memory."
)


def _write_alt_text(task_panels: Sequence[Panel]) -> str:
    """Write the comparisons in words, in at most 300 letters."""
    ratios = (
        f"{panel.title.partition(':')[0]} {panel.write_heading()[0]}" for panel in task_panels
    )
    return f"Accuracy against energy; energy ratio of spiking networks: {'; '.join(ratios)}."
