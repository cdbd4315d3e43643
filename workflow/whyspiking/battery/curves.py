"""Rows of the metrics table: the score of one condition, and what a whole curve of them says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from whyspiking.battery import conditions
from whyspiking.contract import perturb, places
from whyspiking.contract.types import Condition, Outcome
from whyspiking.measures import robustness, scoring
from whyspiking.records import tables

LOST = {"shuffle": "timing_index", "reverse": "reversal_loss", "shift": "shift_loss"}
"""Perturbation of one strength -> the share of the score above chance that is lost under it.

1 - N, with the normalised score N: 0 nothing is lost, 1 all, above 1 misleading. T1: times redrawn,
counts kept (0 for a rate code, 1 where timing carries all); T4: time reversed; T5: every neuron's
train moved as a whole by jitter of one characteristic time.
"""
type Measurement = tuple[Condition, Mapping[str, float], int]
"""A condition, what was measured under it, and on how many trials."""
SUMMARISED = (*perturb.ON_SPIKES, *perturb.ON_NUMBERS)


def mean_measures(outcomes: Sequence[Outcome], clean: float, chance: float) -> dict[str, float]:
    """Score, its parts and the normalised score, averaged over the draws of one condition.

    Args:
        outcomes: One outcome per draw.
        clean: Score of the same trials without perturbation.
        chance: Chance score of the clean run.
    """
    measured = [{"score": scoring.score(x), **scoring.beside_score(x)} for x in outcomes]
    means = {name: float(np.mean([draw[name] for draw in measured])) for name in measured[0]}
    return {**means, "normalised_score": scoring.normalised(means["score"], clean, chance)}


def measured_once(
    planned: Sequence[Condition],
    outcomes_of: Callable[[Condition], Sequence[Outcome]],
    single: Collection[str],
    before: Callable[[int, Condition], None],
    *,
    clean: float,
    chance: float,
    trials: int,
) -> Iterator[Measurement]:
    """Every common condition with what was measured under it.

    Args:
        planned: The conditions; one of equal distribution as another is not run again.
        outcomes_of: Gives one outcome per draw of a condition.
        single: Locations at which no neuron fires twice in a trial.
        before: Called with the number of a condition before it is run.
        clean: Score of the same trials without perturbation.
        chance: Chance score of the clean run.
        trials: Number of trials behind each.
    """
    means: dict[Condition, dict[str, float]] = {}
    for index, condition in enumerate(planned):
        before(index, condition)
        same = conditions.measured_as(condition, single)
        if same not in means:
            means[same] = mean_measures(outcomes_of(same), clean, chance)
        yield condition, means[same], trials


def rows_of(
    shared: Mapping[str, Any],
    measured: Iterable[Measurement],
    tau_ms: float,
    trials: int,
) -> list[dict[str, Any]]:
    """Rows of every condition, then those that sum up each common one (T1, T3 to T5, R1, R2).

    Args:
        shared: Columns of the clean run.
        measured: All conditions.
        tau_ms: The talk's characteristic time in ms, the unit of jitter.
        trials: Number of trials behind every summary.
    """
    rows: list[dict[str, Any]] = []
    curves: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for condition, values, n_trials in measured:
        rows += tables.rows(places.at(shared, condition), values, n_trials)
        points = curves.setdefault((condition.perturbation, condition.location), [])
        points.append((condition.strength, values["normalised_score"]))
    for (name, location), points in curves.items():
        if name in SUMMARISED:
            strengths, scores = np.array(points).T
            values = _summary(name, strengths, scores, tau_ms)
            rows += tables.rows(places.at(shared, Condition(name, location)), values, trials)
    return rows


def _summary(
    name: str, strengths: np.ndarray, scores: np.ndarray, tau_ms: float
) -> dict[str, float]:
    if name in LOST:
        return {LOST[name]: 1.0 - float(scores[0])}
    if name == "swap_trials":
        return {}
    if name == "jitter":
        limit = {"sigma50": robustness.half_dose(strengths * tau_ms, scores)}
    elif name == "quantise":
        limit = {"bits95": robustness.bits95(strengths, scores)}
    else:
        origin = perturb.ORIGIN.get(name, 0.0)
        limit = {"half_dose": robustness.half_dose(strengths, scores, origin=origin)}
    return {"robustness_area": robustness.robustness_area(strengths, scores), **limit}
