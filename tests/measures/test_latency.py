"""Anytime score, 95 % time and speed area against hand calculations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyspiking.contract.types import Trials
from whyspiking.measures import latency

INF = np.inf


def trials(correct, decision_ms, n_classes=2) -> Trials:
    correct, decision_ms = np.array(correct, bool), np.array(decision_ms, float)
    choices = np.where(np.isfinite(decision_ms), np.where(correct, 0, 1), -1)
    return Trials(np.zeros(correct.size, int), choices, decision_ms, n_classes)


EXAMPLE = trials([1, 1, 0, 1], [1.0, 2.0, 3.0, INF])


def test_anytime_by_hand():
    found = latency.anytime(EXAMPLE, [0.0, 0.99, 1.0, 2.5, 3.0, 10.0])
    # 4 guesses; after each decision one guess (1/2) becomes right (1) or wrong (0).
    assert found.tolist() == [0.5, 0.5, 0.625, 0.75, 0.625, 0.625]


def test_t95_by_hand():
    # Final gain over chance 0.125; reached first at t = 1.
    cases = EXAMPLE, trials([1] * 10, range(10)), trials([1] * 100, range(100))
    assert [latency.t95(case) for case in cases] == [1.0, 9.0, 94.0]


def test_speed_area_by_hand():
    # Gains 0, .125, .25, .125 on [0,1), [1,2), [2,3), [3,4): mean over 4 ms relative to .125.
    cases = (EXAMPLE, 4.0), (trials([1, 1], [0.0, 0.0]), 10.0), (trials([1, 1], [5.0, 5.0]), 10.0)
    areas = [(0.125 + 0.25 + 0.125) / 4 / 0.125, 1.0, 0.5]
    assert [latency.speed_area(*case) for case in cases] == pytest.approx(areas)


def test_nothing_above_chance_is_undefined():
    for outcome in (trials([1, 0], [1, 1]), trials([0, 0], [1, 1]), trials([1], [INF])):
        assert np.isnan(latency.t95(outcome))
        assert np.isnan(latency.speed_area(outcome, 2.0))


@given(st.integers(0, 1000), st.integers(2, 6), st.integers(1, 50))
@settings(deadline=None, max_examples=60)
def test_anytime_starts_at_chance_and_ends_at_the_final_score(seed, k, n):
    rng = np.random.default_rng(seed)
    targets = rng.integers(k, size=n)
    decision = rng.uniform(0.1, 9, n)
    decision[rng.random(n) < 0.2] = INF
    choices = np.where(np.isfinite(decision), rng.integers(k, size=n), -1)
    outcome = Trials(targets, choices, decision, k)
    start, end = latency.anytime(outcome, [0.0, 10.0])
    assert start == pytest.approx(1 / k)
    assert end == pytest.approx((choices == targets).mean() + (choices < 0).mean() / k)
