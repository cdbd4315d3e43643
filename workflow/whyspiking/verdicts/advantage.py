"""What spikes cost at the same accuracy, beside their twin, gated units and all without spikes.

Read of the frontiers: the least cost at a level that both sides reach on every seed, as a ratio
paired by seed. A side that misses the level on a seed has no ratio, and nobody has one where the
best is not above guessing; one network never is. Methods of talks are told by what they give away.
One that lies above the frontier of the trained networks with spikes shows that these are not
trained soundly, and then no word is said of the task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    EVERYTHING,
    LIF,
    OPPONENTS,
    RULE,
    TRAINED,
    TWIN,
    Frontier,
    best,
    on,
    priced,
    side,
)

WAYS = (0.95, 0.9, 0.8)
"""Ways from guessing to the best at which costs are read, in the order in which they are tried."""
HALF_WAY = 0.5
"""A way at which a network has learned, where trainings fall into those that did and others; below
it an accuracy has no price (protocol.yaml: reading.half_way)."""
EQUAL_UNITS, END_TO_END = "equal_units", "end_to_end"
"""What a method is held against beside frontiers: see `_rules`."""
ALIKE = 1.25
"""Ratios closer to 1 than this, either way, are no difference."""
DIGITS = 9
"""Digits after which two numbers are equal: sums in another order differ in the last ones."""
CHEAPER, DEARER, NO_DIFFERENCE = "cheaper", "dearer", "no difference"
OPEN, WITHHELD = "open", "withheld"
PARTLY = f" or {OPEN}"
"""After a word that some accounts have, where the others have none."""
ONE_IS_NONE = "nobody is above guessing (one network never is)"
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
        above = list(
            dict.fromkeys(
                x["who"]
                for x in rules
                if x["beside"] == LIF and round(x.get("gap_low", 0.0), DIGITS) > 0
            )
        )
        why = f"{', '.join(above)}: above the lif frontier"
        withheld = {"word": WITHHELD, "over": WITHHELD, "why": why} if above else {}
        for beside in dict.fromkeys((*OPPONENTS, *rivals(task))):
            rows += [row | withheld for row in _compared(task, beside)]
        rows += rules
    return ADVANTAGE.table(rows)


def rivals(task: Table) -> list[str]:
    """The trained families without spikes of a task, each an opponent by itself."""
    trained = task[(task["kind"] == TRAINED) & (task["family"] != LIF)]
    return trained["family"].unique().tolist()


def word(low: float, high: float) -> str:
    """What the 95 % interval of a ratio says; of one seed nothing.

    No difference if all of it is within `ALIKE`, whatever its sign, as accuracies within delta are
    equal; else on which side of 1 it lies.
    """
    low, high = np.round([low, high], DIGITS)
    if low >= 1 / ALIKE and high <= ALIKE:
        return NO_DIFFERENCE
    return DEARER if low > 1 else CHEAPER if high < 1 else OPEN


def over(words: Mapping[str, str]) -> str:
    """What all accounts say together.

    The one word of all; with `PARTLY` where some are open, since that a word was not found under
    an account is no sign that the account turns it; or the assumptions, as few as possible, that
    turn one word into another.

    Args:
        words: Account -> word.
    """
    said = {name: word for name, word in words.items() if word != OPEN}
    if len(set(said.values())) < 2:
        return next(iter(said.values()), OPEN) + PARTLY * (0 < len(said) < len(words))
    pairs = [(ACCOUNTS[a], ACCOUNTS[b]) for a, b in combinations(said, 2) if said[a] != said[b]]
    apart = [[x for x in ASSUMPTIONS if getattr(a, x) != getattr(b, x)] for a, b in pairs]
    turns = {x for own in apart for x in own if len(own) == min(map(len, apart))}
    changed = [says for x, says in ASSUMPTIONS.items() if x in turns]
    return "depends on: " + " ".join(changed)


def rights(task: Table) -> list[Table]:
    """Test accuracy of the best trained networks of a task by seed: with spikes, without."""
    sides = (side(task, TRAINED, spikes=spikes) for spikes in (True, False))
    return [best(networks, "seed").set_index("seed")["test"] for networks in sides]


def ahead(task: Table) -> Interval:
    """By how much the best with spikes are ahead of the best without, paired by seed."""
    mine, theirs = rights(task)
    return statistics.t_interval(mine - theirs)


# ---- spikes beside what has none -----------------------------------------------------------------


def _compared(task: Table, beside: str) -> Iterator[dict[str, Any]]:
    """A row a cost: networks with spikes beside others on one task."""
    sides = [side(task, beside, spikes=spikes) for spikes in (True, False)]
    seeds = _seeds(sides)
    row = {
        "task": task["task"].iloc[0],
        "who": "spikes",
        "beside": beside,
        "seeds": len(seeds),
        "reached": 0,
        "reached_theirs": 0,
        **dict.fromkeys(("made_by", "word", "over", "why"), ""),
    }
    guess, validation, test = of_the_best(task, seeds)
    if not seeds or not statistics.t_interval(test - guess).low > 0:
        row["why"] = ONE_IS_NONE if seeds else "no such networks on the same seeds"
        yield from ({**row, "cost": cost} for cost in COSTS)
        return
    levels = {way: guess + way * (validation - guess) for way in WAYS}
    networks = [[on(own, seed) for seed in seeds] for own in sides]
    read: dict[tuple[float, str], tuple[NDArray, str]] = {}
    for cost in COSTS:
        fronts = [[Frontier.of(each, cost) for each in own] for own in networks]
        read |= {(way, cost): _read(fronts, level, task) for way, level in levels.items()}
    reached = {
        way: np.min([np.isfinite(read[way, cost][0]).sum(axis=1) for cost in MAIN], axis=0)
        for way in WAYS
    }
    way = next((way for way in WAYS if min(reached[way]) == len(seeds)), WAYS[-1])
    missed = (
        f"at {w:g} reached with spikes on {mine} of {len(seeds)} seeds, without on {theirs}"
        for w, (mine, theirs) in reached.items()
        if w >= way and min(mine, theirs) < len(seeds)
    )
    row |= {"way": way, "level": float(levels[way].mean()), "why": "; ".join(missed)}
    rows = []
    for cost in COSTS:
        least, row["made_by"] = read[way, cost]
        row["reached"], row["reached_theirs"] = np.isfinite(least).sum(axis=1).tolist()
        # What is not reached is nan, and so not above 0.
        rows.append(row | {"cost": cost} | (_ratio(*least) if (least > 0).all() else {}))
    words = {x["cost"]: x["word"] for x in rows if x["cost"] in MAIN}
    yield from (x | {"over": over(words) if all(words.values()) else ""} for x in rows)


def _seeds(sides: Sequence[Table]) -> list[float]:
    """The seeds on which every trained family of both sides has networks."""
    trained = [own[own["kind"] == TRAINED].groupby("family")["seed"] for own in sides]
    each = [set(seeds) for groups in trained for _, seeds in groups]
    return sorted(set.intersection(*each)) if each and not any(own.empty for own in sides) else []


def of_the_best(task: Table, seeds: Sequence[float]) -> NDArray:
    """Guessing, validation and test accuracy, (3, seed), of the best reference networks.

    Validation data choose them, one on every seed.
    """
    reference = task[task["kind"] != RULE]
    best = [on(reference, seed)["validation"].idxmax() for seed in seeds]
    return reference.loc[best, ["guess", "validation", "test"]].to_numpy(float).T


def _read(
    fronts: Sequence[Sequence[Frontier]], levels: NDArray, task: Table
) -> tuple[NDArray, str]:
    """Least costs at the level of every seed, with spikes and without, (2, seed).

    nan where it is not reached. Also the family that most often needs least without.
    """
    found = [[front.least(x) for front, x in zip(own, levels, strict=True)] for own in fronts]
    makers = Counter(task["family"][row] for _, row in found[1] if row is not None)
    least = np.array([[cost for cost, _ in own] for own in found])
    return least, max(makers, key=lambda name: makers[name], default="")


def _ratio(mine: NDArray, theirs: NDArray) -> dict[str, Any]:
    """Both costs, their ratio and its word; (seed,) each, paired."""
    logs = statistics.t_interval(np.log(mine / theirs))
    means = [np.log(x).mean() for x in (mine, theirs)]
    ends = np.exp([*means, logs.mean, logs.low, logs.high]).tolist()
    told = zip(("mine", "theirs", "ratio", "low", "high"), ends, strict=True)
    return {**dict(told), "word": word(*ends[-2:])}


# ---- what methods of the talks give away ---------------------------------------------------------


def _rules(task: Table) -> Iterator[dict[str, Any]]:
    """Rows of every method: its accuracy less that of what it is held against.

    That is, at equal energy, the lif frontier and that of all; the spiking reference of as many
    units; for a local rule the same network trained end to end. One that is not above guessing is
    held against nothing.
    """
    lif, every = side(task, TWIN, spikes=True), task[task["kind"] != RULE]
    seeds = sorted(set(lif["seed"]))
    held = task[(task["kind"] == RULE) & bool(seeds)]
    methods = {name: own.set_index("seed") for name, own in held.groupby("family", sort=False)}
    for name, own in methods.items():
        guess, best, _ = of_the_best(task, seeds).mean(axis=1)
        test = own["test"].to_numpy(float)
        ways = (test - guess) / (best - guess)
        row = {
            "task": task["task"].iloc[0],
            "who": name,
            "way": float(ways.mean()),
            "level": float(test.mean()),
            "seeds": len(own),
            "reached": int((ways >= HALF_WAY).sum()),
            "reached_theirs": 0,
            **dict.fromkeys(("made_by", "word", "over", "why"), ""),
        }
        if not statistics.t_interval(test - guess).low > 0:
            yield row | {"beside": LIF, "cost": "", "why": "not above guessing"}
            continue
        learned = ways.mean() >= HALF_WAY
        if not learned:
            yield row | {"beside": LIF, "cost": "", "why": "not half of the way to the best"}
        for beside, networks in ((LIF, lif), (EVERYTHING, every)) if learned else ():
            costs = own[list(MAIN)].to_numpy(float).T
            for cost, paid in zip(MAIN, costs, strict=True):
                if np.isfinite(paid).all():
                    fronts = [Frontier.of(on(networks, seed), cost) for seed in seeds]
                    gap = _less(test, np.array([front.at(paid) for front in fronts]).T)
                    yield row | {"beside": beside, "cost": cost} | _gap(gap)
        as_large = np.array([_of_size(lif[lif["seed"] == x], own["units"].iloc[0]) for x in seeds])
        if np.isfinite(as_large).all():
            gap = _less(test, np.tile(as_large, (len(test), 1)))
            yield row | {"beside": EQUAL_UNITS, "cost": ""} | _gap(gap)
        whole = methods.get(own["counterpart"].iloc[0])
        if whole is not None:
            paired = (own["test"] - whole["test"]).dropna().to_numpy(float)
            yield row | {"beside": END_TO_END, "cost": ""} | _gap(statistics.t_interval(paired))


def _of_size(lif: Table, units: float) -> float:
    """Accuracy of the reference with spikes that has so many units, whose messages have no price.

    Between two sizes a line over the logarithm of units; beyond them, or without any, nan.
    """
    own = lif[lif["price"] == 0].sort_values("units")
    if own.empty:
        return np.nan
    sizes, test = (own[name].to_numpy(float) for name in ("units", "test"))
    return float(np.interp(np.log(units), np.log(sizes), test, np.nan, np.nan))


def _gap(interval: Interval) -> dict[str, float]:
    return {"gap": interval.mean, "gap_low": interval.low, "gap_high": interval.high}


def _less(mine: NDArray, theirs: NDArray) -> Interval:
    """A method less references, whose seeds are other ones: over both, as Welch's test is.

    Args:
        mine: Of its networks, (network,).
        theirs: What each seed has in its place, (network, seed).
    """
    each = theirs.mean(axis=0)
    extra = float(each.var(ddof=1)) / each.size if min(theirs.shape) > 1 else 0.0
    return statistics.t_interval(mine - theirs.mean(axis=1), extra, each.size - 1.0)
