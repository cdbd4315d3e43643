"""Shared counts, timescale and spread of rates, of trains whose answers are known."""

import numpy as np
import pytest

from whyspiking.contract.spikes import Spikes
from whyspiking.measures import population
from whyspiking.measures.population import count_correlation, spread_of_rates, timescale


def trains(counts, bin_ms) -> Spikes:
    """Spikes from counts (trial, bin, unit), all of a bin in its middle."""
    trial, at, unit = np.nonzero(counts)
    often = counts[trial, at, unit]
    trial, at, unit = (np.repeat(x, often) for x in (trial, at, unit))
    n_trials, n_bins, n_units = counts.shape
    times = (at + 0.5) * bin_ms
    shape = {"n_trials": n_trials, "n_units": n_units, "duration_ms": n_bins * bin_ms}
    return Spikes.sorted(times, unit, trial, **shape)


def shared_poisson(rng, shape, mean, share):
    """Counts (sample, unit) of which every two units share the given part."""
    own = rng.poisson((1 - share) * mean, shape)
    return own + rng.poisson(share * mean, shape[0])[:, None]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("bins", [False, True])
def test_correlation_of_neurons_with_a_shared_source(share, bins):
    """S + I_k with Poisson counts: the correlation is the share of the variance that S has."""
    counts = shared_poisson(np.random.default_rng(0), (4000, 12), 5.0, share)
    spikes = trains(counts[None] if bins else counts[:, None], population.COUNT_MS)
    found = count_correlation(spikes, np.arange(12))
    assert found == pytest.approx(share, abs=0.025)
    assert found == pytest.approx((np.corrcoef(counts.T).sum() - 12) / (12 * 11))


def test_classes_correlate_in_total_and_not_within():
    """Two classes of rates a and b: total correlation is the share of variance between them."""
    rng = np.random.default_rng(1)
    labels = rng.integers(2, size=4000)
    counts = rng.poisson(np.where(labels, 12.0, 4.0)[:, None], (4000, 10))
    spikes = trains(counts[:, None], 100.0)
    every = np.arange(10)
    assert count_correlation(spikes, every) == pytest.approx(16 / (16 + 8), abs=0.02)
    assert count_correlation(spikes, every, labels) == pytest.approx(0.0, abs=0.01)


def test_silent_and_constant_neurons_make_no_pair():
    counts = np.zeros((30, 1, 3), int)
    counts[::2, 0, 0] = 1
    counts[:, 0, 1] = 2
    for spikes, labels in (
        (trains(counts, 100.0), None),
        (trains(counts[:5], 100.0), None),
        (trains(counts[:10], 20.0), None),  # no whole bin
        (trains(counts[:10], 100.0), np.zeros(10, int)),
    ):
        assert np.isnan(count_correlation(spikes, np.arange(3), labels))


def modulated(rng, tau_ms, shape, *, depth=0.3, rate_hz=50.0, bin_ms=10.0):
    """Poisson counts (trial, bin, unit) whose rate is an Ornstein-Uhlenbeck process."""
    n_trials, n_bins, n_units = shape
    kept = np.exp(-bin_ms / tau_ms)
    rate = np.empty(shape)
    rate[:, 0] = rng.standard_normal((n_trials, n_units))
    for k in range(1, n_bins):
        new = rng.standard_normal((n_trials, n_units))
        rate[:, k] = kept * rate[:, k - 1] + np.sqrt(1 - kept**2) * new
    return rng.poisson(np.maximum(rate_hz * (1 + depth * rate), 0) * bin_ms / 1000)


@pytest.mark.parametrize("tau_ms", [60.0, 150.0])
def test_timescale_of_modulated_poisson_trains(tau_ms):
    """Many short trials, a rate that the stimulus moves in all of them, and one long trial."""
    rng = np.random.default_rng(2)
    counts = modulated(rng, tau_ms, (200, 100, 30))
    every = np.arange(30)
    assert timescale(trains(counts, 10.0), every) == pytest.approx(tau_ms, rel=0.15)
    locked = counts + rng.poisson(np.linspace(0, 1.0, 100)[:, None], counts.shape)
    assert timescale(trains(locked, 10.0), every) == pytest.approx(tau_ms, rel=0.3)
    alone = modulated(rng, tau_ms, (1, 8000, 30))
    assert timescale(trains(alone, 10.0), every) == pytest.approx(tau_ms, rel=0.2)


def test_no_timescale_where_nothing_decays():
    rng = np.random.default_rng(3)
    every = np.arange(40)
    poisson = rng.poisson(0.2, (100, 100, 40))
    constant = rng.poisson(rng.gamma(4, 0.05, (100, 1, 40)) * np.ones((1, 100, 1)))
    short = modulated(rng, 60.0, (100, 49, 40))  # trials of 490 ms
    few = poisson[:2], every[:1]
    for counts, neurons in ((poisson, every), (constant, every), (short, every), few):
        assert np.isnan(timescale(trains(counts, 10.0), neurons))


def test_spread_of_lognormal_and_of_exponential_rates():
    """The log of exponential rates is a Gumbel variable: sd pi / sqrt 6, skew -1.1395."""
    rng = np.random.default_rng(4)
    for rates, spread, skew in (
        (np.append(10 ** rng.normal(1.0, 0.5, 20_000), [0, 0]), 0.5, 0.0),
        (rng.exponential(1.0, 20_000), np.pi / np.sqrt(6) / np.log(10), -1.1395),
        (np.full(20, 3), 0.0, np.nan),
        (np.arange(5), np.nan, np.nan),
    ):
        found = spread_of_rates(rates)
        assert found[0] == pytest.approx(spread, abs=0.01, nan_ok=True)
        assert found[1] == pytest.approx(skew, abs=0.06 if skew == 0 else 0.12, nan_ok=True)


def test_a_sample_of_neurons_is_drawn_from_large_populations():
    counts = shared_poisson(np.random.default_rng(5), (300, 400), 5.0, 0.3)
    spikes = trains(counts[:, None], 100.0)
    labels = np.zeros(300, int)
    one, again, other = (
        population.population(spikes, np.random.default_rng(k), labels) for k in (1, 1, 2)
    )
    assert one["count_correlation"] == again["count_correlation"] != other["count_correlation"]
    assert one["count_correlation"] == pytest.approx(0.3, abs=0.08)
    assert one["count_correlation_within"] == pytest.approx(one["count_correlation"])
    assert one["rate_spread"] == other["rate_spread"]
    assert np.isnan(population.population(spikes, np.random.default_rng(1))["timescale"])
