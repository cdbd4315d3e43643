"""MNIST as Poisson spikes: rules against autodiff, input spikes, training, Brian2."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from made.convolutions import maxima_in_jax
from made.neftci_networks import run_in_numpy
from made.poisson_digits import show_digits, small
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.errors import UserError
from whyspiking.talks.neftci.mnist_poisson import (
    brian_network,
    end_to_end,
    experiment,
    local_learning,
    model,
    task,
    training,
)
from whyspiking.training import checkpoint


@pytest.fixture
def digits(monkeypatch):
    show_digits(monkeypatch)


def test_local_loss_has_the_gradient_that_autodiff_has():
    """One layer, its input constant; the factors of dropout are part of the loss."""
    own = small()
    arrays = {name: np.float64(x) for name, x in model.draw_network(own, Streams(0)).items()}
    rng, k = np.random.default_rng(0), 2
    potentials = rng.standard_normal((5, model.shapes(own)[k - 1].n_outputs))
    kept = 2.0 * (rng.random((5, 10)) < 0.5)
    wanted = np.eye(10)[rng.integers(0, 10, 5)]

    def loss(u):
        error = kept * (jax.nn.sigmoid(u) @ arrays["g2"] + arrays["d2"]) - wanted
        return optax.huber_loss(error, delta=1.0).mean()

    with jax.enable_x64(True):
        value, slope = jax.value_and_grad(loss)(jnp.asarray(potentials))
        activity = np.asarray(jax.nn.sigmoid(jnp.asarray(potentials)))
    found = local_learning.local_loss(arrays, k, activity, kept, wanted)
    np.testing.assert_allclose(found[0], value, rtol=1e-10)
    np.testing.assert_allclose(found[1], slope, rtol=1e-9, atol=1e-14)


def test_updates_are_those_of_adamax():
    """As optax has it: the rule of Eq. 8, and the readout's with first moment."""
    own = small()
    rng, arrays = np.random.default_rng(0), model.draw_network(own, Streams(0))
    memory = local_learning.start_memory(arrays)
    values, norm = arrays["w1"].copy(), np.zeros_like(arrays["w1"])
    plain = optax.adamax(0.01, b1=0.0, b2=0.95)
    known, state = arrays["w1"], plain.init(arrays["w1"])
    readout = {"v": arrays["v"], "c": arrays["c"]}
    adamax = optax.adamax(own.rate_readout, b1=0.9, b2=0.999)
    state_of_readout = adamax.init(readout)

    def cross_entropy(readout, activity, labels):
        score = activity @ readout["v"] + readout["c"]
        return optax.softmax_cross_entropy_with_integer_labels(score, labels).mean()

    for _ in range(4):
        gradient = rng.standard_normal(values.shape).astype(np.float32)
        local_learning.update(values, gradient, norm, 0.01, 0.95)
        change, state = plain.update(gradient, state)
        known = known + change
        activity = rng.random((6, len(arrays["v"])), np.float32)
        labels = rng.integers(0, 10, 6)
        slopes = jax.grad(cross_entropy)(readout, activity, labels)
        change, state_of_readout = adamax.update(slopes, state_of_readout)
        readout = jax.tree.map(jnp.add, readout, change)
        arrays = {name: x.copy() for name, x in arrays.items()}
        local_learning.learn_readout(
            own, arrays, memory, activity, np.eye(10, dtype=np.float32)[labels]
        )
    np.testing.assert_allclose(values, known, rtol=1e-5, atol=1e-6)
    for name, expected in readout.items():
        np.testing.assert_allclose(arrays[name], expected, rtol=1e-4, atol=1e-7)


def test_backpropagation_equals_autodiff():
    own = small()
    arrays = {name: np.float64(x) for name, x in end_to_end.draw_network(own, Streams(0)).items()}
    rng = np.random.default_rng(0)
    images, wanted = rng.random((4, 9, 9)), np.eye(10)[rng.integers(0, 10, 4)]

    def output(arrays):
        values = jnp.asarray(images)[..., None]
        for k, shape in enumerate(model.shapes(own), start=1):
            edge = (shape.padding, shape.padding)
            padded = jnp.pad(values, ((0, 0), edge, edge, (0, 0)))
            maxima = maxima_in_jax(shape, padded, arrays[f"w{k}"], arrays[f"b{k}"])
            values = jnp.maximum(maxima, 0)
        return values.reshape(4, -1) @ arrays["v"] + arrays["c"]

    def loss(arrays):
        return optax.huber_loss(output(arrays) - wanted, delta=1.0).mean()

    with jax.enable_x64(True):
        doubles = {name: jnp.asarray(array) for name, array in arrays.items()}
        expected, slopes = output(doubles), jax.grad(loss)(doubles)
    forward = end_to_end.Forward(own, 4, np.float64)
    forward.respond(arrays, images)
    np.testing.assert_allclose(forward.readout, expected, rtol=1e-9)
    error = forward.readout - wanted
    found = forward.gradients(arrays, np.clip(error, -1, 1) / error.size)
    assert set(found) == set(slopes)
    for name, slope in slopes.items():
        np.testing.assert_allclose(found[name], slope, rtol=1e-8, atol=1e-14, err_msg=name)


def test_rates_are_whole_hertz_and_the_last_step_is_silent():
    own = params_of("neftci", "mnist_poisson")
    images = np.array([[[0, 2, 3, 127, 255]]], np.uint8).repeat(200, axis=0)
    steps = np.stack(list(task.draw_spikes(own, images, 1001, np.random.default_rng(0))))
    assert not steps[-1].any()
    rates_hz = 1000 * steps[:-1].mean(axis=(0, 1, 2))
    assert (rates_hz[:2] == 0).all()
    np.testing.assert_allclose(rates_hz[2:], [1, 49, 100], rtol=0.1)


def test_both_networks_learn_and_are_tested_once(digits):
    rates = {"rate_online": 1e-5, "rate_readout": 1e-2, "rate_end_to_end": 1e-3}
    own = small(n_batches=6, n_steps=60, test_steps=40, n_test=40, **rates)
    untrained = training.train(own, "untrained", Streams(2), {}, silent)
    for variant, layers in (("spiking", 3), ("relu", 1)):
        network = training.train(own, variant, Streams(2), {}, silent)
        assert len(network.info["measures"]) == layers
        assert network.info["measures"]["accuracy_layer3"] >= 0.8
        assert network.info["epochs"] == 6
    assert untrained.info["measures"]["accuracy_layer3"] < 0.5
    assert untrained.history == []
    with pytest.raises(UserError, match="variant 'bptt' is not known"):
        training.train(own, "bptt", Streams(1), {}, silent)


def test_the_first_part_of_a_training_has_its_history_and_no_test(digits):
    own = small()
    whole = training.train(own, "spiking", Streams(1), {}, silent)
    with checkpoint.first_part(0.34):
        part = training.train(own, "spiking", Streams(1), {}, silent)
    assert "measures" not in part.info
    numbers = [
        [row for row in network.history if row["metric"] != "epoch_seconds"]
        for network in (part, whole)
    ]
    assert len(numbers[0]) == 6
    assert numbers[0] == numbers[1][:6]


def test_brian_without_compiler_steps_as_the_kernel_does(digits):
    """In float64: spikes of all units, and the votes."""
    own = small(pools=[2, 1, 1], n_simulated=1)
    arrays = {name: np.float64(x) for name, x in model.draw_network(own, Streams(1)).items()}
    network, shown = Network(arrays), experiment.make_task(own, "test", Streams(1))
    raster = task.raster_of(own, shown)
    values = brian_network.bind(own, network).values
    found = run_in_numpy(brian_network.to_brian(own), values, raster.reshape(len(raster), -1))
    steps = list(model.present(own, arrays, raster, 1))
    for index, name in enumerate(model.populations(own)):
        spikes = found[name]
        layers = model.Layers(own, arrays, 1)
        expected = [
            [response.maxima.ravel() > 0 for _, response in layers.advance(step)][index]
            for step in raster
        ]
        assert 0.02 < np.mean(expected) < 0.98
        np.testing.assert_array_equal(spikes, expected, err_msg=name)
    assert len(steps) == 14


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_brian2_makes_the_same_decisions_and_spikes(digits, builds):
    from whyspiking.brian import Machine

    own = replace(small(), seed=1)
    network = training.train(own, "spiking", Streams(1), {}, silent)
    shown = experiment.make_task(own, "test", Streams(1))
    binding = brian_network.bind(own, network)
    recording = Machine(brian_network.to_brian(own), builds).run(shown.stimulus, binding.values)
    ours = experiment.evaluate(own, "spiking", network, shown)
    theirs = experiment.decode(own, recording, shown)
    np.testing.assert_array_equal(ours.choices, theirs.choices)
    np.testing.assert_array_equal(ours.decision_ms, theirs.decision_ms)
    for name, counts in experiment.reference_counts(own, "spiking", network, shown).items():
        np.testing.assert_array_equal(counts, recording.spikes[name].counts())
