"""What recordings of many neurons are summarised by: shared counts, timescale, spread of rates.

The neurons that correlation and timescale look at are a sample of at most `MOST_NEURONS`, so that
their cost is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes, narrow

MOST_NEURONS = 200
"""Neurons of a population whose pairs and autocorrelations are looked at."""
LEAST_SAMPLES = 20
"""Trials, or bins, over which counts of two neurons are correlated."""
COUNT_MS = 100.0
"""Bins of the counts where there are fewer trials than that."""
BIN_MS, LONGEST_LAG_MS, SHORTEST_TRIAL_MS = 50.0, 500.0, 500.0
"""Bins and lags of the autocorrelation, and the trials that allow it (Murray et al. 2014)."""
LEAST_SPIKES = 100
"""Spikes that a neuron needs for an autocorrelation."""
LEAST_NEURONS = 10
"""Active neurons whose rates have a distribution."""
TAUS_MS = np.geomspace(10.0, 2000.0, 400)
"""Timescales that are tried, 1.3 % apart."""


def population(
    spikes: Spikes, rng: np.random.Generator, labels: NDArray | None = None
) -> dict[str, float]:
    """Correlation, timescale and spread of rates of one population, by name of `GLOSSARY`.

    Args:
        spikes: Trains of the population.
        rng: Draws the neurons that are looked at.
        labels: Class of each trial, (trial,), where the trials have classes.

    Returns:
        `count_correlation`, `count_correlation_within`, `timescale`, `rate_spread` and
        `rate_log_skew`; nan where they are undefined.
    """
    chosen = np.arange(spikes.n_units)
    if spikes.n_units > MOST_NEURONS:
        chosen = np.sort(rng.choice(spikes.n_units, MOST_NEURONS, replace=False))
    rates = np.bincount(spikes.units, minlength=spikes.n_units)
    spread, skew = spread_of_rates(rates)
    return {
        "count_correlation": count_correlation(spikes, chosen),
        "count_correlation_within": (
            np.nan if labels is None else count_correlation(spikes, chosen, labels)
        ),
        "timescale": timescale(spikes, chosen),
        "rate_spread": spread,
        "rate_log_skew": skew,
    }


def count_correlation(spikes: Spikes, chosen: NDArray, labels: NDArray | None = None) -> float:
    """Pearson correlation of the spike counts of two neurons, mean over pairs.

    The samples are the trials; where there are fewer than `LEAST_SAMPLES`, bins of `COUNT_MS` of
    all of them. Without labels it is the *total* correlation: two neurons that prefer the same
    stimuli are correlated by that alone. With labels every class is taken about its own mean;
    what is left is shared by stimulus and noise within a class, and is nearest to the noise
    correlation of recordings, which repeat one and the same stimulus (Cohen & Kohn 2011).

    Args:
        spikes: Trains of the population.
        chosen: Neurons whose pairs count, (neuron,).
        labels: Class of each trial, (trial,).

    Returns:
        Mean over pairs of neurons whose counts vary; nan where there is no such pair or there are
        too few samples.
    """
    if spikes.n_trials >= LEAST_SAMPLES:
        counts = spikes.counts()[:, chosen].astype(float)
    elif labels is None:
        bins = [counts.ravel() for counts in _binned(spikes, chosen, COUNT_MS)]
        counts = np.array(bins, float).T
    else:
        return np.nan
    if len(counts) < LEAST_SAMPLES:
        return np.nan
    classes = np.zeros(len(counts), int) if labels is None else np.unique(labels, False, True)[1]
    members = np.bincount(classes)
    means = np.zeros((members.size, counts.shape[1]))
    np.add.at(means, classes, counts)
    counts = counts - (means / members[:, None])[classes]
    size = np.sqrt((counts**2).sum(axis=0))
    # Rounding leaves of a constant count next to nothing.
    varies = size > 1e-9 * len(counts)
    n = np.count_nonzero(varies)
    if n < 2:
        return np.nan
    unit = counts[:, varies] / size[varies]
    # The sum over all pairs, without the matrix: |sum of unit vectors|^2 less n.
    return float(((unit.sum(axis=1) ** 2).sum() - n) / (n * (n - 1)))


def timescale(spikes: Spikes, chosen: NDArray) -> float:
    """Intrinsic timescale in ms: decay of the autocorrelation of counts (Murray et al. 2014).

    Counts in bins of `BIN_MS` are taken about the mean of their bin over trials (about the mean of
    the train, where there is one trial), so that what is locked to the stimulus of all trials does
    not count; autocorrelations are averaged over neurons and fitted by A (exp(-lag / tau) + B),
    least squares, lag 0 left out; B takes up what stays for the whole trial. As there, lags before
    the largest autocorrelation (refractoriness, adaptation) are left out.

    Args:
        spikes: Trains of the population.
        chosen: Neurons that count, (neuron,), if they have `LEAST_SPIKES`.

    Returns:
        tau; nan where trials are shorter than `SHORTEST_TRIAL_MS`, no neuron has enough spikes,
        nothing decays beyond three standard errors of independent counts, or tau is not between
        half a bin and four times the longest lag.
    """
    if spikes.duration_ms < SHORTEST_TRIAL_MS:
        return np.nan
    enough = chosen[np.bincount(spikes.units, minlength=spikes.n_units)[chosen] >= LEAST_SPIKES]
    n_bins = int(spikes.duration_ms / BIN_MS + 1e-9)
    lags = np.arange(1, min(n_bins - 1, round(LONGEST_LAG_MS / BIN_MS)) + 1)
    curves = [_autocorrelation(counts, lags) for counts in _binned(spikes, enough, BIN_MS)]
    curves = [one for one in curves if one is not None]
    if not curves:
        return np.nan
    mean = np.mean(curves, axis=0)
    start = int(np.argmax(mean[: lags.size // 2 + 1]))
    lags, mean = lags[start:], mean[start:]
    samples = len(curves) * spikes.n_trials * (n_bins - lags)
    if mean[0] - mean[-1] < 3 * np.sqrt(1 / samples[0] + 1 / samples[-1]):
        return np.nan
    tau = _decay(lags * BIN_MS, mean)
    return tau if BIN_MS / 2 < tau < 4 * lags[-1] * BIN_MS else np.nan


def spread_of_rates(rates: NDArray) -> tuple[float, float]:
    """Spread and skew of the logarithm of rates: of log-normal rates the skew is 0.

    Args:
        rates: Rate of each neuron in any unit, (neuron,); silent ones do not count.

    Returns:
        Standard deviation of log10 rate, and skew (third standardised moment) of log rate; nan
        with fewer than `LEAST_NEURONS` active neurons; the skew also where all rates are equal.
    """
    logs = np.log10(rates[rates > 0])
    if logs.size < LEAST_NEURONS:
        return np.nan, np.nan
    spread = float(np.std(logs, ddof=1))
    if spread < 1e-9:
        return spread, np.nan
    return spread, float(np.mean(((logs - logs.mean()) / np.std(logs)) ** 3))


def _binned(spikes: Spikes, chosen: NDArray, bin_ms: float) -> Iterator[NDArray[np.int64]]:
    """Counts in whole bins, (trial, bin), of one chosen neuron after the other."""
    shape = spikes.n_trials, int(spikes.duration_ms / bin_ms + 1e-9)
    order = np.argsort(narrow(spikes.units, spikes.n_units), kind="stable")
    ends = np.searchsorted(spikes.units[order], [chosen, chosen + 1])
    for first, last in ends.T:
        own = order[first:last]
        at = np.floor(spikes.times_ms[own] / bin_ms + 1e-9).astype(np.int64)
        flat = (spikes.trials[own].astype(np.int64) * shape[1] + at)[at < shape[1]]
        yield np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def _autocorrelation(counts: NDArray, lags: NDArray) -> NDArray | None:
    """Autocorrelation of counts (trial, bin) at lags in bins; None where they do not vary."""
    about = counts.mean(axis=0) if len(counts) > 1 else counts.mean()
    off = counts - about
    variance = (off**2).mean()
    if variance < 1e-12:
        return None
    return np.array([(off[:, :-k] * off[:, k:]).mean() for k in lags]) / variance


def _decay(lags_ms: NDArray, values: NDArray) -> float:
    """Best tau of A exp(-lag / tau) + C with A > 0; nan where there is none, or too few lags."""
    if lags_ms.size < 4:
        return np.nan
    shapes = np.exp(-lags_ms / TAUS_MS[:, None])
    shapes -= shapes.mean(axis=1, keepdims=True)
    off = values - values.mean()
    size = (shapes**2).sum(axis=1)
    amplitude = shapes @ off / size
    # What a shape explains of the sum of squares; C has taken the means.
    explained = np.where(amplitude > 0, amplitude**2 * size, -np.inf)
    best = int(np.argmax(explained))
    return float(TAUS_MS[best]) if np.isfinite(explained[best]) else np.nan
