"""Rate, active share, irregularity and bursts of trains whose answers are known."""

import numpy as np
import pytest

from whyspiking.contract.spikes import Spikes
from whyspiking.measures.activity import (
    Intervals,
    activity,
    burst_fraction,
    local_variation,
    pooled_variation,
    variation_within_trials,
)


def trains(times, units, trials, n_trials, n_units, duration_ms) -> Spikes:
    return Spikes.sorted(
        np.asarray(times, float),
        np.asarray(units),
        np.asarray(trials),
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=duration_ms,
    )


def intervals(*train) -> Intervals:
    return Intervals.of(trains(*train))


def test_rate_and_active_share_by_hand():
    """Neuron 0 fires twice in trial 0, neuron 1 once in trial 1; neuron 2 never."""
    found = activity(trains([1, 3, 2], [0, 0, 1], [0, 0, 1], 2, 3, 100.0))
    rates = [found[name] for name in ("rate_hz", "active_share", "isi_cv")]
    assert rates == pytest.approx([3 / 6 / 0.1, 2 / 6, np.nan], nan_ok=True)


def test_no_interval_spans_two_trials_or_two_neurons():
    """One spike per neuron and trial: there is no interval at all."""
    units, trials = np.tile(np.arange(5), 40), np.repeat(np.arange(40), 5)
    once = intervals(np.full(200, 3.0) + units, units, trials, 40, 5, 100.0)
    assert np.isnan(pooled_variation(once, least=1))


def test_neurons_with_few_spikes_do_not_count():
    regular = np.arange(0, 300, 10.0)
    times = [*regular, 1.0, 2.0, 90.0]
    units = [0] * regular.size + [1] * 3
    found = intervals(times, units, np.zeros(len(times), int), 1, 2, 300.0)
    assert pooled_variation(found) == pytest.approx(0.0)
    assert pooled_variation(found, least=2) > 0.3


def test_rates_that_differ_between_trials_vary_pooled_intervals_only():
    """Every 10 ms in one trial, every 40 ms in the other: mean 16 ms, sd 12 ms when pooled."""
    gaps = [10.0, 40.0]
    counts = [100, 25]
    times = np.concatenate([gap * np.arange(n + 1) for gap, n in zip(gaps, counts, strict=True)])
    which = np.repeat([0, 1], [n + 1 for n in counts])
    found = intervals(times, np.zeros(which.size, int), which, 2, 1, 1000.0)
    assert variation_within_trials(found) == pytest.approx(0.0)
    assert pooled_variation(found) == pytest.approx(12 / 16, rel=0.01)


@pytest.mark.parametrize("order", [1, 3])
def test_local_variation_of_gamma_trains(order):
    """3 / (2 k + 1); a rate that drifts by a factor of 20 blows up the CV, and not Lv."""
    gaps = np.random.default_rng(2).gamma(order, 1.0, (40, 1000)) / order
    slowing = np.geomspace(1, 20, 1000) * gaps
    units = np.repeat(np.arange(40), 1000)
    for trials, cv in ((gaps, order**-0.5), (slowing, None)):
        times = np.cumsum(trials, axis=1)
        found = intervals(times.ravel(), units, np.zeros(40_000, int), 1, 40, times.max())
        assert local_variation(found) == pytest.approx(3 / (2 * order + 1), rel=0.03)
        variation = pooled_variation(found)
        assert variation == pytest.approx(cv, rel=0.03) if cv else variation > order**-0.5 + 0.2


def test_bursts_by_hand():
    """Neuron 0: a burst of three, a single spike, a burst of two; neuron 1: two single spikes."""
    times = [0, 5, 15, 40, 60, 70, 0, 10.5]
    for train, fraction in (
        ((times, [0] * 6 + [1] * 2, [0] * 8, 1, 2, 100.0), 2 / 5),
        (([], [], [], 1, 2, 100.0), np.nan),
        # The last spike of a trial and the first of the next are no burst.
        (([99, 0], [0, 0], [0, 1], 2, 1, 100.0), 0),
    ):
        assert burst_fraction(intervals(*train)) == pytest.approx(fraction, nan_ok=True)


def test_bursts_of_poisson_trains():
    """An event is a burst if the next spike comes within 10 ms: 1 - exp(-rate 10 ms)."""
    rng = np.random.default_rng(3)
    times, units = rng.uniform(0, 1e6, 40_000), rng.integers(2, size=40_000)
    found = intervals(times, units, np.zeros(40_000, int), 1, 2, 1e6)
    assert burst_fraction(found) == pytest.approx(1 - np.exp(-0.2), abs=0.006)


def test_two_spikes_of_one_step_are_no_pair_of_intervals():
    times = np.repeat(np.arange(50.0), 3)
    found = intervals(times, np.zeros(150, int), np.zeros(150, int), 1, 1, 50.0)
    assert np.isfinite(local_variation(found))
    assert np.isnan(local_variation(intervals([], [], [], 1, 1, 1.0)))
    assert np.isnan(variation_within_trials(intervals([], [], [], 1, 1, 1.0)))
