"""The septal network: rhythms, order and compression of spike trains made for the purpose."""

import numpy as np
import pytest
from made.trains import spikes_of

from whyspiking.contract.spikes import Spikes
from whyspiking.talks.clopath.hippocampus import measures


def made_sequence(
    beat: float, rhythm: float, phases_on, phases_off, on=(500.0, 8500.0), off_stop=11000.0
) -> Spikes:
    """Neurons that fire at their phases of a slow beat, then of a fast rhythm, with some jitter."""
    rng = np.random.default_rng(0)
    parts = []
    for (start, stop), frequency, phases in (
        (on, beat, phases_on),
        ((on[1], off_stop), rhythm, phases_off),
    ):
        period = 1000.0 / frequency
        for unit, phase in enumerate(phases):
            cycles = np.arange(0, (stop - start) / period + 1) + phase / 2 / np.pi
            fired = np.repeat(start + period * cycles, 5)
            fired = fired + 0.08 * period * rng.standard_normal(fired.size)
            parts.append((fired[(fired >= start) & (fired < stop)], unit, 0))
    return spikes_of(parts, n_trials=1, n_units=len(phases_on), duration_ms=off_stop)


def oscillator(on_hz: float, off_hz: float, switch_ms: float, stop_ms: float):
    seconds = np.arange(0.0, stop_ms) / 1000
    frequency = np.where(seconds * 1000 < switch_ms, on_hz, off_hz)
    angle = 2 * np.pi * np.cumsum(frequency) / 1000
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)[None]


def measured(phases_on, phases_off, beat=0.55, rhythm=8.45):
    return measures.septal_measures(
        made_sequence(beat, rhythm, phases_on, phases_off),
        oscillator(8.55, 8.45, 8500.0, 11000.0),
        1.0,
        (500.0, 8500.0),
        (8800.0, 11000.0),
    )


PHASES = np.random.default_rng(5).uniform(0, 2 * np.pi, 80)


def test_replay_in_the_same_order_is_recognised():
    found = measured(PHASES, PHASES + 1.0)
    expected = {
        "internal_frequency": pytest.approx(8.55, abs=0.01),
        "internal_frequency_off": pytest.approx(8.45, abs=0.01),
        "beat_frequency": pytest.approx(0.55, abs=0.02),
        "compression": pytest.approx(8.45 / 0.55, rel=0.05),
        "ordered_share": 1.0,
        # About 5 spikes per cycle.
        "sequence_rate": pytest.approx(5 * 0.55, rel=0.1),
        "replay_rate": pytest.approx(5 * 8.45, rel=0.1),
    }
    assert {name: found[name] for name in expected} == expected
    assert found["order_correlation"] > 0.95 > 0.3 > found["order_correlation_reversed"]


def test_compression_is_measured_and_not_assumed():
    found = measured(PHASES, PHASES, beat=1.1)
    assert found["compression"] == pytest.approx(8.45 / 1.1, rel=0.05)


def test_replay_in_reversed_order_is_recognised():
    found = measured(PHASES, 0.5 - PHASES)
    assert found["order_correlation_reversed"] > 0.95 > 0.3 > found["order_correlation"]


def test_neurons_that_fire_together_have_no_order():
    rng = np.random.default_rng(3)
    first, second = 0.2 * rng.standard_normal((2, 300))
    assert measures.order_correlation(first, second) < 0.2
    # A plain mean vector of the differences would call this order.
    assert np.abs(np.exp(1j * (first - second)).mean()) > 0.9


def test_order_correlation_does_not_depend_on_the_start_of_the_cycle():
    rng = np.random.default_rng(4)
    first = rng.uniform(0, 2 * np.pi, 100)
    second = first + 0.3 * rng.standard_normal(100)
    here = measures.order_correlation(first, second)
    assert measures.order_correlation(first + 2.0, second - 1.0) == pytest.approx(here)
    second[:5] = np.nan
    assert measures.order_correlation(first, second) == pytest.approx(here, abs=0.05)
