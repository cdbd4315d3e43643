"""Intervals and tests over seeds, against hand calculations and their stated coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from whyspiking.measures import statistics


def test_t_interval_by_hand():
    found = statistics.t_interval([1.0, 2.0, 3.0])
    # t(.975, 2) = 4.302653, sd = 1, h = 4.302653 / sqrt(3)
    assert found.bounds == pytest.approx((2 - 2.484138, 2 + 2.484138), abs=1e-5)
    assert (found.mean, found.seeds) == (2, 3)


def test_shared_test_set_widens_the_interval():
    values = [0.9, 0.92, 0.94]
    plain = statistics.t_interval(values)
    wide = statistics.t_interval(values, extra_variance=0.92 * 0.08 / 500)
    own, shared = 0.02**2 / 3, 0.92 * 0.08 / 500
    # Satterthwaite: the share of the seeds has 2 degrees of freedom, that of the trials many.
    degrees = 2 * ((own + shared) / own) ** 2
    expected = stats.t.ppf(0.975, degrees) * np.sqrt(own + shared)
    assert wide.high - wide.mean == pytest.approx(expected)
    assert wide.error > plain.error


def test_one_seed_has_the_interval_of_its_test_trials():
    extra = statistics.binomial_variance([0.9], [100])
    assert extra == pytest.approx((90.5 / 101) * (10.5 / 101) / 100)
    found = statistics.logit_interval([0.9], 100, extra_variance=extra)
    # Wilson's interval of 90 of 100, from another library's definition.
    wilson = stats.binomtest(90, 100).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=0.007)
    assert found.seeds == 1


def test_parts_of_a_test_set_tell_what_other_trials_would_change():
    """Networks that err on the same trials: the interval covers the mean over all trials."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        hard = rng.random(200) < 0.2  # trials on which every network fails
        right = ~hard & (rng.random((3, 200)) > 0.02)
        values = right.mean(axis=1)
        parts = right.mean(axis=0).reshape(20, 10).mean(axis=1)
        extra = statistics.shared_variance(parts, np.full(20, 10))
        found = statistics.t_interval(values, *extra)
        hits += found.low <= 0.8 * 0.98 <= found.high
    assert hits / 400 > 0.93


def test_parts_of_unequal_size_by_hand():
    # Weights 1/4, 1/4, 1/2 around the mean 1/2.
    expected = pytest.approx((1 / 16) * 0.25 * 2 * 3 / 2), 2
    assert statistics.shared_variance([1.0, 0.0, 0.5], [1, 1, 2]) == expected
    assert statistics.shared_variance([0.7], [9]) == (0.0, np.inf)


@pytest.mark.parametrize("n", [3, 5])
def test_t_interval_covers_95_percent(n):
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((4000, n))
    inside = [i.low <= 0 <= i.high for i in map(statistics.t_interval, samples)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)


def test_log_interval_is_the_t_interval_of_logarithms():
    found = statistics.log_interval([1.0, 10.0, 100.0])
    assert found.mean == pytest.approx(10)
    assert np.log10(found.high) == pytest.approx(1 + 2.484138, abs=1e-5)
    with pytest.raises(ValueError, match="positive"):
        statistics.log_interval([1.0, 0.0])


def test_logit_interval_by_hand():
    p = (np.array([0.8, 0.9]) * 10 + 0.5) / 11
    logits = np.log(p / (1 - p))
    half = stats.t.ppf(0.975, 1) * logits.std(ddof=1) / np.sqrt(2)
    found = statistics.logit_interval([0.8, 0.9], 10)
    ends = logits.mean() + half * np.array([-1, 1])
    assert found.bounds == pytest.approx(tuple(1 / (1 + np.exp(-ends))))


def test_p_above_agrees_with_scipy():
    values = np.array([0.3, 0.5, 0.9, 0.4])
    expected = stats.ttest_1samp(values, 0.2, alternative="greater").pvalue
    found = statistics.t_interval(values)
    alone = statistics.t_interval([1.0])
    for given_error, p in (
        ((found.mean - 0.2, found.error, found.degrees), expected),
        ((0.5, 0.0, 1), 0),
        ((-1.0, 0.0, 1), 1),
        ((1.0, alone.error, alone.degrees), np.nan),
    ):
        assert statistics.p_above(*given_error) == pytest.approx(p, nan_ok=True)


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    without = pytest.approx([0.5, np.nan, 0.02], nan_ok=True)
    assert statistics.holm([0.5, np.nan, 0.01]) == without
    assert statistics.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_holm_is_monotone_and_between_plain_and_bonferroni(p):
    adjusted = np.array(statistics.holm(p))
    assert (adjusted >= np.array(p) - 1e-15).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= -1e-12).all()


def test_prediction_interval_by_hand():
    half = 2.093024 * 0.007 * np.sqrt(1 / 20 + 1 / 5)
    found = statistics.prediction_interval(0.959, 0.007, 20, 5)
    assert found == pytest.approx((0.959 - half, 0.959 + half), abs=1e-6)


@pytest.mark.parametrize(("k", "n"), [(0, 5), (1, 10), (5, 10), (10, 10), (361, 400)])
def test_a_share_of_networks_has_its_exact_interval(k, n):
    values = np.arange(n) < k
    found, scipys = statistics.share_interval(values), stats.binomtest(k, n)
    expected = scipys.proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == k / n
    assert statistics.share_interval([0] * 5).high == pytest.approx(0.5218, abs=1e-4)
    tests = [stats.binomtest(k, n, p, side).pvalue for p, side in ((0.2, "greater"), (0.9, "less"))]
    assert statistics.share_p_value(values, 0.2, 0.9) == pytest.approx(max(tests))
    assert statistics.share_p_value(values, 0.0, 0.9) == pytest.approx(tests[1])
    with pytest.raises(ValueError, match="0 or 1"):
        statistics.share_interval([0.5])


def test_one_seed_tells_no_interval():
    assert statistics.t_interval([0.7]).bounds == (-np.inf, np.inf)
