"""Rate, active share and irregularity of trains whose answers are known."""

import numpy as np
import pytest

from whyspiking.contract.spikes import Spikes
from whyspiking.measures.activity import activity, interval_variation


def trains(times, units, trials, n_trials, n_units, duration_ms) -> Spikes:
    return Spikes.sorted(
        np.asarray(times, float),
        np.asarray(units),
        np.asarray(trials),
        n_trials=n_trials,
        n_units=n_units,
        duration_ms=duration_ms,
    )


def test_rate_and_active_share_by_hand():
    """Neuron 0 fires twice in trial 0, neuron 1 once in trial 1; neuron 2 never."""
    found = activity(trains([1, 3, 2], [0, 0, 1], [0, 0, 1], 2, 3, 100.0))
    assert found["rate_hz"] == pytest.approx(3 / 6 / 0.1)
    assert found["active_share"] == pytest.approx(2 / 6)
    assert np.isnan(found["isi_cv"])


def test_regular_trains_have_no_variation():
    times = np.tile(np.arange(0, 1000, 10.0), 4)
    units = np.repeat([0, 1, 0, 1], 100)
    trials = np.repeat([0, 0, 1, 1], 100)
    assert interval_variation(trains(times, units, trials, 2, 2, 1000.0)) == pytest.approx(0.0)


def test_poisson_trains_have_a_variation_of_one():
    rng = np.random.default_rng(0)
    n = 20_000
    times, units = rng.uniform(0, 1e5, n), rng.integers(20, size=n)
    found = activity(trains(times, units, np.zeros(n, int), 1, 20, 1e5))
    assert found["isi_cv"] == pytest.approx(1.0, abs=0.02)
    assert found["rate_hz"] == pytest.approx(10.0)
    assert found["active_share"] == 1.0


def test_gamma_trains_are_more_regular():
    """Intervals of a gamma law of order 4 vary by 1/2."""
    gaps = np.random.default_rng(1).gamma(4.0, 5.0, (50, 400))
    times = np.cumsum(gaps, axis=1)
    units = np.repeat(np.arange(50), 400)
    found = interval_variation(trains(times.ravel(), units, np.zeros(20_000, int), 1, 50, 2e4))
    assert found == pytest.approx(0.5, abs=0.02)


def test_no_interval_spans_two_trials_or_two_neurons():
    """One spike per neuron and trial: there is no interval at all."""
    units, trials = np.tile(np.arange(5), 40), np.repeat(np.arange(40), 5)
    once = trains(np.full(200, 3.0) + units, units, trials, 40, 5, 100.0)
    assert np.isnan(interval_variation(once, least=1))


def test_neurons_with_few_spikes_do_not_count():
    regular = np.arange(0, 300, 10.0)
    times = [*regular, 1.0, 2.0, 90.0]
    units = [0] * regular.size + [1] * 3
    spikes = trains(times, units, np.zeros(len(times), int), 1, 2, 300.0)
    assert interval_variation(spikes) == pytest.approx(0.0)
    assert interval_variation(spikes, least=2) > 0.3
