"""How the neurons of a population fire: rate, share of active neurons, regularity, bursts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes, narrow

LEAST_INTERVALS = 20
"""Intervals that a neuron needs before their variation says something about it."""
BURST_MS = 10.0
"""Longest interval within a burst: 100 Hz or more, as de Kock et al. 2021 count bursts."""


@dataclass(frozen=True)
class Intervals:
    """Intervals between spikes of one neuron in one trial, neuron by neuron, trial by trial.

    Attributes:
        gaps_ms: The intervals, (interval,).
        units: Neuron of each, non-decreasing, (interval,).
        trials: Trial of each, non-decreasing within a neuron, (interval,).
        n_units: Number of neurons.
        n_spikes: Number of spikes behind them.
    """

    gaps_ms: NDArray[np.float64]
    units: NDArray[np.int32]
    trials: NDArray[np.int32]
    n_units: int
    n_spikes: int

    @classmethod
    def of(cls, spikes: Spikes) -> Intervals:
        """Intervals between spikes of the same neuron and trial, of one population."""
        # Trains are in the order of trials and times, and a stable sort keeps it.
        order = np.argsort(narrow(spikes.units, spikes.n_units), kind="stable")
        times = spikes.times_ms[order]
        units, trials = spikes.units[order], spikes.trials[order]
        within = (np.diff(units) == 0) & (np.diff(trials) == 0)
        gaps = np.diff(times)[within]
        return cls(gaps, units[1:][within], trials[1:][within], spikes.n_units, len(spikes))

    def continued(self) -> NDArray[np.bool_]:
        """Whether an interval begins where the one before ends, (interval - 1,)."""
        return (np.diff(self.units) == 0) & (np.diff(self.trials) == 0)


def activity(spikes: Spikes) -> dict[str, float]:
    """Rate, active share, irregularity and bursts of one population, by name of `GLOSSARY`.

    Returns:
        `rate_hz`, `active_share`, `isi_cv`, `isi_cv_trial`, `isi_lv` and `burst_fraction`; nan
        where no neuron has enough intervals, or there is no spike.
    """
    n = spikes.n_trials * spikes.n_units
    active = np.zeros((spikes.n_trials, spikes.n_units), bool)
    active[spikes.trials, spikes.units] = True
    intervals = Intervals.of(spikes)
    return {
        "rate_hz": 1000 * len(spikes) / (n * spikes.duration_ms),
        "active_share": np.count_nonzero(active) / n,
        "isi_cv": pooled_variation(intervals),
        "isi_cv_trial": variation_within_trials(intervals),
        "isi_lv": local_variation(intervals),
        "burst_fraction": burst_fraction(intervals),
    }


def pooled_variation(intervals: Intervals, least: int = LEAST_INTERVALS) -> float:
    """Coefficient of variation of the intervals between spikes: 0 regular, 1 Poisson.

    The intervals of a neuron are those within trials, all trials together, so a rate that differs
    between trials, or changes within them, adds to its variation; intervals close to the length of
    a trial are rarely seen.

    Args:
        intervals: Intervals of one population.
        least: A neuron with fewer intervals does not count.

    Returns:
        Mean over neurons; nan where no neuron has `least` intervals.
    """
    return _mean_variation(intervals.gaps_ms, intervals.units, intervals.n_units, least)


def variation_within_trials(intervals: Intervals, least: int = LEAST_INTERVALS) -> float:
    """Coefficient of variation of intervals within a trial: rates may differ between trials.

    Args:
        intervals: Intervals of one population.
        least: A neuron does not count in a trial in which it has fewer intervals.

    Returns:
        Mean over neurons and trials; nan where no neuron has `least` intervals in any trial.
    """
    if not intervals.gaps_ms.size:
        return np.nan
    train = np.concatenate([[0], np.cumsum(~intervals.continued())])
    return _mean_variation(intervals.gaps_ms, train, int(train[-1]) + 1, least)


def local_variation(intervals: Intervals, least: int = LEAST_INTERVALS) -> float:
    """Lv: how much successive intervals differ (Shinomoto et al. 2003, 2009): 0 regular, 1 Poisson.

        Lv = 3 < ((I_k - I_{k+1}) / (I_k + I_{k+1}))^2 >

    A rate that changes slowly adds nothing to it. Intervals of a gamma law of order k have
    3 / (2 k + 1).

    Args:
        intervals: Intervals of one population.
        least: A neuron with fewer pairs of successive intervals does not count.

    Returns:
        Mean over neurons; nan where no neuron has `least` pairs.
    """
    first, second = intervals.gaps_ms[:-1], intervals.gaps_ms[1:]
    # Two spikes of one time step have no interval to compare.
    kept = intervals.continued() & (first + second > 0)
    first, second, owner = first[kept], second[kept], intervals.units[1:][kept]
    pairs = np.bincount(owner, minlength=intervals.n_units)
    enough = pairs >= least
    if not enough.any():
        return np.nan
    differences = ((first - second) / (first + second)) ** 2
    sums = np.bincount(owner, weights=differences, minlength=intervals.n_units)
    return float((3 * sums[enough] / pairs[enough]).mean())


def burst_fraction(intervals: Intervals, longest_ms: float = BURST_MS) -> float:
    """Share of events that are bursts: two or more spikes with short intervals between them.

    Args:
        intervals: Intervals of one population.
        longest_ms: Longest interval within a burst; a longer one ends an event.

    Returns:
        Bursts over bursts and single spikes, all neurons together; nan without spikes.
    """
    if not intervals.n_spikes:
        return np.nan
    short = intervals.gaps_ms <= longest_ms + 1e-9
    # A short interval that continues another belongs to the same burst.
    further = short[1:] & short[:-1] & intervals.continued()
    bursts = np.count_nonzero(short) - np.count_nonzero(further)
    return bursts / (intervals.n_spikes - np.count_nonzero(short))


def _mean_variation(gaps: NDArray, owner: NDArray, n: int, least: int) -> float:
    """Mean over owners of the coefficient of variation of their gaps."""
    counts = np.bincount(owner, minlength=n)
    enough = counts >= least
    if not enough.any():
        return np.nan
    mean = np.bincount(owner, weights=gaps, minlength=n) / np.maximum(counts, 1)
    squares = np.bincount(owner, weights=(gaps - mean[owner]) ** 2, minlength=n)
    spread = np.sqrt(squares[enough] / (counts[enough] - 1))
    return float((spread / mean[enough]).mean())
