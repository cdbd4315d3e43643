"""How far methods come on a shared task with a value of its own: the longest delay they bridge."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping

import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.records import columns
from whyspiking.records.tables import Table
from whyspiking.verdicts import common_ground
from whyspiking.verdicts.common_ground import Entry


def spans(metrics: Table, talks: Mapping[str, Talk]) -> pd.DataFrame:
    """The span of every network that was set several values of a task, over seeds.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.

    Returns:
        A table with the columns of `columns.SPAN`.
    """
    rows = []
    for name, task in shared_tasks().items():
        own = task.own
        networks: dict[tuple[str, str], list[Entry]] = {}
        for entry in common_ground.entries(metrics, talks, name) if own else []:
            networks.setdefault((entry.talk.name, entry.variant.name), []).append(entry)
        for (talk, variant), entries in networks.items():
            values = [entry.at for entry in entries]
            seeds = set.intersection(*(set(entry.scores) for entry in entries))
            if own is None or len(values) < 2 or not seeds:
                continue
            each = [span(values, [e.scores[s] for e in entries], own.span) for s in seeds]
            rows.append(
                {
                    "task": name,
                    "talk": talk,
                    "variant": variant,
                    "role": entries[0].variant.role,
                    "threshold": own.span,
                    "least": values[0],
                    "largest": values[-1],
                    # Of an even number the lower one: no mean with what is beyond all values.
                    "span": statistics.median_low(each),
                    "low": min(each),
                    "high": max(each),
                    "unit": own.unit,
                    "seeds": len(each),
                }
            )
    return columns.SPAN.table(rows)


def span(values: list[float], scores: list[float], threshold: float) -> float:
    """Largest value up to which a network reaches the threshold, between values by logarithm.

    Args:
        values: In rising order.
        scores: Accuracy at each.
        threshold: Accuracy that must be reached.

    Returns:
        -inf where no score reaches it, inf where that of the largest value does.
    """
    reached = [k for k, score in enumerate(scores) if score >= threshold]
    if not reached:
        return -math.inf
    last = reached[-1]
    if last == len(scores) - 1:
        return math.inf
    share = (scores[last] - threshold) / (scores[last] - scores[last + 1])
    return values[last] * (values[last + 1] / values[last]) ** share
