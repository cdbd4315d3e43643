"""Rows of the metrics table: the score of one condition, and what a whole curve of them says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from whyspiking.contract import perturb, places
from whyspiking.contract.types import Condition, Labels, Outcome, Traces, Trials
from whyspiking.measures import robustness, scoring, timing
from whyspiking.records import tables

LOST = {"shuffle": "timing_index", "reverse": "reversal_loss", "shift": "shift_loss"}
"""Perturbation of one strength -> the share of the score above chance that is lost under it."""
SUMMARISED = (*perturb.ON_SPIKES, *perturb.ON_NUMBERS)


def mean_measures(outcomes: Sequence[Outcome], clean: float, chance: float) -> dict[str, float]:
    """Score, its parts and the normalised score, averaged over the draws of one condition.

    Args:
        outcomes: One outcome per draw.
        clean: Score of the same trials without perturbation.
        chance: Chance score of the clean run.
    """
    found: dict[str, float] = {"score": _mean([scoring.score(outcome) for outcome in outcomes])}
    trials = [outcome for outcome in outcomes if isinstance(outcome, Trials)]
    traces = [outcome for outcome in outcomes if isinstance(outcome, Traces)]
    labels = [outcome for outcome in outcomes if isinstance(outcome, Labels)]
    if trials or labels:
        found["accuracy"] = _mean([scoring.accuracy(outcome) for outcome in trials or labels])
    if trials:
        found["undecided"] = _mean([scoring.undecided(outcome) for outcome in trials])
    if traces:
        found["correlation"] = _mean([scoring.correlation(outcome) for outcome in traces])
        found["nrmse"] = _mean([scoring.nrmse(outcome) for outcome in traces])
    found["normalised_score"] = scoring.normalised(found["score"], clean, chance)
    return found


def rows_of(
    shared: Mapping[str, Any],
    measured: Iterable[tuple[Condition, Mapping[str, float], int]],
    tau_ms: float,
    trials: int,
) -> list[dict[str, Any]]:
    """Rows of every condition, then those that sum up each common one (T1, T3 to T5, R1, R2).

    Args:
        shared: Columns of the clean run.
        measured: Every condition with what was measured under it and on how many trials.
        tau_ms: The talk's characteristic time in ms, the unit of jitter.
        trials: Number of trials behind every summary.
    """
    rows: list[dict[str, Any]] = []
    curves: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for condition, values, n_trials in measured:
        rows += tables.rows(places.at(shared, condition), values, n_trials)
        points = curves.setdefault((condition.perturbation, condition.locus), [])
        points.append((condition.strength, values["normalised_score"]))
    for (name, locus), points in curves.items():
        if name not in SUMMARISED:
            continue
        strengths, scores = np.array(points).T
        values = _summary(name, strengths, scores, tau_ms)
        rows += tables.rows(places.at(shared, Condition(name, locus)), values, trials)
    return rows


def _summary(
    name: str, strengths: np.ndarray, scores: np.ndarray, tau_ms: float
) -> dict[str, float]:
    if name in LOST:
        return {LOST[name]: timing.share_lost(float(scores[0]))}
    if name == "swap_trials":
        return {}
    values = {"robustness_area": robustness.robustness_area(strengths, scores)}
    if name == "jitter":
        values["sigma50"] = timing.sigma50(strengths * tau_ms, scores)
    elif name == "quantise":
        values["bits95"] = robustness.bits95(strengths, scores)
    else:
        origin = perturb.ORIGIN.get(name, 0.0)
        values["half_dose"] = robustness.half_dose(strengths, scores, origin=origin)
    return values


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
