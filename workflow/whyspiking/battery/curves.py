"""Rows of the metrics table: the score of one condition, and summaries of a whole curve."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from whyspiking.battery import conditions
from whyspiking.contract import perturb, places
from whyspiking.contract.types import Condition, Outcome
from whyspiking.measures import robustness, scoring
from whyspiking.records import tables

SCORE_LOSSES = {"shuffle": "timing_index", "reverse": "reversal_loss", "shift": "shift_loss"}
"""Perturbation of one strength -> the share of the score above chance that is lost under it.

1 - N, with the normalised score N: 0 nothing is lost, 1 all, above 1 misleading. T1: times redrawn,
counts kept (0 for a rate code, 1 where timing carries all); T4: time reversed; T5: every neuron's
train moved as a whole by jitter of one characteristic time.
"""
type Measurement = tuple[Condition, Mapping[str, float], int]
"""A condition, its measures, and their number of trials."""
SUMMARISED = (*perturb.ON_SPIKES, *perturb.ON_NUMBERS)


def mean_measures(outcomes: Sequence[Outcome], clean: float, chance: float) -> dict[str, float]:
    """Average score, its parts and normalised score over the draws of one condition.

    Args:
        outcomes: One outcome per draw.
        clean: Score of the same trials without perturbation.
        chance: Chance score of the clean run.
    """
    measures_by_draw = [{"score": scoring.score(x), **scoring.beside_score(x)} for x in outcomes]
    means = {
        name: float(np.mean([draw[name] for draw in measures_by_draw]))
        for name in measures_by_draw[0]
    }
    return {**means, "normalised_score": scoring.normalised(means["score"], clean, chance)}


def measured_once(
    planned: Sequence[Condition],
    run_draws: Callable[[Condition], Sequence[Outcome]],
    single_spike_locations: Collection[str],
    report_start: Callable[[int, Condition], None],
    *,
    clean: float,
    chance: float,
    trials: int,
) -> Iterator[Measurement]:
    """Measure every common condition.

    Args:
        planned: The conditions; one of equal distribution as another is not run again.
        run_draws: Gives one outcome per draw of a condition.
        single_spike_locations: Locations at which no neuron fires twice in a trial.
        report_start: Called with the number of a condition before it is run.
        clean: Score of the same trials without perturbation.
        chance: Chance score of the clean run.
        trials: Number of trials behind each.
    """
    means: dict[Condition, dict[str, float]] = {}
    for index, condition in enumerate(planned):
        report_start(index, condition)
        representative = conditions.measured_as(condition, single_spike_locations)
        if representative not in means:
            means[representative] = mean_measures(run_draws(representative), clean, chance)
        yield condition, means[representative], trials


def rows_of(
    shared: Mapping[str, Any],
    measured: Iterable[Measurement],
    tau_ms: float,
    trials: int,
) -> list[dict[str, Any]]:
    """Make rows of every condition, then those that sum up each common one (T1, T3 to T5, R1, R2).

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
            values = _summarize_curve(name, strengths, scores, tau_ms)
            rows += tables.rows(places.at(shared, Condition(name, location)), values, trials)
    return rows


def _summarize_curve(
    name: str, strengths: np.ndarray, scores: np.ndarray, tau_ms: float
) -> dict[str, float]:
    if name in SCORE_LOSSES:
        return {SCORE_LOSSES[name]: 1.0 - float(scores[0])}
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
