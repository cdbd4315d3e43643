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


def test_normalised_score():
    found = [scoring.normalised(score, 0.9, 0.1) for score in (0.9, 0.1, 0.05)]
    assert found == pytest.approx([1.0, 0.0, -0.0625])
    assert np.isnan(scoring.normalised(0.2, 0.29, 0.1))


@given(st.integers(0, 1000), st.integers(1, 40))
@settings(deadline=None, max_examples=50)
def test_selecting_all_trials_changes_nothing(seed, n):
    rng = np.random.default_rng(seed)
    outcome = trials(rng.integers(3, size=n), rng.integers(-1, 3, size=n))
    picked = scoring.select(outcome, rng.permutation(n))
    assert scoring.measures(picked) == pytest.approx(scoring.measures(outcome))
    assert scoring.n_trials(picked) == n


def test_undecided_trials_are_wrong():
    found = scoring.measures(trials([0, 1, 2, 2], [0, 1, -1, 1]))
    expected = {"score": 0.5, "accuracy": 0.5, "undecided": 0.25, "decision_time": 1.0}
    assert found == pytest.approx({**expected, "chance": 1 / 3})
    assert "decision_time" not in scoring.measures(trials([0], [-1]))


TARGET = np.array([[[0.0], [2.0], [0.0], [2.0]]])


@pytest.mark.parametrize(
    ("outputs", "score", "nrmse", "correlation"),
    [(TARGET + 0.5, 0.75, 0.5, 1.0), (0 * TARGET + 1, 0.0, 1.0, 0.0), (-3 * TARGET, 0.0, None, -1)],
)
def test_scores_of_traces_by_hand(outputs, score, nrmse, correlation):
    found = scoring.measures(Traces(outputs, TARGET, 1.0))
    expected = {"score": score, "nrmse": nrmse or found["nrmse"], "correlation": correlation}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


BOTH = np.concatenate([wave(5), wave(5, np.pi / 2)], axis=2)
NOISE = np.random.default_rng(0).standard_normal((2, 3000, 1))


@pytest.mark.parametrize(
    ("output", "target", "least", "most"),
    [
        # The best lag is known to 1 ms, i.e. to 0.5 ms of a 200 ms period.
        *((wave(5, phase), wave(5), 0.999, 1.0) for phase in (0.0, 0.4, 2.0, np.pi, 5.5)),
        (wave(5.05, 1.0, seconds=5), wave(5, seconds=5), 0.99, 1.0),  # slow drift is forgiven
        (wave(7.3, seconds=5), wave(5, seconds=5), 0.0, 0.3),  # another frequency is not
        (np.roll(BOTH, 37, axis=1), BOTH, 0.999, 1.0),  # one lag for all channels
        (BOTH[..., ::-1], BOTH, 0.0, 0.1),
        (wave(5, 1.0, amplitude=0.5), wave(5), 0.748, 0.752),
        (NOISE, wave(5, seconds=3).repeat(2, 0), 0.0, 0.05),
        (wave(20, seconds=0.4), wave(20, seconds=0.4), 1 - 1e-9, 1.0),  # less than the window
    ],
)
def test_a_free_phase_is_searched_for_and_nothing_else(output, target, least, most):
    free = Traces(output, target, 1.0, free_phase=True)
    assert least <= scoring.score(free) <= most
    assert scoring.chance(free) == 0.0
    if least > 0.7:
        assert scoring.correlation(free) > 0.995


def test_a_fixed_phase_is_not_searched_for():
    assert scoring.score(Traces(wave(5, 0.4), wave(5), 1.0)) < 0.93
