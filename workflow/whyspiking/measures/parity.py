"""Whether two engines, or two time steps, give the same network (Q1, Q2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes, gaps_of_first_spikes
from whyspiking.contract.types import Labels, Outcome, Trials
from whyspiking.measures import scoring


def compare_rates(
    simulated: Mapping[str, Spikes], reference: Mapping[str, NDArray]
) -> dict[str, float]:
    """Q1 of spike counts: their correlation over neurons, counts summed over trials.

    Args:
        simulated: Population -> spike trains in Brian2.
        reference: Population -> spike counts (trial, neuron) in the engine of training.

    Returns:
        `rate_correlation`; nothing where all neurons fire equally often.
    """
    names = [name for name in reference if name in simulated]
    if not names:
        return {}
    ours = np.concatenate([simulated[name].counts().sum(axis=0) for name in names])
    theirs = np.concatenate([np.asarray(reference[name]).sum(axis=0) for name in names])
    if np.ptp(ours) == 0 or np.ptp(theirs) == 0:
        return {}
    return {"rate_correlation": float(np.corrcoef(ours, theirs)[0, 1])}


def compare_outcomes(simulated: Outcome, reference: Outcome) -> dict[str, float]:
    """Q1 of what the networks said: equal decisions, decision times, difference in score.

    Args:
        simulated: Outcome in Brian2.
        reference: Outcome of the same trials in the engine of training.
    """
    values = {"score_difference": scoring.score(simulated) - scoring.score(reference)}
    if isinstance(simulated, Trials) and isinstance(reference, Trials):
        equal = simulated.choices == reference.choices
        values["equal_decisions"] = float(equal.mean())
        values["spike_time_error"] = _median_gap(
            simulated.decision_ms[equal], reference.decision_ms[equal]
        )
    if isinstance(simulated, Labels) and isinstance(reference, Labels):
        equal = simulated.choices == reference.choices
        values["equal_decisions"] = float(equal[reference.targets >= 0].mean())
    return {name: value for name, value in values.items() if np.isfinite(value)}


def compare_first_spikes(
    simulated: Mapping[str, Spikes], reference: Mapping[str, NDArray], dt_ms: float
) -> dict[str, float]:
    """Q1 of first spikes: partners, median time error and equal sets of firing neurons.

    Args:
        simulated: Population -> spike trains in Brian2.
        reference: Population -> first spike times (trial, neuron) in ms in the engine of training.
        dt_ms: Step of the simulation; spikes of both engines no further apart are partners.

    Returns:
        `spike_partners` over all populations; `spike_time_error` and, over all its neurons and
        trials, `spike_time_error_p99` and `spike_time_error_max` for a population named "output";
        `spike_time_error_hidden` and `equal_spike_sets` over all others.
    """
    pairs = {
        name: (simulated[name].first_ms(), np.asarray(first, float))
        for name, first in reference.items()
        if name in simulated
    }
    errors: dict[str, float] = {}
    if "output" in pairs:
        errors["spike_time_error"] = _median_gap(*pairs["output"])
        every = gaps_of_first_spikes(*pairs["output"], simulated["output"].duration_ms)
        errors["spike_time_error_p99"] = float(np.quantile(every, 0.99))
        errors["spike_time_error_max"] = float(every.max())
    if pairs:
        ours, theirs = _flat(pairs.values())
        fired = np.isfinite(ours) | np.isfinite(theirs)
        partners = np.abs(ours[fired] - theirs[fired]) <= dt_ms
        errors["spike_partners"] = float(partners.mean()) if partners.size else np.nan
    if others := [pair for name, pair in pairs.items() if name != "output"]:
        ours, theirs = _flat(others)
        errors["spike_time_error_hidden"] = _median_gap(ours, theirs)
        errors["equal_spike_sets"] = float((np.isfinite(ours) == np.isfinite(theirs)).mean())
    return {name: value for name, value in errors.items() if np.isfinite(value)}


def step_sensitivity(half_step: Outcome, full_step: Outcome) -> float:
    """Q2: score at half the time step minus score, same trials."""
    return scoring.score(half_step) - scoring.score(full_step)


def _flat(pairs: Iterable[tuple[NDArray, NDArray]]) -> list[NDArray]:
    """Both sides of all pairs in one array each."""
    return [np.concatenate([x.ravel() for x in side]) for side in zip(*pairs, strict=True)]


def _median_gap(ours: NDArray, theirs: NDArray) -> float:
    both = np.isfinite(ours) & np.isfinite(theirs)
    return float(np.median(np.abs(ours[both] - theirs[both]))) if both.any() else np.nan
