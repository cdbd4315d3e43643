"""Areas, half-doses and bits with known answers."""

import numpy as np
import pytest

from whyspiking.measures import robustness


def test_robustness_area_leaves_out_the_clean_level():
    assert robustness.robustness_area([0, 1, 2], [1.0, 0.8, 0.4]) == pytest.approx(0.6)
    assert np.isnan(robustness.robustness_area([1, 2], [np.nan, 0.4]))
    assert np.isnan(robustness.robustness_area([0], [1.0]))


def test_half_dose_interpolates_between_levels_in_any_order():
    assert robustness.half_dose([2, 1, 4], [0.6, 0.9, 0.2]) == pytest.approx(2.5)
    # The clean network, 1 at level 0, is the start even where it is not listed.
    assert robustness.half_dose([0.2], [0.0]) == pytest.approx(0.1)
    assert robustness.half_dose([0, 0.2], [1.0, 0.0]) == pytest.approx(0.1)


def test_half_dose_takes_the_first_crossing():
    assert robustness.half_dose([1, 2, 3], [0.4, 0.9, 0.1]) == pytest.approx(1 * 0.5 / 0.6)


def test_half_dose_that_is_not_reached_is_infinite():
    assert robustness.half_dose([1, 2], [0.9, 0.51]) == np.inf
    assert np.isnan(robustness.half_dose([1, 2], [0.9, np.nan]))
    assert np.isnan(robustness.half_dose([], []))


def test_half_dose_of_clipping_runs_down_from_one():
    assert robustness.half_dose([0.2, 0.8, 0.4], [0.2, 1.0, 0.8], origin=1.0) == pytest.approx(0.3)


def test_bits95_is_the_shortest_word_with_all_longer_ones_good():
    assert robustness.bits95([8, 6, 5, 4, 3], [1.0, 0.99, 0.96, 0.9, 0.5]) == 5
    assert robustness.bits95([3, 4, 5, 6, 8], [0.97, 0.9, 0.96, 0.99, 1.0]) == 5
    assert robustness.bits95([8, 6], [0.9, 0.8]) == np.inf
    assert np.isnan(robustness.bits95([8], [np.nan]))
