"""The figure of the answer: right answers against energy, task by task, with spikes and without.

Lines are trained networks of all sizes, stars those built by hand, dots the methods of the talks
(frontiers.csv); what stands above a panel is read of advantage.csv. Memory is one of 8 kB.
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
from whyspiking.verdicts.advantage import CHEAPER, DEARER, NO_DIFFERENCE, OPEN, WITHHELD
from whyspiking.verdicts.frontiers import (
    BUILT,
    GATED,
    LIF,
    RULE,
    TRAINED,
    TWIN,
    Frontier,
    side,
)

ACCOUNT, CLOCKED = "8kb_events", "8kb_clocked"
PAID = {ACCOUNT: "by events", CLOCKED: "clocked"}
"""Account -> how panels call it."""
WIDE, README, NARROW = 5, 3, 1
"""Panels side by side: on the page, in README, on a phone."""
WIDTHS = {WIDE: 13.0, README: 9.0, NARROW: 3.75}
"""Panels side by side -> width of the figure, in inches."""
HEADING = "Energy with spikes, over the best without, at equally many right answers"
SAID = {
    CHEAPER: "{} times less energy",
    DEARER: "{} times the energy",
    NO_DIFFERENCE: "no difference in energy",
    OPEN: "no clear difference in energy",
}
"""Word of a ratio -> how a panel puts it."""
RIVALS = {"relu": "ReLU units", TWIN: "their twin", GATED: "gated units"}
"""Family without spikes -> how a panel calls it."""
LOOKS: dict[str, dict[str, Any]] = {
    LIF: {"color": RED, "lw": 3.2},
    TRAINED: {"color": BLUE, "lw": 1.9},
    TWIN: {"color": BLUE, "lw": 1.3, "dashes": (4, 1.5)},
    GATED: {"color": BLUE, "lw": 1.5, "dashes": (1, 1.2)},
}
"""Who -> look of its line; that with spikes is the thicker one, also without colour."""
LEGEND: dict[str, dict[str, Any]] = {
    "trained, with spikes": LOOKS[LIF],
    "best trained without": LOOKS[TRAINED],
    "twin: leaky units, no spike": LOOKS[TWIN],
    "gated units (GRU)": LOOKS[GATED],
    "compared here": {"color": INK, "marker": "|", "markersize": 9, "lw": 1.4},
    "built by hand": {"color": GREY, "lw": 0, "marker": "*", "markersize": 11},
    "a talk’s learning rule": {
        "color": RED,
        "lw": 0,
        "marker": "o",
        "alpha": 0.85,
        "mew": 0,
        "ms": 4,
    },
    "guessing": {"color": GREY, "lw": 1.6, "dashes": (1, 1.6)},
}
"""What lines and marks mean."""


@dataclass(frozen=True)
class Panel:
    """One task.

    Attributes:
        title: Its name and its question in few words, with a colon between.
        points: Its rows of frontiers.csv.
        read: (beside, cost) -> row of advantage.csv.
        account: What is paid for, one of `PAID`.
    """

    title: str
    points: Table
    read: Mapping[tuple[str, str], Mapping[str, Any]]
    account: str

    @property
    def row(self) -> Mapping[str, Any]:
        """Spikes beside all that is trained without."""
        return self.read[TRAINED, self.account]

    @property
    def above(self) -> list[str]:
        """Methods of talks that are better than our networks with spikes."""
        withheld = self.row["word"] == WITHHELD
        return self.row["why"].partition(":")[0].split(", ") if withheld else []

    def words(self) -> list[str]:
        """The headline in two parts, and two lines on what it is read of."""
        row, (other,) = self.row, PAID.keys() - {self.account}
        if self.above:
            who = " and ".join(self.above)
            return [
                f"no ratio: {who}",
                "(ringed) beats our red line,",
                "so spikes can do better",
                "",
            ]
        twin = self.read[TWIN, self.account]
        beside = f"beside their twin: {_brief(twin)}" if twin["seeds"] else ""
        if not row["word"]:
            k, of = min(row["reached"], row["reached_theirs"]), row["seeds"]
            behind = "with" if k == row["reached"] else "without"
            few = f"{behind} spikes {k:g} of {of:g} come far enough"
            return ["no ratio: too few right", f"answers {behind} spikes", few, beside]
        rival = RIVALS.get(row["made_by"], row["made_by"])
        level = f"at {100 * row['level']:.0f} % right, beside {rival}"
        ends = sorted((_short(row, end) for end in ("low", "high")), key=float)
        then = f"{PAID[other]}: {_brief(self.read[TRAINED, other])}"
        return [f"{_told(row)} ({'–'.join(ends)})", then, level, beside]

    def of(self, kind: str) -> list[tuple[str, float, float]]:
        """Family, energy in nJ and accuracy in percent: means over seeds, best first."""
        own = self.points[self.points["kind"] == kind].groupby("family", sort=False)
        # A method without spikes has no energy here.
        means = own[[self.account, "test"]].mean().dropna().sort_values("test", ascending=False)
        return [(str(name), cost / 1e3, 100 * test) for name, cost, test in means.itertuples()]

    def fronts(self, who: str) -> list[Frontier]:
        """The frontiers of those with spikes, or of one side without, one a seed."""
        spikes = who == LIF
        own = side(self.points, TRAINED if spikes else who, spikes=spikes).groupby("seed")
        return [Frontier.of(networks, self.account) for _, networks in own]


def _short(row: Mapping[str, Any], name: str = "ratio") -> str:
    """A ratio in few digits, as many times dearer, or cheaper where that is the word."""
    times = 1 / row[name] if row["word"] == CHEAPER else row[name]
    return f"{times:.0f}" if times >= 9.95 else f"{times:.1f}"


def _told(row: Mapping[str, Any]) -> str:
    """A row of advantage.csv in few words."""
    return SAID.get(row["word"], "not reached by both").format(_short(row))


def _brief(row: Mapping[str, Any]) -> str:
    """A row of advantage.csv in fewer words, where energy was named."""
    return _told(row).replace(" the energy", "").replace(" energy", "").removesuffix(" in")


def panels(
    frontiers: Table, advantage: Table, titles: Mapping[str, str], account: str
) -> Iterator[Panel]:
    """The tasks on which trained networks with spikes and without are held beside each other."""
    for task, title in titles.items():
        told: Table = tables.where(advantage, task=task, who="spikes")
        rows = told.to_dict("records")
        read = {(row["beside"], row["cost"]): row for row in rows}
        if np.isfinite(read.get((TRAINED, account), {}).get("way", np.nan)):
            yield Panel(title, frontiers[frontiers["task"] == task], read, account)


def figure(
    frontiers: Table,
    advantage: Table,
    titles: Mapping[str, str],
    columns: int = WIDE,
    account: str = ACCOUNT,
) -> Plate:
    """A panel a task: accuracy against energy.

    Args:
        frontiers: Rows of frontiers.csv.
        advantage: Rows of advantage.csv.
        titles: Task -> its question in at most 40 letters, in order.
        columns: Panels side by side, of `WIDTHS`.
        account: What is paid for, of `PAID`.

    Raises:
        NotMeasuredError: If no task has both sides.
    """
    shown = list(panels(frontiers, advantage, titles, account))
    require(shown, "No task has trained networks with spikes and without on the same seeds.")
    rows = -(-len(shown) // columns)
    plate = Plate(3.0 * rows + 1.0, WIDTHS[columns])
    for ax, panel in zip(plate.panels(rows, columns, len(shown)).flat, shown, strict=False):
        _draw(ax, panel)
    handles = [Line2D([], [], label=says, **look) for says, look in LEGEND.items()]
    plate.legend(
        handles=handles,
        title=HEADING if columns > NARROW else HEADING.replace(", at", ",\nat"),
        loc="outside upper left",
        ncols=min(columns + 1, 4),
        alignment="left",
        title_fontproperties={"weight": "bold", "size": 10 if columns > NARROW else 8.5},
        columnspacing=1.2,
        borderpad=0.1,
    )
    plate.supylabel("right answers, %", fontsize=9)
    return plate.says(CAPTION[account], _alt(shown), "frontiers.csv")


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
        if who in (LIF, TRAINED):
            colour = LOOKS[who]["color"]
            area: dict[str, Any] = {"facecolor": (colour, 0.15), "edgecolor": colour, "lw": 0.5}
            ax.fill_between(x, y.min(0), y.max(0), where=smallest, **area)
    guess = 100 * float(panel.points["guess"].iloc[0])
    ax.axhline(guess, **LEGEND["guessing"])
    # A 17th of what is above guessing is left on either side.
    ax.set(xscale="log", xlim=(x[0], x[-1]), ylim=(1.06 * guess - 6, 106 - 0.06 * guess))
    _marks(ax, panel)
    few = x[-1] < 100 * x[0]
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 3) if few else (1,)))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.minorticks_off()
    ax.set_title("\n" * 6)  # the room for what follows
    ax.set_xlabel("energy a trial, nJ")
    for place, words in enumerate([*panel.title.split(": ", 1), *panel.words()]):
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
        if name in panel.above:
            look |= {"mew": 1.4, "mec": INK, "zorder": 8, "alpha": 1}
        ax.plot(at, height, gid="rule", **look)
    ends, level = [panel.row[key] / 1e3 for key in ("mine", "theirs")], 100 * panel.row["level"]
    if not panel.above:
        ax.plot(ends, [level] * 2, zorder=7, gid="bar", **LEGEND["compared here"])


CAPTION = {
    ACCOUNT: "Higher and further left is better. Lines: trained networks of all sizes; bands: over "
    "trainings. Clocked: every unit pays in every step, not only when a message arrives.",
    CLOCKED: "As above, but every unit pays in every step, whether a message arrives or not.",
}


def _alt(shown: Sequence[Panel]) -> str:
    """The comparisons in words, of at most 300 letters."""
    ratios = (f"{x.title.partition(':')[0]} {' '.join(x.words()[:1])}" for x in shown)
    return f"{HEADING}: {'; '.join(ratios)}."
