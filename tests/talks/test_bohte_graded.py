"""The graded twin: equal to the spiking neuron in everything but what it sends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyspiking.contract import types as ct
from whyspiking.declared import registry
from whyspiking.talks.bohte import graded, model, network
from whyspiking.training.surrogates import triangle

N, STEPS = 4, 12


@pytest.fixture
def layer():
    rng = np.random.default_rng(0)
    drive = rng.normal(1.0, 2.0, (STEPS, 3, N))
    w = rng.normal(0, 0.5, (N, N))
    alpha, rho = rng.uniform(0.5, 0.9, (2, N))
    return model.Neuron(0.1, triangle()), 1.8, drive, w, alpha, rho


def sent(cell, layer, limits=None):
    with jax.enable_x64(True):
        neuron, beta, *arrays = layer
        given_ = [jnp.asarray(x) for x in arrays]
        return np.asarray(
            model.course(neuron, beta, *given_, None, graded.fire(cell, limits)).spikes
        )


@pytest.mark.parametrize("cell", sorted(graded.CELLS))
def test_the_twin_is_the_published_neuron_with_a_value_in_place_of_a_spike(layer, cell):
    """Eqs. 1 to 3 and 24 written out for one trial, step by step."""
    neuron, beta, drive, w, alpha, rho = layer
    u, eta, s, found = np.zeros(N), np.full(N, neuron.threshold), np.zeros(N), []
    for now in drive[:, 0]:
        eta = rho * eta + (1 - rho) * s
        theta = neuron.threshold + beta * eta
        u = alpha * u + (1 - alpha) * (now + s @ w) - theta * s
        above = u - theta
        s = np.maximum(above, 0) if cell == "graded" else 1 / (1 + np.exp(-above))
        found.append(s)
    np.testing.assert_allclose(sent(cell, layer)[:, 0], found, rtol=1e-12, atol=1e-12)


def test_the_twin_is_positive_just_when_its_neuron_would_spike(layer):
    """Until the first spike both are the same neuron."""
    neuron, beta, *arrays = layer
    spikes = np.asarray(model.course(neuron, beta, *map(jnp.asarray, arrays)).spikes) > 0
    values = sent("graded", layer) > 0
    before = np.cumsum(spikes.any(axis=2), axis=0) - spikes.any(axis=2) == 0
    assert before.sum() >= 3
    np.testing.assert_array_equal(values[before], spikes[before])


@settings(deadline=None)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=20), st.integers(1, 8))
def test_rounded_values_are_few_and_near(values, bits):
    x = np.array(values)
    found = np.asarray(graded.rounded(x, 2.0, bits))
    level = 2.0 / (2**bits - 1)
    assert np.unique(found).size <= 2**bits, "to the last bit, or equal values would seem to change"
    inside = x <= 2.0
    assert np.all(abs(found - x)[inside] <= level / 2 + 1e-6)
    np.testing.assert_allclose(found[~inside], 2.0, rtol=1e-6)


def test_a_coarser_twin_sends_its_few_values_and_many_bits_change_nothing(layer):
    values = sent("graded", layer)
    trained = ct.Network({"w_out": np.eye(2)}, {"cell": "graded", "epochs": 3})
    wanted = np.float32(np.quantile(values[values > 0], 0.9))
    coarse = graded.coarser(trained, values, 2, lambda own: -abs(float(own["most_0"] - wanted)))
    assert coarse.arrays["most_0"] == wanted, "the quantile that scores best"
    limits = coarse.arrays["most_0"], coarse.arrays["bits_0"]
    assert np.unique(np.round(sent("graded", layer, limits), 6)).size <= 4
    np.testing.assert_allclose(sent("graded", layer, (values.max(), 24)), values, atol=1e-5)


def test_a_twin_begins_with_the_weights_of_its_spiking_network():
    experiment = registry.load_talk("bohte").experiments["shared_randman"]
    values = {k: e["value"] for k, e in experiment.parameters.items()}
    params = ct.Params("bohte", "shared_randman", 0, values)
    first = network.initial(params, "alif", np.random.default_rng(3))
    twin = network.initial(params, "graded", np.random.default_rng(3))
    assert first.keys() == twin.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], twin[name])
