"""A programme to resolve it: what would decide the comparisons on shared tasks that are undecided.

For every one the test that needs fewer seeds: whether the method differs from its matched control,
or whether the two are equal within delta. How many seeds it needs follows from the mean and the
spread that were seen, so it is a plan and no promise: with three seeds both are rough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whyspiking.declared.registry import Talk
from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts.common_ground import (
    ALPHA,
    METHOD,
    UNDECIDED,
    YES,
    Entry,
    difference,
    entries,
    matched,
)

POWER = 0.8
MOST = 1000
"""A plan of more seeds is none."""
PLACE = ("talk", "experiment", "variant")
DIFFERS, EQUAL = "differs", "equal"


def of(
    shared: Table, metrics: Table, talks: Mapping[str, Talk], config: Mapping[str, Any]
) -> Table:
    """The seeds that every undecided comparison needs, cheapest first.

    Args:
        shared: Rows of shared.csv.
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
        config: The run configuration; `shared.delta`.

    Returns:
        A table with the columns of `columns.PROGRAMME`; comparisons of one seed, which has no
        spread, need what is not known and are left out.
    """
    rows = []
    for task in dict.fromkeys(shared["task"]):
        own: Table = tables.where(shared, task=task, kind=METHOD)
        # The first step of Holm's correction, the hardest.
        alpha = ALPHA / max(1, int(own["p_value"].notna().sum()))
        undecided = tables.where(own, verdict=UNDECIDED, counted=YES)
        places = set(zip(*(undecided[name] for name in PLACE), strict=True))
        trained = entries(metrics, talks, task)
        for entry in trained:
            control = matched(entry, trained)
            if tuple(entry.place[name] for name in PLACE) not in places or control is None:
                continue
            seen = difference(entry, control)
            if seen.seeds < 2:
                continue
            plan = _plan(seen, config["shared"]["delta"], alpha)
            missing = max(plan["needed"] - seen.seeds, 0)
            minutes = missing * sum(map(_training_seconds, (entry, control))) / 60
            place = {"task": task, "at": entry.at, **entry.place, "control": control.variant.name}
            effect = {"difference": seen.mean, "spread": seen.spread, "seeds": seen.seeds}
            rows.append({**place, **effect, "alpha": alpha, **plan, "cpu_minutes": minutes})
    rows.sort(key=lambda row: row["cpu_minutes"])
    return columns.PROGRAMME.table(rows)


def _training_seconds(entry: Entry) -> float:
    rows: Table = tables.where(entry.rows, metric="train_cpu_seconds")
    return float(rows["value"].mean())


def _plan(seen: Interval, delta: float, alpha: float) -> dict[str, Any]:
    needed = {
        DIFFERS: statistics.seeds_to_differ(seen.mean, seen.spread, alpha, POWER, MOST),
        EQUAL: statistics.seeds_to_equal(seen.mean, seen.spread, delta, alpha, POWER, MOST),
    }
    asks = min(needed, key=lambda name: needed[name])
    return {"asks": asks, "needed": needed[asks]}
