"""Cost ratio of spiking and non-spiking networks at equal accuracy, paired by seed.

The cost of a side is the least one at an accuracy level that both sides reach on every seed. There
is no ratio if a side misses the level on a seed, or if the best network is not above chance. The
talks' networks are compared by the accuracy that they lose at equal cost. Where one of them is more
accurate than our spiking baselines at equal cost, these baselines are not trained well enough, and
comparisons under that cost model are not assessed. A comparison with a single seed on either side
has no interval and no verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    BEST_OVERALL,
    BEST_TRAINED,
    COMPETITORS,
    COSTS,
    LEAKY_UNITS,
    LIF,
    RULE,
    TRAINED,
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
it an accuracy has no price (protocol.yaml: comparison_rules.min_relative_accuracy)."""
EQUAL_SIZE, END_TO_END = "equal_size", "end_to_end"
"""What a method is held against beside frontiers: see `_rules`."""
ALIKE = 1.25
"""Ratios closer to 1 than this, either way, are no difference."""
DIGITS = 9
"""Digits after which two numbers are equal: sums in another order differ in the last ones."""
LESS, MORE, NO_DIFFERENCE = "less", "more", "no difference"
INCONCLUSIVE, NOT_ASSESSED = "inconclusive", "not assessed"
PARTLY = f" or {INCONCLUSIVE}"
"""After a word that some accounts have, where the others have none."""
NONE_ABOVE_CHANCE = "no network is above chance (a single network cannot be)"
ABOVE_BASELINES = "more accurate than our spiking baselines at equal cost"
ASSUMPTIONS = {"leak": "cost of updates", "clocked": "update model", "memory": "memory"}
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
        better_methods = {cost: _find_better_methods(task, cost) for cost in COSTS}
        for compared_with in dict.fromkeys((*COMPETITORS, *rivals(task))):
            rows += _summarise(_compared(task, compared_with), better_methods)
        rows += _rules(task)
    return ADVANTAGE.table(rows)


def _find_better_methods(task: Table, cost: str) -> list[str]:
    """Methods of the talks that are more accurate than our spiking baselines at equal cost."""
    lif = side(task, LEAKY_UNITS, spikes=True)
    if lif.empty:
        return []
    methods = task[task["network_type"] == RULE].groupby("family", sort=False)
    return [
        str(name)
        for name, networks in methods
        if _has_learned(task, networks)
        and (gap := _gap_to_frontier(networks, lif, cost)) is not None
        and round(gap.low, DIGITS) > 0
    ]


def _summarise(
    rows: Iterable[dict[str, Any]], better_methods: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Mark comparisons that are not assessed, and add the verdict over the main cost models.

    Args:
        rows: One comparison on one task, a row per cost.
        better_methods: Cost -> methods of the talks that are better than our spiking baselines.
    """
    marked = [
        {
            **row,
            "verdict": NOT_ASSESSED,
            "comment": f"{', '.join(methods)}: {ABOVE_BASELINES}",
        }
        if (methods := better_methods[row["cost_model"]])
        else row
        for row in rows
    ]
    words = {row["cost_model"]: row["verdict"] for row in marked if row["cost_model"] in MAIN}
    summary = over(words) if all(words.values()) else ""
    return [{**row, "verdict_all_cost_models": summary} for row in marked]


def rivals(task: Table) -> list[str]:
    """The trained families without spikes of a task, each an opponent by itself."""
    trained = task[(task["network_type"] == TRAINED) & (task["family"] != LIF)]
    return trained["family"].unique().tolist()


def word(low: float, high: float) -> str:
    """What the 95 % interval of a ratio says; of one seed nothing.

    No difference if all of it is within `ALIKE`, whatever its sign, as accuracies within delta are
    equal; else on which side of 1 it lies.
    """
    low, high = np.round([low, high], DIGITS)
    if low >= 1 / ALIKE and high <= ALIKE:
        return NO_DIFFERENCE
    return MORE if low > 1 else LESS if high < 1 else INCONCLUSIVE


def over(words: Mapping[str, str]) -> str:
    """Summarise the verdicts under several cost models.

    The one verdict of all; with `PARTLY` if the others are open, because an open verdict does not
    contradict it; or the assumptions, as few as possible, that change one verdict into another. It
    ends with the cost models under which the comparison is not assessed, if there are any.

    Args:
        words: Cost model -> verdict.
    """
    missing = [name for name, word in words.items() if word == NOT_ASSESSED]
    if len(missing) == len(words):
        return NOT_ASSESSED
    if missing:
        assessed = {name: word for name, word in words.items() if word != NOT_ASSESSED}
        return f"{over(assessed)}; {NOT_ASSESSED} under {', '.join(missing)}"
    said = {name: word for name, word in words.items() if word != INCONCLUSIVE}
    if len(set(said.values())) < 2:
        return next(iter(said.values()), INCONCLUSIVE) + PARTLY * (0 < len(said) < len(words))
    pairs = [(ACCOUNTS[a], ACCOUNTS[b]) for a, b in combinations(said, 2) if said[a] != said[b]]
    apart = [[x for x in ASSUMPTIONS if getattr(a, x) != getattr(b, x)] for a, b in pairs]
    turns = {x for own in apart for x in own if len(own) == min(map(len, apart))}
    changed = [says for x, says in ASSUMPTIONS.items() if x in turns]
    return "depends on: " + ", ".join(changed)


def rights(task: Table) -> list[Table]:
    """Test accuracy of the best trained networks of a task by seed: with spikes, without."""
    sides = (side(task, BEST_TRAINED, spikes=spikes) for spikes in (True, False))
    return [best(networks, "seed").set_index("seed")["test_accuracy"] for networks in sides]


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
        "subject": "spikes",
        "compared_with": beside,
        "n_seeds": len(seeds),
        "n_reached_spiking": 0,
        "n_reached_other": 0,
        **dict.fromkeys(("cheapest_family", "verdict", "verdict_all_cost_models", "comment"), ""),
    }
    guess, validation, test = of_the_best(task, seeds)
    if not seeds or not statistics.t_interval(test - guess).low > 0:
        row["comment"] = (
            NONE_ABOVE_CHANCE if seeds else "the two sides have no networks with the same seeds"
        )
        yield from ({**row, "cost_model": cost} for cost in COSTS)
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
        f"relative accuracy {w:g} reached by spiking networks on {mine} and by non-spiking "
        f"networks "
        f"on {theirs} of {len(seeds)} seeds"
        for w, (mine, theirs) in reached.items()
        if w >= way and min(mine, theirs) < len(seeds)
    )
    row |= {
        "relative_accuracy": way,
        "accuracy": float(levels[way].mean()),
        "comment": "; ".join(missed),
    }
    for cost in COSTS:
        least, row["cheapest_family"] = read[way, cost]
        row["n_reached_spiking"], row["n_reached_other"] = np.isfinite(least).sum(axis=1).tolist()
        # What is not reached is nan, and so not above 0.
        yield row | {"cost_model": cost} | (_ratio(*least) if (least > 0).all() else {})


def _seeds(sides: Sequence[Table]) -> list[float]:
    """The seeds on which every trained family of both sides has networks."""
    trained = [own[own["network_type"] == TRAINED].groupby("family")["seed"] for own in sides]
    each = [set(seeds) for groups in trained for _, seeds in groups]
    return sorted(set.intersection(*each)) if each and not any(own.empty for own in sides) else []


def of_the_best(task: Table, seeds: Sequence[float]) -> NDArray:
    """Guessing, validation and test accuracy, (3, seed), of the best reference networks.

    Validation data choose them, one on every seed.
    """
    reference = task[task["network_type"] != RULE]
    best = [on(reference, seed)["validation_accuracy"].idxmax() for seed in seeds]
    return reference.loc[best, ["chance", "validation_accuracy", "test_accuracy"]].to_numpy(float).T


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
    told = zip(("cost_spiking", "cost_other", "ratio", "ci_low", "ci_high"), ends, strict=True)
    return {**dict(told), "verdict": word(*ends[-2:])}


# ---- what methods of the talks give away ---------------------------------------------------------


def _rules(task: Table) -> Iterator[dict[str, Any]]:
    """Rows of every method: its accuracy less that of what it is held against.

    That is, at equal energy, the lif frontier and that of all; the spiking reference of as many
    units; for a local rule the same network trained end to end. One that is not above guessing is
    held against nothing.
    """
    lif = side(task, LEAKY_UNITS, spikes=True)
    seeds = sorted(set(lif["seed"]))
    every = task[(task["network_type"] != RULE) & task["seed"].isin(seeds)]
    held = task[(task["network_type"] == RULE) & bool(seeds)]
    methods = {name: own.set_index("seed") for name, own in held.groupby("family", sort=False)}
    for name, own in methods.items():
        guess, best, _ = of_the_best(task, seeds).mean(axis=1)
        test = own["test_accuracy"].to_numpy(float)
        ways = (test - guess) / (best - guess)
        row = {
            "task": task["task"].iloc[0],
            "subject": name,
            "relative_accuracy": float(ways.mean()),
            "accuracy": float(test.mean()),
            "n_seeds": len(own),
            "n_reached_spiking": int((ways >= HALF_WAY).sum()),
            "n_reached_other": 0,
            **dict.fromkeys(
                ("cheapest_family", "verdict", "verdict_all_cost_models", "comment"), ""
            ),
        }
        if not statistics.t_interval(test - guess).low > 0:
            yield row | {"compared_with": LIF, "cost_model": "", "comment": "not above chance"}
            continue
        learned = ways.mean() >= HALF_WAY
        if not learned:
            yield row | {
                "compared_with": LIF,
                "cost_model": "",
                "comment": "less than half of the range from chance to the best accuracy",
            }
        for beside, networks in ((LIF, lif), (BEST_OVERALL, every)) if learned else ():
            for cost in MAIN:
                gap = _gap_to_frontier(own, networks, cost)
                if gap is not None:
                    yield row | {"compared_with": beside, "cost_model": cost} | _gap(gap)
        as_large = np.array(
            [_of_size(lif[lif["seed"] == x], own["n_hidden"].iloc[0]) for x in seeds]
        )
        if np.isfinite(as_large).all():
            gap = _less(test, np.tile(as_large, (len(test), 1)))
            yield row | {"compared_with": EQUAL_SIZE, "cost_model": ""} | _gap(gap)
        whole = methods.get(own["counterpart"].iloc[0])
        if whole is not None:
            paired = (own["test_accuracy"] - whole["test_accuracy"]).dropna().to_numpy(float)
            yield (
                row
                | {"compared_with": END_TO_END, "cost_model": ""}
                | _gap(statistics.t_interval(paired))
            )


def _has_learned(task: Table, networks: Table) -> bool:
    """Whether a method is above chance, and on average half of the way from chance to the best."""
    lif = side(task, LEAKY_UNITS, spikes=True)
    chance, best_validation, _ = of_the_best(task, sorted(set(lif["seed"]))).mean(axis=1)
    test = networks["test_accuracy"].to_numpy(float)
    above_chance = statistics.t_interval(test - chance).low > 0
    return bool(above_chance and (test.mean() - chance) / (best_validation - chance) >= HALF_WAY)


def _gap_to_frontier(networks: Table, baselines: Table, cost: str) -> Interval | None:
    """Accuracy of a method minus that of baselines at equal cost; None where it has no such cost.

    Args:
        networks: Networks of the method, one per seed.
        baselines: Networks of which every seed has a frontier.
        cost: One of `COSTS`.
    """
    paid = networks[cost].to_numpy(float)
    if not np.isfinite(paid).all():
        return None
    fronts = [Frontier.of(own, cost) for _, own in baselines.groupby("seed")]
    return _less(
        networks["test_accuracy"].to_numpy(float), np.array([front.at(paid) for front in fronts]).T
    )


def _of_size(lif: Table, units: float) -> float:
    """Accuracy of the reference with spikes that has so many units, whose messages have no price.

    Between two sizes a line over the logarithm of units; beyond them, or without any, nan.
    """
    own = lif[lif["spike_penalty"] == 0].sort_values("n_hidden")
    if own.empty:
        return np.nan
    sizes, test = (own[name].to_numpy(float) for name in ("n_hidden", "test_accuracy"))
    return float(np.interp(np.log(units), np.log(sizes), test, np.nan, np.nan))


def _gap(interval: Interval) -> dict[str, float]:
    return {
        "accuracy_difference": interval.mean,
        "accuracy_difference_low": interval.low,
        "accuracy_difference_high": interval.high,
    }


def _less(mine: NDArray, theirs: NDArray) -> Interval:
    """Accuracy of a method minus that of references on other seeds, as in Welch's test.

    One network or one reference seed gives no interval, because its variance is not known.

    Args:
        mine: Of its networks, (network,).
        theirs: What each seed has in its place, (network, seed).
    """
    each = theirs.mean(axis=0)
    if min(theirs.shape) < 2:
        return Interval(float((mine - theirs.mean(axis=1)).mean()), np.nan, np.nan, mine.size)
    variance = float(each.var(ddof=1)) / each.size
    return statistics.t_interval(mine - theirs.mean(axis=1), variance, each.size - 1.0)
