"""What is made of the keys of spikes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from whyspiking.contract.spikes import distinct


@given(arrays.arrays(arrays.integer_dtypes(endianness="="), st.integers(0, 60)))
def test_distinct_numbers_are_those_of_numpy(numbers):
    found, expected = distinct(numbers), np.unique(numbers)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kinds", [1, 300, 10**6])
def test_distinct_numbers_of_many_are_those_of_numpy(kinds):
    numbers = np.random.default_rng(kinds).integers(-kinds, kinds, 200_000)
    np.testing.assert_array_equal(distinct(numbers), np.unique(numbers))
