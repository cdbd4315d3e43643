"""Element distinctness: what tells its classes apart, and what must not."""

import numpy as np
import pytest

from whyspiking.datasets import distinctness
from whyspiking.datasets.distinctness import Settings

TRIALS = 20_000


def drawn(n, seed):
    return distinctness.draw(Settings(n), TRIALS, np.random.default_rng(seed))


def linear(features, classes, fresh, fresh_classes):
    """Accuracy of a least squares classifier on fresh trials."""
    whole = [np.column_stack([np.ones(len(x)), x]) for x in (features, fresh)]
    w = np.linalg.lstsq(whole[0], 2 * classes - 1, rcond=None)[0]
    return ((whole[1] @ w > 0) == fresh_classes).mean()


@pytest.mark.parametrize("n", [3, 6, 20])
def test_classes_are_as_defined_and_balanced(n):
    times, classes = drawn(n, 0)
    nearest = np.diff(np.sort(times, axis=1), axis=1).min(axis=1)
    assert classes.mean() == 0.5
    assert nearest[classes == 0].min() >= 3.0 - 1e-9
    assert nearest[classes == 1].max() <= 0.25
    ordered = np.sort(times, axis=1)
    others = np.sort(np.diff(ordered, axis=1), axis=1)[:, 1:]
    assert others.min() >= 3.0 - 0.25 - 1e-9  # one pair coincides, no more
    assert times.min() >= 0 and times.max() <= 6 * n


@pytest.mark.parametrize("n", [3, 6, 10, 20])
def test_no_simple_feature_tells_the_class(n):
    (times, classes), (fresh, wanted) = drawn(n, 1), drawn(n, 2)

    def order(x):
        return np.argsort(np.argsort(x, axis=1), axis=1)

    def span(x):
        return np.column_stack([x.min(axis=1), x.max(axis=1), np.ptp(x, axis=1)])

    for feature in (np.asarray, order, span):
        right = linear(feature(times), classes, feature(fresh), wanted)
        assert abs(right - 0.5) < 0.02, feature.__name__


def test_the_range_of_times_has_the_same_distribution_in_both_classes():
    rng = np.random.default_rng(3)
    times, classes = distinctness.draw(Settings(6), 100_000, rng)
    span = np.ptp(times, axis=1)
    quantiles = [np.quantile(span[classes == k], np.linspace(0.05, 0.95, 19)) for k in (0, 1)]
    np.testing.assert_allclose(quantiles[0], quantiles[1], atol=0.15)


def test_every_input_is_moved_equally_often():
    times, classes = drawn(6, 4)
    close = np.abs(times[:, :, None] - times[:, None, :]) + 99 * np.eye(6)
    share = (close.min(axis=2) < 1)[classes == 1].mean(axis=0)
    np.testing.assert_allclose(share, 2 / 6, atol=0.02)
