"""Experiments that would decide what the frontiers leave open, and how many networks each takes.

An open word is worth deciding where both sides reach the level, so none is near chance. It is
decided by as many fresh seeds as put the 95 % interval of the paired log ratio on one side of 1, or
inside `ALIKE`, were mean and spread those seen, with a probability of `POWER` at least.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np
from scipy import special

from whyspiking.measures import statistics
from whyspiking.measures.accounting import MAIN
from whyspiking.records import reference, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts.advantage import ALIKE, INCONCLUSIVE, rivals
from whyspiking.verdicts.frontiers import LIF, TRAINED
from whyspiking.verdicts.points import TRAINED_ON

POWER = 0.8
MOST = 5
"""Experiments that are proposed, the cheapest first."""


def table(advantage: Table, frontiers: Table, durations: Table) -> list[dict[str, Any]]:
    """At most five experiments, the cheapest first; where no duration is known, the smallest.

    Args:
        advantage: Rows of advantage.csv.
        frontiers: Rows of frontiers.csv.
        durations: Rows of durations.csv.

    Returns:
        Of each its `task`; the family `beside` it; `accounts` under which the word is open; `ratio`
        as `seen` on so many seeds, and the `spread` of its logarithm; fresh `seeds` that would
        decide under all these accounts; `networks` of both families on them, all sizes and prices;
        `minutes` of one core, as recorded, nan where such networks were not timed.
    """
    return sorted(
        _experiments(advantage, frontiers, durations),
        key=lambda row: (np.nan_to_num(row["minutes"], nan=np.inf), row["networks"]),
    )[:MOST]


def _experiments(advantage: Table, frontiers: Table, durations: Table) -> Iterator[dict[str, Any]]:
    """One for every family without spikes beside which a word is open on a task."""
    known = (advantage["verdict"] == INCONCLUSIVE) & np.isfinite(advantage["ci_low"])
    rows = advantage[known & advantage["cost_model"].isin(MAIN)]
    for (task, beside), own in rows.groupby(["task", "compared_with"], sort=False):
        points: Table = tables.where(frontiers, task=task)
        if beside not in rivals(points):
            continue  # what holds beside several families follows from each
        logs = np.log(own[["ratio", "ci_low", "ci_high"]].to_numpy(float))
        seen = int(own["n_seeds"].iloc[0])
        half = (logs[:, 2] - logs[:, 1]) / 2
        spreads = half * np.sqrt(seen) / statistics.t_quantile(statistics.UPPER, seen - 1)
        seeds = [needed(*x) for x in zip(logs[:, 0], spreads, strict=True)]
        most = int(np.argmax(seeds))
        both = points[(points["network_type"] == TRAINED) & points["family"].isin([LIF, beside])]
        a_seed = both.groupby("family")["seed"].agg(lambda x: x.size / x.nunique()).sum()
        yield {
            "task": task,
            "compared_with": beside,
            "accounts": tuple(own["cost_model"]),
            "ratio": float(own["ratio"].iloc[most]),
            "spread": float(spreads[most]),
            "seen": seen,
            "n_seeds": seeds[most],
            "networks": ceil(seeds[most] * a_seed),
            "minutes": seeds[most] * _seconds(durations, str(task), str(beside)) / 60,
        }


def _seconds(durations: Table, task: str, beside: str) -> float:
    """CPU seconds of all networks of both families on one seed; nan where one was not timed."""
    rows = tables.where(
        durations, rule="train", experiment=task + TRAINED_ON, scale=reference.SCALE
    )
    timed = rows.set_index("variant")["cpu_seconds"]
    return float(timed.reindex([LIF, beside]).sum(skipna=False))


def needed(mean: float, spread: float) -> int:
    """Seeds after which the 95 % interval of a log ratio says something.

    Either excludes 0, or lies inside the logarithms of `ALIKE`, whichever takes fewer. Of a t test
    (Guenther 1981, Am. Stat. 35, 243-244, recalled): ((z_a + z_b) spread / distance)^2 + z_a^2 / 2.
    Both edges can be missed where no difference is shown, so that the risk is halved there. Midway
    between 1 and `ALIKE` about half as many do, since either way decides.

    Args:
        mean: Of the log ratio.
        spread: Its standard deviation over seeds.
    """
    at = special.ndtri(statistics.UPPER)
    sides = [(abs(mean), POWER), (np.log(ALIKE) - abs(mean), (1 + POWER) / 2)]
    counts = [
        ((at + special.ndtri(power)) * spread / distance) ** 2 + at**2 / 2
        for distance, power in sides
        if distance > 0
    ]
    return ceil(min(counts))
