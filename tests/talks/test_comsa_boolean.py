"""Comsa: networks that compute Boolean functions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.fulfilled import fulfilled, task_of
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.talks.comsa import boolean, boolean_learning, boolean_task, model


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(boolean_task.GATES), st.integers(0, 1000))
def test_gates_are_noisy_and_balanced(gate, seed):
    values = boolean_task.examples(gate, 2000, np.random.default_rng(seed))
    true = values > 0.5
    assert ((values < 0.45) | (values >= 0.55)).all() and values.max() < 1
    expected = {
        "xor": true[:, 0] ^ true[:, 1],
        "and": true[:, 0] & true[:, 1],
        "or": true[:, 0] | true[:, 1],
    }
    classes = boolean_task.truth(gate, values)
    np.testing.assert_array_equal(classes, expected[gate])
    assert abs(classes.mean() - 0.5) < 0.06
    one, two = (true.sum(axis=1) == n for n in (1, 2))
    # AND and OR flip one or two inputs, equally often.
    shares = {"xor": (0.5, 0.25), "and": (0.25, 0.5), "or": (0.25, 0.25)}
    assert (one.mean(), two.mean()) == pytest.approx(shares[gate], abs=0.06)


@pytest.fixture(scope="module")
def small_gates():
    own = params_of("comsa", "boolean", scale="full", n_networks=6, epochs=40, n_test=300)
    return own, boolean.train(own, "spiking", Streams(0), {}, silent)


def test_xor_is_learned(small_gates):
    """A linear classifier reaches 0.75 at best."""
    own, network = small_gates
    values = boolean_task.samples(own, "test", Streams(0))
    times = boolean.first_output_times(own, network.arrays, values)
    found = boolean.accuracies(own, times, values)
    assert found[0].max() > 0.95 and np.median(found[1]) > 0.95 and np.median(found[2]) > 0.95
    assert (np.diff(network.arrays["validation"], axis=1) <= 0).all(), "best network first"
    # The closed form in float64 and JAX's float32 decide alike.
    again = boolean_task.samples(own, "validation", Streams(0))
    closed = boolean.accuracies(own, boolean.first_output_times(own, network.arrays, again), again)
    np.testing.assert_allclose(closed, network.arrays["validation"], atol=0.011)


def test_training_of_gates_ends_where_a_gradient_is_not_finite(monkeypatch):
    """One network of many is enough; the message names epoch, step and array."""
    own = params_of("comsa", "boolean", n_networks=2, epochs=2, n_train=50, n_validation=10)
    whole = boolean_learning.initial(own, Streams(0))
    whole["w_output"][1, 0, 0] = np.nan
    monkeypatch.setattr(boolean_learning, "initial", lambda params, streams: whole)
    with pytest.raises(UserError, match=r"the gradient of \w+.* at epoch 1, step 1 "):
        boolean.train(own, "spiking", Streams(0), {}, silent)


def test_boolean_blocks_do_not_touch(small_gates):
    """The joined network, in closed form, fires exactly as its blocks do."""
    own, network = small_gates
    binding = fulfilled(own).bind(own, network)
    test = task_of(own)
    values = np.asarray(test.features)
    joined = model.first_spikes(own, binding.arrays, values)[1]
    alone = boolean.first_output_times(own, network.arrays, values)
    np.testing.assert_allclose(joined.reshape(alone.shape), alone, rtol=1e-9)
    trials = boolean.decide(own, alone, test)
    middle = alone[:, own.n_networks // 2]
    choice = np.where(np.isfinite(middle.min(axis=1)), middle.argmin(axis=1), -1)
    np.testing.assert_array_equal(trials.choices, choice)
    assert np.count_nonzero(binding.values["s_hidden.w"]) == 3 * 6 * 2 * 4
