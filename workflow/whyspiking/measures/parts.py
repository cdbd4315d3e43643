"""The score in every part of the test set: what other test trials would have changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from whyspiking.contract.types import Labels, Outcome, Trials
from whyspiking.measures import scoring
from whyspiking.records import tables

PART = "part"
"""Perturbation of the rows that hold them."""
PARTS = 20
"""Number of parts where no unit is named: every twentieth trial each."""


def rows(shared: Mapping[str, Any], outcome: Outcome) -> list[dict[str, Any]]:
    """`by_part` as rows of the metrics table; `shared` are their other columns."""
    return [
        row
        for place, values, trials in by_part(outcome)
        for row in tables.rows({**shared, **place}, values, trials)
    ]


def by_part(outcome: Outcome) -> Iterator[tuple[dict[str, Any], dict[str, float], int]]:
    """Accuracy, and time of the decision, in every part of the test trials.

    Parts are the units that an outcome names (`Task.units`: all trials of one voice), else every
    twentieth trial. Continuous outputs have none: their errors do not add up over trials.

    Yields:
        The place of the part (perturbation, location, strength = its number), what was measured
        there,
        and its number of trials.
    """
    if not isinstance(outcome, Trials | Labels):
        return
    n = scoring.n_trials(outcome)
    named = outcome.units is not None
    units = np.asarray(outcome.units) if named else np.arange(n) % min(n, PARTS)
    for unit in np.unique(units):
        chosen = np.flatnonzero(units == unit)
        part = scoring.select(outcome, chosen)
        values: dict[str, float] = {}
        if isinstance(part, Trials):
            values = {"accuracy": scoring.accuracy(part), **scoring.decision_time(part)}
        elif isinstance(part, Labels) and (part.targets >= 0).any():
            values = {"accuracy": scoring.accuracy(part)}
        place = {"perturbation": PART, "location": "unit" if named else "", "strength": float(unit)}
        yield place, values, int(chosen.size)
