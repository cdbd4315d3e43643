"""Areas, half-doses and bits with known answers."""

import numpy as np
import pytest

from whyspiking.measures import robustness


def test_robustness_area_leaves_out_the_clean_level():
    for levels, scores, area in (
        ([0, 1, 2], [1.0, 0.8, 0.4], 0.6),
        ([1, 2], [np.nan, 0.4], np.nan),
        ([0], [1.0], np.nan),
    ):
        assert robustness.robustness_area(levels, scores) == pytest.approx(area, nan_ok=True)


def test_bits95_is_the_shortest_word_with_all_longer_ones_good():
    for bits, normalised, fewest in (
        ([8, 6, 5, 4, 3], [1.0, 0.99, 0.96, 0.9, 0.5], 5),
        ([3, 4, 5, 6, 8], [0.97, 0.9, 0.96, 0.99, 1.0], 5),
        ([8, 6], [0.9, 0.8], np.inf),
        ([8], [np.nan], np.nan),
    ):
        assert robustness.bits95(bits, normalised) == pytest.approx(fewest, nan_ok=True)


@pytest.mark.parametrize(
    ("strengths", "normalised", "origin", "dose"),
    [
        ([2, 1, 4], [0.6, 0.9, 0.2], 0.0, 2.5),
        # The clean network, 1 at level 0, is the start even where it is not listed.
        ([0.2], [0.0], 0.0, 0.1),
        ([0, 0.2], [1.0, 0.0], 0.0, 0.1),
        ([1, 2, 3], [0.4, 0.9, 0.1], 0.0, 1 * 0.5 / 0.6),  # the first crossing
        ([1, 2], [0.9, 0.51], 0.0, np.inf),
        ([1, 2], [0.9, np.nan], 0.0, np.nan),
        ([], [], 0.0, np.nan),
        ([0.2, 0.8, 0.4], [0.2, 1.0, 0.8], 1.0, 0.3),  # clipping runs down from one
    ],
)
def test_half_dose_is_where_a_line_between_levels_crosses_a_half(
    strengths, normalised, origin, dose
):
    found = robustness.half_dose(strengths, normalised, origin=origin)
    assert found == pytest.approx(dose, nan_ok=True)
