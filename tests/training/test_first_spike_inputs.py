"""Inputs of first-spike networks with spikes left out."""

import numpy as np
import pytest

from whyspiking.training.first_spike.inputs import Inputs


def test_inputs_with_spikes_left_out_are_still_sorted():
    rng = np.random.default_rng(0)
    times = np.where(rng.random((200, 30)) < 0.3, np.inf, rng.random((200, 30)))
    inputs = Inputs(times)
    thinned = inputs.without(0.25, rng)
    lost = np.isfinite(inputs.times) & ~np.isfinite(thinned.times)
    assert lost.sum() / np.isfinite(inputs.times).sum() == pytest.approx(0.25, abs=0.03)
    assert (thinned.times[~lost] == inputs.times[~lost]).all()
    for found, expected in zip(thinned.sorted, Inputs(thinned.times).sorted, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (inputs.times == Inputs(times).times).all(), "the original stays as it was"
