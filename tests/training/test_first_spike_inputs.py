"""Inputs of first-spike networks: their order, and with spikes left out."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from whyspiking.training.first_spike import epoch_library
from whyspiking.training.first_spike.inputs import Inputs


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    n=strategies.integers(1, 900), decimals=strategies.integers(0, 9),
    outliers=strategies.floats(0, 80), silent=strategies.floats(0, 1),
    seed=strategies.integers(0, 99),
)  # fmt: skip
def test_sorting_is_stable(n, decimals, outliers, silent, seed):
    rng = np.random.default_rng(seed)
    times = np.round(rng.uniform(0, 2, (2, n)), decimals).astype(np.float32)
    times[rng.random(times.shape) < 0.03] += np.float32(outliers)
    times[rng.random(times.shape) < silent] = np.inf
    offsets, found = epoch_library.presort(times)
    for b, row in enumerate(times):
        expected = np.argsort(row, kind="stable")[: np.isfinite(row).sum()]
        np.testing.assert_array_equal(found[offsets[b] : offsets[b + 1]], expected)


def test_inputs_with_spikes_left_out_are_still_sorted():
    rng = np.random.default_rng(0)
    times = np.where(rng.random((200, 30)) < 0.3, np.inf, rng.random((200, 30)))
    inputs = Inputs(times)
    thinned = inputs.without(0.25, rng)
    lost = np.isfinite(inputs.times) & ~np.isfinite(thinned.times)
    assert lost.sum() / np.isfinite(inputs.times).sum() == pytest.approx(0.25, abs=0.03)
    assert (thinned.times[~lost] == inputs.times[~lost]).all()
    np.testing.assert_equal(thinned.sorted, Inputs(thinned.times).sorted)
    assert (inputs.times == Inputs(times).times).all(), "the original stays as it was"
