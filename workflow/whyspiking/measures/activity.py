"""How the neurons of a population fire: rate, share of active neurons, regularity."""

from __future__ import annotations

import numpy as np

from whyspiking.contract.spikes import Spikes, narrow

LEAST_INTERVALS = 20
"""Intervals that a neuron needs before their variation says something about it."""


def activity(spikes: Spikes) -> dict[str, float]:
    """Rate, active share and irregularity of one population, by name of `tables.GLOSSARY`.

    Returns:
        `rate_hz`, `active_share` and `isi_cv` (nan where no neuron has enough intervals).
    """
    n = spikes.n_trials * spikes.n_units
    active = np.zeros((spikes.n_trials, spikes.n_units), bool)
    active[spikes.trials, spikes.units] = True
    return {
        "rate_hz": 1000 * len(spikes) / (n * spikes.duration_ms),
        "active_share": np.count_nonzero(active) / n,
        "isi_cv": interval_variation(spikes),
    }


def interval_variation(spikes: Spikes, least: int = LEAST_INTERVALS) -> float:
    """Coefficient of variation of the intervals between spikes: 0 regular, 1 Poisson.

    The intervals of a neuron are those within trials, all trials together, so a rate that differs
    between trials adds to its variation; intervals close to the length of a trial are rarely seen.

    Args:
        spikes: Trains of one population.
        least: A neuron with fewer intervals does not count.

    Returns:
        Mean over neurons; nan where no neuron has `least` intervals.
    """
    # Trains are in the order of trials and times, and a stable sort keeps it.
    order = np.argsort(narrow(spikes.units, spikes.n_units), kind="stable")
    times = spikes.times_ms[order]
    units, trials = spikes.units[order], spikes.trials[order]
    within = (np.diff(units) == 0) & (np.diff(trials) == 0)
    gaps, owner = np.diff(times)[within], units[1:][within]
    counts = np.bincount(owner, minlength=spikes.n_units)
    enough = counts >= least
    if not enough.any():
        return np.nan
    mean = np.bincount(owner, weights=gaps, minlength=spikes.n_units) / np.maximum(counts, 1)
    squares = np.bincount(owner, weights=(gaps - mean[owner]) ** 2, minlength=spikes.n_units)
    spread = np.sqrt(squares[enough] / (counts[enough] - 1))
    return float((spread / mean[enough]).mean())
