"""What spikes cost at the same accuracy, beside their twin, gated units and all without spikes.

Read of the frontiers: the least cost at a level that both sides reach on every seed, as a ratio
paired by seed. A side that misses the level on a seed has no ratio, and nobody has one where the
best is not above guessing; one network never is. Methods of talks are held against the frontier of
the trained networks with spikes: one that lies above it shows that these are not trained soundly,
and then no word is said of the task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.measures import statistics
from whyspiking.measures.accounting import ACCOUNTS, MAIN
from whyspiking.measures.statistics import Interval
from whyspiking.records.frontier_columns import ADVANTAGE
from whyspiking.records.tables import Table
from whyspiking.verdicts.frontiers import (
    COSTS,
    LIF,
    OPPONENTS,
    RULE,
    TRAINED,
    TWIN,
    Frontier,
    on,
    priced,
    side,
)

WAYS = (0.95, 0.9, 0.8)
"""Ways from guessing to the best at which costs are read, in the order in which they are tried."""
HALF_WAY = 0.5
"""Least way at which an accuracy has a price."""
ALIKE = 1.25
"""Ratios closer to 1 than this, either way, are no difference."""
DIGITS = 9
"""Digits after which two numbers are equal: sums in another order differ in the last ones."""
SPIKES = "spikes"
CHEAPER, DEARER, NO_DIFFERENCE, OPEN = "cheaper", "dearer", "no difference", "open"
WITHHELD = "withheld"
ONE_IS_NONE = "nobody is above guessing (one network never is)"
DEPENDS = "depends on: "
ASSUMPTIONS = {"leak": "updates free?", "clocked": "clock or events?", "memory": "memory?"}
"""Attribute of an account -> the assumption, in the order in which they are told."""


def table(points: Table, config: Mapping[str, Any]) -> Table:
    """What is read of the frontiers of every task.

    Args:
        points: With the columns of `columns.POINTS`.
        config: The config's `energy` block.

    Returns:
        A table with the columns of `columns.ADVANTAGE`.
    """
    rows: list[dict[str, Any]] = []
    for _, task in priced(points, config).groupby("task", sort=False):
        rules = list(_rules(task))
        above = list(dict.fromkeys(x["who"] for x in rules if round(x["gap_low"], DIGITS) > 0))
        for beside in OPPONENTS:
            compared = list(_compared(task, beside))
            if above:
                why = f"{', '.join(above)}: above the lif frontier"
                compared = [x | {"word": WITHHELD, "over": WITHHELD, "why": why} for x in compared]
            rows += compared
        rows += rules
    return ADVANTAGE.table(rows)


def word(interval: Interval) -> str:
    """What the interval of a ratio says."""
    low, high = np.round(interval.bounds, DIGITS)
    if low > 1 or high < 1:
        return DEARER if low > 1 else CHEAPER
    return NO_DIFFERENCE if low >= 1 / ALIKE and high <= ALIKE else OPEN


def over(words: Mapping[str, str]) -> str:
    """The word of all accounts, or which assumptions change one of them if changed alone.

    Args:
        words: Account -> word.
    """
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    pairs = [(a, b) for a, b in combinations(words, 2) if words[a] != words[b]]
    changed = [
        says
        for name, says in ASSUMPTIONS.items()
        for a, b in pairs
        if replace(ACCOUNTS[a], **{name: getattr(ACCOUNTS[b], name)}) == ACCOUNTS[b]
    ]
    return DEPENDS + " ".join(dict.fromkeys(changed))


# ---- spikes beside what has none -----------------------------------------------------------------


@dataclass(frozen=True)
class Read:
    """The least cost of a level on every seed.

    Attributes:
        least: With spikes and without, (2, seed); nan where the level is not reached.
        made_by: Family that most often needs least without; empty: none reaches it.
    """

    least: NDArray[np.float64]
    made_by: str

    @classmethod
    def of(cls, fronts: Sequence[Sequence[Frontier]], levels: NDArray, task: Table) -> Read:
        """Read two rows of frontiers, one a seed, at the level of that seed."""
        found = [
            [front.least(level) for front, level in zip(own, levels, strict=True)] for own in fronts
        ]
        makers = Counter(task["family"][row] for _, row in found[1] if row is not None)
        named = makers.most_common(1)
        return cls(np.array([[x for x, _ in own] for own in found]), named[0][0] if named else "")

    @property
    def reached(self) -> list[int]:
        """On how many seeds either side reaches it."""
        return np.isfinite(self.least).sum(axis=1).tolist()


def _compared(task: Table, beside: str) -> Iterator[dict[str, Any]]:
    """A row a cost: networks with spikes beside others on one task."""
    sides = [side(task, beside, spikes=spikes) for spikes in (True, False)]
    seeds = _seeds(sides)
    row = {"task": task["task"].iloc[0], "who": SPIKES, "beside": beside, "seeds": len(seeds)}
    row |= {"reached": 0, "reached_theirs": 0, "made_by": "", "word": "", "over": "", "why": ""}
    best = _best(task, seeds)
    more = best["test"].to_numpy(float) - best["guess"].to_numpy(float)
    if not seeds or not statistics.t_interval(more).low > 0:
        row["why"] = ONE_IS_NONE if seeds else "no such networks on the same seeds"
        yield from ({**row, "cost": cost} for cost in COSTS)
        return
    span = (best["validation"] - best["guess"]).to_numpy(float)
    levels = {way: best["guess"].to_numpy(float) + way * span for way in WAYS}
    read: dict[tuple[float, str], Read] = {}
    networks = [[on(own, seed) for seed in seeds] for own in sides]
    for cost in COSTS:
        fronts = [[Frontier.of(each, cost) for each in own] for own in networks]
        read |= {(way, cost): Read.of(fronts, level, task) for way, level in levels.items()}
    reached = {way: np.min([read[way, cost].reached for cost in MAIN], axis=0) for way in WAYS}
    way = next((way for way in WAYS if min(reached[way]) == len(seeds)), WAYS[-1])
    row |= {"way": way, "level": float(levels[way].mean())}
    missed = [other for other in WAYS if other >= way and min(reached[other]) < len(seeds)]
    row["why"] = "; ".join(_reached(other, reached[other], len(seeds)) for other in missed)
    words = {cost: _word(read[way, cost].least) for cost in COSTS}
    main = {cost: words[cost] for cost in MAIN}
    row["over"] = over(main) if all(main.values()) else ""
    for cost in COSTS:
        found = read[way, cost]
        mine, theirs = found.reached
        row |= {"cost": cost, "reached": mine, "reached_theirs": theirs, "made_by": found.made_by}
        yield {**row, "word": words[cost], **(_ratio(*found.least) if words[cost] else {})}


def _seeds(sides: Sequence[Table]) -> list[float]:
    """The seeds on which every trained family of both sides has networks."""
    if any(own.empty for own in sides):
        return []
    trained = [own[own["kind"] == TRAINED].groupby("family")["seed"] for own in sides]
    each = [set(seeds) for groups in trained for _, seeds in groups]
    return sorted(set.intersection(*each)) if each else []


def _best(task: Table, seeds: Sequence[float]) -> Table:
    """The reference network of every seed that validation data choose, a row a seed."""
    reference = task[task["kind"] != RULE]
    return reference.loc[[on(reference, seed)["validation"].idxmax() for seed in seeds]]


def _word(least: NDArray) -> str:
    """The word on least costs of two sides, (2, seed); none where one is not known or is free."""
    known = (least > 0).all()  # nan is not
    return word(statistics.log_interval(least[0] / least[1])) if known else ""


def _ratio(mine: NDArray, theirs: NDArray) -> dict[str, float]:
    """Both costs and their ratio, geometric means over seeds, (seed,)."""
    found = statistics.log_interval(mine / theirs)
    own, other = (float(np.exp(np.log(x).mean())) for x in (mine, theirs))
    return {
        "mine": own,
        "theirs": other,
        "ratio": found.mean,
        "low": found.low,
        "high": found.high,
    }


def _reached(way: float, reached: NDArray, seeds: int) -> str:
    mine, theirs = reached
    return f"at {way:g} reached with spikes on {mine} of {seeds} seeds, without on {theirs}"


# ---- methods of the talks beside networks with spikes --------------------------------------------


def _rules(task: Table) -> Iterator[dict[str, Any]]:
    """A row a method and main account: how far it is from the lif frontier, up and sideways."""
    lif = side(task, TWIN, spikes=True)
    best = _best(task, sorted(set(lif["seed"])))
    for name, own in task[task["kind"] == RULE].groupby("family", sort=False):
        test, guess = own["test"].to_numpy(float), float(own["guess"].iloc[0])
        seeds = sorted(set(own["seed"]) & set(lif["seed"]))
        paired = len(seeds) == len(own)
        seeds = own["seed"].tolist() if paired else sorted(set(lif["seed"]))
        way = float((test.mean() - guess) / (best["validation"].mean() - guess))
        row = {"task": task["task"].iloc[0], "who": name, "beside": LIF, "way": way}
        row |= {"level": float(test.mean()), "seeds": len(own), "reached": len(own)}
        networks = [on(lif, seed) for seed in seeds]
        for cost in MAIN:
            fronts = [Frontier.of(each, cost) for each in networks]
            costs = own[cost].to_numpy(float)
            heights = np.array([front.at(costs) for front in fronts]).T
            least = np.array([[front.least(x)[0] for front in fronts] for x in test])
            if paired:
                heights, least = (np.diag(x)[:, None] for x in (heights, least))
            gap = _less(test, heights, paired)
            row |= {"cost": cost, "gap": gap.mean, "gap_low": gap.low, "gap_high": gap.high}
            reached = np.isfinite(least)
            row["reached_theirs"] = int(reached.sum() if paired else reached.all(axis=0).sum())
            if way < HALF_WAY:
                told = {"word": "", "why": "below half of the way from guessing to the best"}
            elif not (least > 0).all():
                told = {"word": "", "why": "the lif frontier does not reach it on all seeds"}
            else:
                ratio = _less(np.log(costs), np.log(least), paired)
                ends = np.exp([ratio.mean, ratio.low, ratio.high])
                told = dict(zip(("ratio", "low", "high"), ends.tolist(), strict=True))
                told |= {"word": word(replace(ratio, low=ends[1], high=ends[2])), "why": ""}
            yield {**row, "made_by": LIF, "over": "", **told}


def _less(mine: NDArray, theirs: NDArray, paired: bool) -> Interval:
    """A rule less the frontiers: paired by seed, or over networks of other seeds, as by Welch.

    Args:
        mine: Of the rule, (network,).
        theirs: What each frontier has in its place, (network, frontier); paired: (network, 1).
        paired: Whether it is that of the same seed.
    """
    each = theirs.mean(axis=0)
    several = not paired and min(each.size, mine.size) > 1
    extra = float(each.var(ddof=1)) / each.size if several else 0.0
    return statistics.t_interval(mine - theirs.mean(axis=1), 0.95, extra, each.size - 1.0)
