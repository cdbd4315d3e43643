"""The septal network: rhythms, order and compression of spike trains made for the purpose."""

import numpy as np
import pytest
from made.project import params_of
from made.trains import spikes_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording
from whyspiking.declared import key_claims, registry
from whyspiking.talks import load_replication
from whyspiking.talks.clopath.hippocampus import (
    exhibits_published_replay,
    measures,
    published_replay,
)

CLEAN = Condition()


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


def recorded_replay(params, spikes):
    """A recording with these excitatory spikes, and an oscillator at 8.5 Hz throughout."""
    stop_ms = params.warmup_ms + params.on_ms + params.off_ms
    traces = {"oscillator": oscillator(8.5, 8.5, stop_ms, stop_ms)}
    return Recording({"excitatory": spikes}, traces, {})


def test_a_replay_without_spikes_has_an_order_of_zero_in_shot_published():
    params = params_of("clopath", "shot_published", "full")
    off_ms = params.warmup_ms + params.on_ms
    theta = made_sequence(0.5, 8.5, PHASES, PHASES, on=(0.0, off_ms), off_stop=off_ms)
    recording = recorded_replay(params, theta)
    assert np.isnan(measures.measures(params, CLEAN, recording, None)["order_correlation"])
    found = load_replication("clopath", "shot_published").measures(params, CLEAN, recording, None)
    assert found["order_correlation"] == found["order_correlation_reversed"] == 0.0
    assert found["ordered_share"] == found["replay_rate"] == 0.0
    band = key_claims.of(registry.load_talk("clopath")).band("full")
    assert not band.contains(found["order_correlation"])


def test_shot_published_measures_a_replay_as_shot_does():
    params = params_of("clopath", "shot_published", "full")
    off_ms = params.warmup_ms + params.on_ms
    spikes = made_sequence(0.5, 8.5, PHASES, PHASES, (0.0, off_ms), off_ms + params.off_ms)
    recording = recorded_replay(params, spikes)
    found = load_replication("clopath", "shot_published").measures(params, CLEAN, recording, None)
    assert found == measures.measures(params, CLEAN, recording, None)
    assert found["order_correlation"] > 0.9


def test_shot_published_trains_the_networks_of_shot_at_the_published_size():
    names = ("shot_published", "shot")
    published, paper = (params_of("clopath", name, "paper").values for name in names)
    assert params_of("clopath", "shot_published", "full").values == published
    differing = {key for key in published if published[key] != paper.get(key)}
    own = {"on_ms", "off_ms", "release_ms", "lost_shares", "septum_frequencies", "kept_releases"}
    assert differing == own
    modules = [load_replication("clopath", name)._module for name in names]
    assert modules[0].train is modules[1].train
    assert modules[0].to_brian is modules[1].to_brian
    assert (published["n_inhibitory"], published["n_excitatory"]) == (2000, 2000)
    assert published["dt_ms"] == 0.05
    assert published["warmup_ms"] + published["on_ms"] == 15_000.0


def test_kept_inhibition_continues_without_a_jump():
    params = params_of("clopath", "shot_published", "full")
    task = published_replay.make_task(params, "test", Streams(3))
    septal = task.stimulus.arrays["septum"]
    for strength in params.kept_releases:
        condition = Condition("septum_kept", "input", strength)
        rng = np.random.default_rng(0)
        kept, binding = published_replay.vary(params, condition, task, None, rng)
        assert binding is None
        changed = kept.stimulus.arrays["septum"]
        removed = septal[0, :, 1] == 1
        np.testing.assert_array_equal(changed[0, ~removed], septal[0, ~removed])
        np.testing.assert_array_equal(changed[0, removed, 1], strength)
        # 125 samples are one period of 8 Hz, so a continued rhythm repeats itself.
        np.testing.assert_allclose(changed[0, 125:, 0], changed[0, :-125, 0], atol=1e-9)
    assert not septal[0, removed, 0].any(), "the task itself must not change"


def test_shot_published_has_the_conditions_of_its_claims():
    params = params_of("clopath", "shot_published", "full")
    found = [(x.perturbation, x.strength) for x in published_replay.conditions(params)]
    expected = [("septum", 8.5), ("septum_constant", 1.0), ("septum_kept", 0.0)]
    assert found == [*expected, ("septum_kept", 1.0)]


def test_the_figure_of_shot_published_has_every_fourth_neuron(monkeypatch):
    arrays = {
        "sequence.spike_ms": np.arange(12.0),
        "sequence.neuron": np.arange(12),
        "sequence.phase": np.linspace(0.0, 1.0, 12),
        "sequence.off_ms": np.array(6.0),
    }
    monkeypatch.setattr(exhibits_published_replay.septal, "exhibits", lambda *_: arrays)
    thinned = exhibits_published_replay.exhibits(None, {}, None, None)
    np.testing.assert_array_equal(thinned["sequence.spike_ms"], [0.0, 4.0, 8.0])
    np.testing.assert_array_equal(thinned["sequence.neuron"], [0, 1, 2])
    np.testing.assert_array_equal(thinned["sequence.phase"], arrays["sequence.phase"][[0, 4, 8]])
    monkeypatch.setattr(exhibits_published_replay.septal, "exhibits", lambda *_: {})
    assert exhibits_published_replay.exhibits(None, {}, None, None) == {}
