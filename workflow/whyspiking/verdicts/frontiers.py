"""Accuracy against cost over all sizes of a family of networks: which of them are worth having.

A frontier belongs to one side, one data seed and one cost: the upper concave hull of its networks
from guessing, which costs nothing. Between two corners lies what answers some trials with one and
the rest with the other. Corners are chosen by validation data and told with test data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.contract.counts import Counts
from whyspiking.measures import accounting
from whyspiking.measures.accounting import ACCOUNTS, MAIN
from whyspiking.records.frontier_columns import FRONTIERS
from whyspiking.records.tables import Table

TRAINED, BUILT, RULE = "trained", "hand_designed", "learning_rule"
LIF, LEAKY_UNITS, GRU = "lif", "leaky_units", "gru"
BEST_TRAINED, BEST_OVERALL = "best_trained", "best_overall"
COMPETITORS = (LEAKY_UNITS, GRU, BEST_TRAINED, BEST_OVERALL)
"""What spiking networks are compared with. The last two are the best of several families, without
and with hand-designed networks."""
COSTS = (*ACCOUNTS, "n_parameters", "n_messages")
"""What a network can be frugal of, in the order of the tables; the last two are no energy."""


@dataclass(frozen=True)
class Frontier:
    """What one side reaches at which cost, on one data seed.

    Attributes:
        cost: Of its corners, ascending, (corner,); the first is that of guessing, 0.
        accuracy: Of its corners on test data, (corner,).
        rows: Labels of the networks in the table of points, (corner - 1,).
    """

    cost: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    rows: list[Any]

    @classmethod
    def of(cls, points: Table, cost: str) -> Frontier:
        """The frontier of some networks of a task, at least one.

        Args:
            points: With the columns of `columns.POINTS`, and `cost`.
            cost: Name of the column that is paid.
        """
        guess = float(points["chance"].iloc[0])
        costs, validation = (points[name].to_numpy(float) for name in (cost, "validation_accuracy"))
        chosen = corners(costs, validation, guess)
        told = points.iloc[chosen]
        return cls(
            np.concatenate([[0.0], costs[chosen]]),
            np.concatenate([[guess], told["test_accuracy"].to_numpy(float)]),
            told.index.to_list(),
        )

    def least(self, level: float) -> tuple[float, Any]:
        """The least cost of an accuracy, and the network at or above it.

        nan where it is not reached, 0 where guessing reaches it; then there is no network.
        """
        place = int(np.argmax(self.accuracy >= level))
        if place == 0:
            return (0.0 if self.accuracy[0] >= level else np.nan), None
        (c0, c1), (a0, a1) = (x[place - 1 : place + 1] for x in (self.cost, self.accuracy))
        return float(c0 + (c1 - c0) * (level - a0) / (a1 - a0)), self.rows[place - 1]

    def at(self, cost: Any) -> Any:
        """Accuracy at a cost, or at several."""
        return np.interp(cost, self.cost, self.accuracy)


def corners(cost: NDArray, accuracy: NDArray, guess: float) -> list[int]:
    """The networks on the upper concave hull from (0, guess), by increasing cost.

    Args:
        cost: (network,), not negative.
        accuracy: (network,).
        guess: Accuracy of what costs nothing.
    """
    hull, kept = [(0.0, guess)], []
    for place in np.lexsort((-accuracy, cost)).tolist():
        x, y = float(cost[place]), float(accuracy[place])
        if y > hull[-1][1]:
            while kept and _below(hull[-2], hull[-1], (x, y)):
                hull.pop()
                kept.pop()
            hull.append((x, y))
            kept.append(place)
    return kept


def _below(before: tuple[float, float], at: tuple[float, float], to: tuple[float, float]) -> bool:
    """Whether a point lies on or below the line between its neighbours."""
    rise, run = at[1] - before[1], at[0] - before[0]
    return rise * (to[0] - before[0]) <= (to[1] - before[1]) * run


def priced(points: Table, config: Mapping[str, Any]) -> Table:
    """The points with a column for the energy under every account.

    Args:
        points: With the columns of `columns.POINTS`.
        config: The config's `energy` block.
    """
    counts = Counts(**{field.name: points[field.name].to_numpy(float) for field in fields(Counts)})
    return points.assign(
        **{name: accounting.energy(counts, account, config) for name, account in ACCOUNTS.items()}
    )


def side(points: Table, beside: str, *, spikes: bool) -> Table:
    """The networks of one task that are on one side of a comparison.

    Args:
        points: Networks of the task.
        beside: One of `COMPETITORS`.
        spikes: Whether the side with spikes.
    """
    lif, trained = points["family"] == LIF, points["network_type"] == TRAINED
    if beside == BEST_OVERALL:
        return points[(lif == spikes) & (points["network_type"] != RULE)]
    return points[
        trained
        & (lif if spikes else ~lif if beside == BEST_TRAINED else points["family"] == beside)
    ]


def best(points: Table, *by: str) -> Table:
    """The networks with the highest accuracy on validation data, one a group."""
    return points.loc[points.groupby(list(by))["validation_accuracy"].idxmax()]


def on(points: Table, seed: float) -> Table:
    """The networks of a data seed."""
    return points[points["seed"] == seed]


def table(points: Table, config: Mapping[str, Any]) -> Table:
    """The points with their energies, and where each is a corner of its family's frontier.

    Args:
        points: With the columns of `columns.POINTS`.
        config: The config's `energy` block.

    Returns:
        A table with the columns of `columns.FRONTIERS`.
    """
    known = priced(points, config).reset_index(drop=True)
    trained = known[known["network_type"] == TRAINED].groupby(["task", "family", "seed"])
    corner = {name: {r for _, own in trained for r in Frontier.of(own, name).rows} for name in MAIN}
    words = [" ".join(name for name in MAIN if row in corner[name]) for row in known.index]
    return pd.DataFrame(known.assign(pareto_optimal_under=words)[FRONTIERS.names])
