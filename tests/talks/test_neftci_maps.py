"""DECOLLE with convolutional layers: against dense ones, automatic differentiation and Brian2."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.neftci_networks import as_network, digits, params, run_in_numpy

from whyspiking.talks.neftci import convolution, learning, maps, network, rules
from whyspiking.talks.neftci.network import Weights

SMALL = {"maps": [3, 4, 2], "kernel": 3, "pools": [2, 1, 2], "sensor_side": 7, "pool": 1}


def small(**changes):
    own = params(**SMALL, **changes)
    sizes, c = maps.maps_of(own), learning.constants(own)
    frames = digits(own, 12).unpacked()
    return own, sizes, c, maps.initial(own, sizes, frames, c, np.random.default_rng(0)), frames


def steps_of(c, sizes, weights, frames):
    """Spikes, potentials and what neurons see of every layer, step by step."""
    advance = jax.jit(lambda state, spikes: maps.step(c, sizes, weights, state, spikes))
    state = maps.silent(sizes, frames.shape[1])
    for spikes in maps.as_maps(frames, sizes):
        state, *found = advance(state, spikes)
        yield found


def test_a_convolution_is_a_dense_layer_whose_weights_repeat():
    _, sizes, c, weights, frames = small()
    pre, post, drawn = convolution.wiring(3, 7, 2, 3)
    matrix = np.zeros((98, 147), np.float32)
    matrix[convolution.input_of(pre, 7, 2), post] = np.asarray(weights.w[0]).ravel()[drawn]
    bias = jnp.tile(weights.b[0], 49)
    fired, _, _ = network.respond(c, jnp.asarray(matrix), bias, jnp.asarray(frames))
    found = steps_of(c, sizes, weights, frames)
    for ((first, *_), _, _), expected in zip(found, fired, strict=True):
        np.testing.assert_array_equal(first.reshape(len(expected), -1), expected)
    assert 0.02 < fired.mean() < 0.9


def test_of_a_square_the_neuron_with_the_highest_potential_learns():
    own, sizes, c, weights, frames = small()
    target = jax.nn.one_hot(digits(own, 12).labels, own.n_classes)
    *_, (_, potentials, seen) = steps_of(c, sizes, weights, frames)
    found = maps.local_gradients(c, sizes, weights, potentials, seen, target)
    for k, (w, b, g) in enumerate(zip(*weights, strict=True)):
        rest = potentials[k] - seen[k] @ w - b

        def loss(w, b, k=k, g=g, rest=rest):
            u = maps.squares(seen[k] @ w + b + rest, sizes.pools[k]).max(axis=(2, 4))
            read = network.threshold(c.slope)(u).reshape(len(u), -1) @ g
            return rules.smooth_l1(read - target).sum(axis=1).mean()

        expected = jax.grad(loss, argnums=(0, 1))(w, b)
        np.testing.assert_allclose(found[0][k], expected[0], rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(found[1][k], expected[1], rtol=1e-3, atol=1e-6)
        assert np.abs(expected[0]).max() > 1e-4


def test_initial_potentials_have_unit_variance():
    _, sizes, c, weights, frames = small(mean_u=-1.0)
    seen = [potentials for _, potentials, _ in steps_of(c, sizes, weights, frames)]
    for k in range(3):
        values = np.stack([step[k] for step in seen[c.burn_in :]])
        assert abs(values.std() - 1) < 0.15
        assert abs(values.mean() + 1) < 0.15


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Brian2's parsers
def test_brian_fires_the_same_spikes():
    own, sizes, c, weights, frames = small()
    built = convolution.to_brian(own)
    bound = convolution.bind(own, as_network(Weights(*weights)))
    found = run_in_numpy(built, bound.values, frames[:, 0])
    for index, (fired, _, _) in enumerate(steps_of(c, sizes, weights, frames[:, :1])):
        for k, s in enumerate(fired, start=1):
            np.testing.assert_array_equal(found[f"layer{k}"][index], np.ravel(s))
    assert found["square1"].sum() > 0
    read = maps.responses(weights, frames[:, :1], c, sizes)
    np.testing.assert_array_equal(found["square1"], read[0][:, 0])
