"""Scores with known answers, lag-tolerant ones included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyspiking.contract.types import Traces, Trials
from whyspiking.measures import scoring


def trials(targets, choices, decision_ms=None, n_classes=3) -> Trials:
    choices = np.array(choices)
    if decision_ms is None:
        decision_ms = np.where(choices >= 0, 1.0, np.inf)
    return Trials(np.array(targets), choices, np.array(decision_ms, float), n_classes)


def wave(frequency_hz, phase=0.0, seconds=4.0, amplitude=1.0, dt_ms=1.0):
    t = np.arange(0, seconds * 1000, dt_ms) / 1000
    return (amplitude * np.sin(2 * np.pi * frequency_hz * t + phase))[None, :, None]


def test_undecided_trials_are_wrong():
    outcome = trials([0, 1, 2, 2], [0, 1, -1, 1])
    assert scoring.accuracy(outcome) == scoring.score(outcome) == 0.5
    assert scoring.undecided(outcome) == 0.25
    assert scoring.chance(outcome) == pytest.approx(1 / 3)
    found = scoring.measures(outcome)
    assert set(found) == {"score", "chance", "accuracy", "undecided", "decision_time"}
    assert found["decision_time"] == 1.0
    assert "decision_time" not in scoring.measures(trials([0], [-1]))


def test_nmse_and_score_by_hand():
    target = np.array([[[0.0], [2.0], [0.0], [2.0]]])
    traces = Traces(target + 0.5, target, 1.0)
    assert scoring.nmse(traces) == pytest.approx(0.25)
    assert scoring.score(traces) == pytest.approx(0.75)
    assert scoring.nrmse(traces) == pytest.approx(0.5)
    assert scoring.correlation(traces) == pytest.approx(1.0)
    flat = Traces(np.full_like(target, 1.0), target, 1.0)
    assert scoring.score(flat) == pytest.approx(0.0)
    assert scoring.correlation(flat) == 0.0
    assert scoring.score(Traces(-3 * target, target, 1.0)) == 0.0


def test_correlation_averages_channels():
    target = np.concatenate([wave(3), wave(5)], axis=2)
    output = target.copy()
    output[..., 1] *= -1
    assert scoring.correlation(Traces(output, target, 1.0)) == pytest.approx(0.0, abs=1e-12)


def test_chance_is_the_score_of_targets_shifted_in_time():
    # A sine shifted by the phase x has NMSE 2 (1 - cos x); the mean of max(0, 1 - NMSE) over x.
    x = np.linspace(0, 2 * np.pi, 10_000)
    expected = np.maximum(0, 2 * np.cos(x) - 1).mean()
    for periods in (1, 3, 7, 8):
        target = wave(1.0, seconds=periods)
        assert scoring.chance(Traces(target, target, 1.0)) == pytest.approx(expected, abs=0.05)
    noise = np.random.default_rng(0).standard_normal((3, 500, 2))
    assert scoring.chance(Traces(noise, noise, 1.0)) < 0.05


@pytest.mark.parametrize("phase", [0.0, 0.4, 2.0, np.pi, 5.5])
def test_free_phase_does_not_mind_the_phase(phase):
    target, output = wave(5), wave(5, phase)
    fixed = Traces(output, target, 1.0)
    free = Traces(output, target, 1.0, free_phase=True)
    # The best lag is known to 1 ms, i.e. to 0.5 ms of a 200 ms period.
    assert scoring.score(free) > 0.999
    assert scoring.correlation(free) > 0.9995
    if phase:
        assert scoring.score(fixed) < 0.93


def test_free_phase_forgives_slow_drift_but_not_another_frequency():
    target = wave(5, seconds=5)
    drifting = Traces(wave(5.05, 1.0, seconds=5), target, 1.0, free_phase=True)
    wrong = Traces(wave(7.3, seconds=5), target, 1.0, free_phase=True)
    assert scoring.score(drifting) > 0.99
    assert scoring.score(wrong) < 0.3


def test_free_phase_takes_one_lag_for_all_channels():
    target = np.concatenate([wave(5), wave(5, np.pi / 2)], axis=2)
    same = Traces(np.roll(target, 37, axis=1), target, 1.0, free_phase=True)
    mirrored = Traces(target[..., ::-1], target, 1.0, free_phase=True)
    assert scoring.score(same) > 0.999
    assert scoring.score(mirrored) < 0.1


def test_free_phase_sees_a_wrong_amplitude():
    traces = Traces(wave(5, 1.0, amplitude=0.5), wave(5), 1.0, free_phase=True)
    assert scoring.score(traces) == pytest.approx(0.75, abs=0.002)
    assert scoring.correlation(traces) > 0.999


def test_free_phase_gives_noise_little():
    rng = np.random.default_rng(0)
    traces = Traces(rng.standard_normal((2, 3000, 1)), wave(5, seconds=3).repeat(2, 0), 1.0, True)
    assert scoring.score(traces) < 0.05
    assert scoring.chance(traces) == 0.0


def test_free_phase_of_a_trial_shorter_than_the_window():
    target = wave(20, seconds=0.4)
    assert scoring.score(Traces(target, target, 1.0, True)) == pytest.approx(1.0)


def test_normalised_score():
    assert scoring.normalised(0.9, 0.9, 0.1) == 1.0
    assert scoring.normalised(0.1, 0.9, 0.1) == 0.0
    assert scoring.normalised(0.05, 0.9, 0.1) < 0
    assert np.isnan(scoring.normalised(0.2, 0.29, 0.1))


@given(st.integers(0, 1000), st.integers(1, 40))
@settings(deadline=None, max_examples=50)
def test_selecting_all_trials_changes_nothing(seed, n):
    rng = np.random.default_rng(seed)
    outcome = trials(rng.integers(3, size=n), rng.integers(-1, 3, size=n))
    picked = scoring.select(outcome, rng.permutation(n))
    assert scoring.measures(picked) == pytest.approx(scoring.measures(outcome))
    assert scoring.n_trials(picked) == n
