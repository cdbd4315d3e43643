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
from whyspiking.verdicts.advantage import INCONCLUSIVE, LESS, MORE, NO_DIFFERENCE, NOT_ASSESSED
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

ACCOUNT, CLOCKED = "memory_8kb_event_driven", "memory_8kb_clock_driven"
"""The main cost model, by which the figure is drawn, and the one whose ratio is printed below."""
WIDE, README, NARROW = 5, 3, 1
"""Panels side by side: on the page, in README, on a phone."""
WIDTHS = {WIDE: 13.0, README: 9.0, NARROW: 3.75}
"""Panels side by side -> width of the figure, in inches."""
HEADING = "Accuracy against estimated energy per trial, spiking and non-spiking networks"
NARROW_HEADING = "Accuracy against estimated\nenergy per trial, spiking and\nnon-spiking networks"
RATIOS = {
    LESS: "{} × less energy",
    MORE: "{} × the energy",
    NO_DIFFERENCE: "no difference in energy",
    INCONCLUSIVE: "energy: inconclusive",
}
"""Verdict -> how a panel words it."""
FAMILIES = {"relu": "ReLU", LEAKY_UNITS: "leaky units", GRU: "GRU"}
"""Non-spiking family -> how a panel calls it."""
LOOKS: dict[str, dict[str, Any]] = {
    LIF: {"color": RED, "lw": 3.2},
    BEST_TRAINED: {"color": BLUE, "lw": 1.9},
    LEAKY_UNITS: {"color": BLUE, "lw": 1.3, "dashes": (4, 1.5)},
    GRU: {"color": BLUE, "lw": 1.5, "dashes": (1, 1.2)},
}
"""Who -> look of its line; that with spikes is the thicker one, also without colour."""
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
"""What lines and marks mean."""


@dataclass(frozen=True)
class Panel:
    """One task.

    Attributes:
        title: Its name and its question in few words, with a colon between.
        points: Its rows of frontiers.csv.
        read: (competitor, cost) -> row of advantage.csv.
    """

    title: str
    points: Table
    read: Mapping[tuple[str, str], Mapping[str, Any]]

    @property
    def row(self) -> Mapping[str, Any]:
        """Spiking networks compared with the best trained non-spiking ones."""
        return self.read[BEST_TRAINED, ACCOUNT]

    @property
    def better_methods(self) -> list[str]:
        """Methods of talks that are better than our spiking networks under the main cost model."""
        is_missing = self.row["verdict"] == NOT_ASSESSED
        return self.row["comment"].partition(":")[0].split(", ") if is_missing else []

    def write_heading(self) -> list[str]:
        """Four lines: the ratio, the clock-driven one, the competitor, non-spiking leaky units."""
        row, clocked = self.row, self.read[BEST_TRAINED, CLOCKED]
        if self.better_methods:
            names = " and ".join(self.better_methods)
            return [
                "not assessed:",
                f"{names} (ring) is better",
                "than our spiking networks",
                f"clock-driven: {_write_ratio(clocked, short=True)}",
            ]
        leaky = self.read[LEAKY_UNITS, ACCOUNT]
        competitor = FAMILIES.get(row["cheapest_family"], row["cheapest_family"])
        # The best family of most data sets is not the best on every one: two ratios would stand
        # next to one name.
        has_line = leaky["n_seeds"] and row["cheapest_family"] != LEAKY_UNITS
        against_leaky = f"vs leaky units: {_write_ratio(leaky, short=True)}" if has_line else ""
        if not row["verdict"]:
            n, n_seeds = min(row["n_reached_spiking"], row["n_reached_other"]), row["n_seeds"]
            side = "spiking" if n == row["n_reached_spiking"] else "non-spiking"
            few = f"on {n:g} of {n_seeds:g} data sets only"
            return ["no ratio: too low accuracy", f"{side} networks reach it", few, against_leaky]
        ends = ", ".join(sorted((_round(row, end) for end in ("ci_low", "ci_high")), key=float))
        return [
            f"{_write_ratio(row)} [{ends}]",
            f"clock-driven: {_write_ratio(clocked, short=True)}",
            f"at {100 * row['accuracy']:.0f} % accuracy, vs {competitor}",
            against_leaky,
        ]

    def of(self, kind: str) -> list[tuple[str, float, float]]:
        """Family, energy in nJ and accuracy in percent: means over seeds, best first."""
        own = self.points[self.points["network_type"] == kind].groupby("family", sort=False)
        # A method without spikes has no energy here.
        means = (
            own[[ACCOUNT, "test_accuracy"]]
            .mean()
            .dropna()
            .sort_values("test_accuracy", ascending=False)
        )
        return [(str(name), cost / 1e3, 100 * test) for name, cost, test in means.itertuples()]

    def fronts(self, who: str) -> list[Frontier]:
        """The frontiers of those with spikes, or of one side without, one a seed."""
        spikes = who == LIF
        own = side(self.points, BEST_TRAINED if spikes else who, spikes=spikes).groupby("seed")
        return [Frontier.of(networks, ACCOUNT) for _, networks in own]


def _round(row: Mapping[str, Any], name: str = "ratio") -> str:
    """A ratio in few digits; its inverse where spiking networks need less."""
    times = 1 / row[name] if row["verdict"] == LESS else row[name]
    return f"{times:.0f}" if times >= 9.95 else f"{times:.1f}"


def _write_ratio(row: Mapping[str, Any], *, short: bool = False) -> str:
    """A row of advantage.csv in few words, in fewer where the subject is clear."""
    default = NOT_ASSESSED if row["verdict"] == NOT_ASSESSED else "accuracy not reached"
    written = RATIOS.get(row["verdict"], default).format(_round(row))
    if short:
        for words in ("energy: ", " the energy", " in energy", " energy"):
            written = written.replace(words, "")
    return written


def panels(frontiers: Table, advantage: Table, titles: Mapping[str, str]) -> Iterator[Panel]:
    """The tasks on which trained spiking and non-spiking networks are compared."""
    for task, title in titles.items():
        compared: Table = tables.where(advantage, task=task, subject="spikes")
        read = {
            (row["compared_with"], row["cost_model"]): row for row in compared.to_dict("records")
        }
        if np.isfinite(read.get((BEST_TRAINED, ACCOUNT), {}).get("relative_accuracy", np.nan)):
            yield Panel(title, frontiers[frontiers["task"] == task], read)


def figure(
    frontiers: Table,
    advantage: Table,
    titles: Mapping[str, str],
    columns: int = WIDE,
) -> Plate:
    """A panel a task: accuracy against energy.

    Args:
        frontiers: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
        titles: Task -> its question in at most 40 letters, in order.
        columns: Panels side by side, of `WIDTHS`.

    Raises:
        NotMeasuredError: If no task has both sides.
    """
    shown = list(panels(frontiers, advantage, titles))
    require(shown, "No task has trained networks with spikes and without on the same seeds.")
    rows = -(-len(shown) // columns)
    plate = Plate(3.0 * rows + 1.0, WIDTHS[columns])
    for ax, panel in zip(plate.panels(rows, columns, len(shown)).flat, shown, strict=False):
        _draw(ax, panel)
    handles = [Line2D([], [], label=says, **look) for says, look in LEGEND.items()]
    plate.legend(
        handles=handles,
        title=HEADING if columns > NARROW else NARROW_HEADING,
        loc="outside upper left",
        ncols=min(columns + 1, 4),
        alignment="left",
        title_fontproperties={"weight": "bold", "size": 10 if columns > NARROW else 8.5},
        columnspacing=1.2,
        borderpad=0.1,
    )
    plate.supylabel("accuracy (%)", fontsize=9)
    return plate.says(CAPTION, _alt(shown), "frontiers.csv")


def _draw(ax: Axes, panel: Panel) -> None:
    """One task."""
    lines = {who: own for who in LOOKS if (own := panel.fronts(who))}
    seen = [x / 1e3 for own in lines.values() for front in own for x in front.cost[1:]]
    seen += [x for kind in (BUILT, RULE) for _, x, _ in panel.of(kind)]
    x = np.geomspace(0.6 * min(seen), 1.5 * max(seen), 90)
    for who, own in lines.items():
        y = 100 * np.array([front.at(1e3 * x) for front in own])
        smallest = x >= np.exp(np.mean([np.log(front.cost[1] / 1e3) for front in own]))
        ax.plot(x, np.where(smallest, y.mean(0), np.nan), zorder=4, **LOOKS[who])
        if who in (LIF, BEST_TRAINED):
            colour = LOOKS[who]["color"]
            area: dict[str, Any] = {"facecolor": (colour, 0.15), "edgecolor": colour, "lw": 0.5}
            ax.fill_between(x, y.min(0), y.max(0), where=smallest, **area)
    guess = 100 * float(panel.points["chance"].iloc[0])
    ax.axhline(guess, **LEGEND["chance"])
    # A 17th of what is above guessing is left on either side.
    ax.set(xscale="log", xlim=(x[0], x[-1]), ylim=(1.06 * guess - 6, 106 - 0.06 * guess))
    _marks(ax, panel)
    few = x[-1] < 100 * x[0]
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3) if few else (1,)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.minorticks_off()
    ax.set_title("\n" * 6)  # the room for what follows
    ax.set_xlabel("estimated energy per trial (nJ)")
    for place, words in enumerate([*panel.title.split(": ", 1), *panel.write_heading()]):
        weight = "bold" if place in (2, 3) else "normal"
        at: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "fontsize": 8.5,
        }
        note = ax.annotate(words, (0, 1), (0, 68 - 12.5 * place), weight=weight, **at)
        note.set_in_layout(False)  # it stands in the room of the empty title


def _marks(ax: Axes, panel: Panel) -> None:
    """What was built by hand, methods of the talks, and where both sides are compared."""
    for family, at, height in panel.of(BUILT):
        colour, size = (RED, 8) if family == LIF else (BLUE, 14)  # both are seen at one place
        ax.plot(at, height, "*", color=colour, markersize=size, mew=0, zorder=20 - size)
    for name, at, height in panel.of(RULE):
        look = dict(LEGEND["a talk’s learning rule"])
        if name in panel.better_methods:
            look |= {"mew": 1.4, "mec": INK, "zorder": 8, "alpha": 1}
        ax.plot(at, height, gid="rule", **look)
    ends, level = (
        [panel.row[key] / 1e3 for key in ("cost_spiking", "cost_other")],
        100 * panel.row["accuracy"],
    )
    if not panel.better_methods:
        ax.plot(ends, [level] * 2, zorder=7, gid="bar", **LEGEND["compared accuracy"])


CAPTION = (
    "Higher and further left is better. Bold: energy of spiking networks relative to the best "
    "non-spiking ones at equal accuracy, with its 95 % interval. Lines are trained networks of all "
    "sizes; the bands are the range over data sets. Energy is estimated for event-driven hardware "
    "with 8 kB of memory. Clock-driven hardware updates every unit in every time step."
)


def _alt(shown: Sequence[Panel]) -> str:
    """The comparisons in words, of at most 300 letters."""
    ratios = (f"{x.title.partition(':')[0]} {x.write_heading()[0].rstrip(':')}" for x in shown)
    return f"Accuracy against energy; energy ratio of spiking networks: {'; '.join(ratios)}."
