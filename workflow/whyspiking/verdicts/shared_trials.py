"""What the choice of test trials adds to the variance of a mean over networks that share them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from whyspiking.measures import parts, statistics
from whyspiking.records import tables
from whyspiking.records.tables import Table

PREFERRED_ENGINE = "brian2"
"""The engine that counts where several measured a network."""


def variance(
    metrics: Table, metric: str, seeds: Sequence[int], *places: Mapping[str, Any]
) -> tuple[float, float] | None:
    """Variance of the mean over seeds and its degrees of freedom.

    Args:
        metrics: Rows of the metrics table.
        metric: What is compared.
        seeds: Seeds that are compared.
        places: Columns and values of one place, or of two whose difference is judged.

    Returns:
        None where the parts of the test set are not known.
    """
    of_parts = []
    for place in places:
        rows = preferred(tables.where(metrics, metric=metric, perturbation=parts.PART, **place))
        rows = rows[rows["seed"].isin(seeds)]
        if rows.empty:
            return None
        by_part = rows.groupby(["location", "strength"])
        if rows["engine"].nunique() > 1 or (by_part.size() != len(seeds)).any():
            return None
        of_parts.append((by_part["value"].mean(), by_part["n_trials"].mean()))
    (first, weights), *rest = of_parts
    if not rest:
        return statistics.shared_variance(first, weights)
    second, others = rest[0]
    if first.index.equals(second.index):
        return statistics.shared_variance(first - second, weights)
    one, other = (statistics.shared_variance(*x) for x in ((first, weights), (second, others)))
    return one[0] + other[0], min(one[1], other[1])


def preferred(rows: Table) -> Table:
    """Rows of the preferred engine; all rows where it measured none."""
    if PREFERRED_ENGINE in set(rows["engine"]):
        return tables.where(rows, engine=PREFERRED_ENGINE)
    return rows
