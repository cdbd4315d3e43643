"""S4NN with several hidden layers: kernel, a dense statement, and Brian2."""

from itertools import pairwise

import numpy as np
import pytest
from made.bars import NEURONS, T_MAX, made_digits, random_case, same_in_brian
from made.fulfilled import fulfilled
from made.project import params_of, silent
from oracles import masquelier_reference as reference

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Stimulus, Task
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, learning, model
from whyspiking.talks.masquelier.network import Averaged, Rule, of_layers, order_spikes

SIZES = ([30, 21, 5], [30, 64, 32], [30, 17, 21, 5], [30, 9, 40, 3, 6], [30, 4, 33, 16, 8, 2])


@pytest.fixture
def digits(monkeypatch):
    return made_digits(monkeypatch)


@pytest.mark.parametrize("sizes", SIZES)
def test_kernel_is_the_reference(vectors, sizes):
    """Tick for tick; learning, averaging, decay and frozen layers to rounding."""
    for seed in range(6):
        ticks, targets, weights = random_case(seed, sizes)
        events = order_spikes(ticks, T_MAX)
        ours, theirs = (e.forward(events, weights, NEURONS) for e in (compiled, reference))
        np.testing.assert_array_equal(ours.hidden, theirs.hidden)
        np.testing.assert_array_equal(ours.output, theirs.output)
        np.testing.assert_allclose(ours.potential, theirs.potential, atol=1e-12)
        early = compiled.forward(events, weights, NEURONS, whole=False)
        np.testing.assert_array_equal(
            model.strict(early.output, early.potential), model.strict(ours.output, ours.potential)
        )
        rule = Rule(5, 0.2, 1e-3, whole=seed % 2 > 0, frozen=seed % min(3, len(weights)))
        results = []
        for engine in (compiled, reference):
            learned = tuple(w.copy() for w in weights)
            averaged = Averaged(tuple(w.copy() for w in weights), 0.3, 4)
            counts = engine.train_epoch(
                events, targets, np.arange(12), learned, averaged, NEURONS, rule
            )
            results.append((learned, averaged.weights, counts))
        for ours, theirs in zip(*(r[0] + r[1] for r in results), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(results[0][2][0], results[1][2][0])
        assert results[0][2][1:] == results[1][2][1:]
        moved = [(a != b).any() for a, b in zip(results[0][0], weights, strict=True)]
        assert moved == [k >= rule.frozen for k in range(len(weights))]


def dense(ticks, weights):
    """Spike times of all layers in one image, the inputs first: whole rasters, no events."""
    found = [np.asarray(ticks, int)]
    for w in weights:
        came = found[-1][:, None] <= np.arange(T_MAX)
        above = (w.T @ came) > NEURONS.theta
        found.append(np.where(above.any(axis=1), above.argmax(axis=1) + 1, T_MAX))
    return found


def dense_step(times, weights, target, gamma, rate):
    """One step of the rule by the README's equations, with the whole matrices."""
    output = times[-1]
    first = output.min()
    wanted = output.copy()
    if first < T_MAX:
        wanted[output - first < gamma] = min(first + gamma, T_MAX)
        wanted[target] = first
    else:
        wanted[target] = T_MAX - gamma
    error = (wanted - output) / T_MAX
    for k in range(len(weights) - 1, -1, -1):
        if not np.linalg.norm(error):
            break
        error = error / np.linalg.norm(error)
        cause = np.less.outer(times[k], times[k + 1])
        weights[k] -= rate * cause * error
        error = (cause * weights[k]) @ error


@pytest.mark.parametrize("sizes", SIZES)
def test_kernel_is_the_dense_statement(sizes):
    """In float64, over some hundred images that follow each other."""
    ticks, targets, weights = random_case(11, sizes, n_images=40)
    events = order_spikes(ticks, T_MAX)
    order = np.tile(np.arange(40), 5)
    learned = tuple(w.copy() for w in weights)
    compiled.train_epoch(events, targets, order, learned, None, NEURONS, Rule(4, 0.05, 0.0))
    expected = [w.copy() for w in weights]
    for image in order:
        times = dense(ticks[image], expected)
        dense_step(times, expected, targets[image], 4, 0.05)
    for ours, theirs, start in zip(learned, expected, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)
        assert np.abs(theirs - start).max() > 0.01, "every layer must have learned"
    found = compiled.forward(events, learned, NEURONS)
    for image in range(40):
        _, *hidden, output = dense(ticks[image], expected)
        np.testing.assert_array_equal(found.hidden[image], np.concatenate(hidden))
        np.testing.assert_array_equal(found.output[image], output)


def test_brian_is_the_kernel_tick_for_tick(builds):
    from whyspiking.brian import Machine

    own = params_of("masquelier", "mnist_strict",
        n_input=30, n_hidden=12, more_hidden=[9, 7], n_output=4, t_max=32, theta=10.0,
        max_trials=40, tick_ms=1.0,
    )  # fmt: skip
    rng = np.random.default_rng(5)
    ticks = rng.integers(0, 36, (60, 30)).astype(float)
    ticks[ticks >= 32] = np.inf
    test = Task(
        Stimulus({"input": Spikes.from_first_spikes(ticks, 32.0)}), rng.integers(0, 4, 60), 4
    )
    sizes = [30, 12, 9, 7, 4]
    machine = Machine(fulfilled(own).to_brian(own), builds)
    fired = 0
    for high in (5, 6, 8):
        # Multiples of a half make exact ties.
        shapes = pairwise(sizes)
        weights = [np.round(2 * rng.uniform(-2, high, shape)) / 2 for shape in shapes]
        network = Network(model.as_arrays((weights[0] / 2, *weights[1:])))
        assert list(network.arrays) == ["w_hidden", "w_hidden_2", "w_hidden_3", "w_output"]
        recording = machine.run(test.stimulus, fulfilled(own).bind(own, network).values)
        output = same_in_brian(own, network, recording, test)
        fired += (output < own.t_max).sum()
    assert 0.1 < fired / (3 * 60 * 4) < 0.99, "the cases must contain what they test"


def test_it_trains_and_revives_neurons_of_every_layer(digits):
    own = params_of(
        "masquelier",
        "mnist_strict",
        **{
            **digits,
            "more_hidden": [15],
            "epochs": 2,
            "further_limits": [-2.0, 30.0],
            "reset_output": False,
        },
    )
    found = learning.train(own, "spiking", Streams(0), {}, silent)
    assert [w.shape for w in found.arrays.values()] == [(64, 20), (20, 15), (15, 4)]
    weights = learning.initial_weights(own, Streams(0))
    for name, start in model.as_arrays(weights).items():
        assert np.abs(found.arrays[name] - start).max() > 0.1, "every layer must have learned"
    assert weights[1].min() < 0 < weights[0].min() and 20 < weights[1].max() < 30
    before = tuple(w.copy() for w in weights)
    mask = np.zeros(35, bool)
    mask[[3, 20, 34]] = True
    learning.reset(own, weights, mask, np.random.default_rng(0))
    of_first, of_second = of_layers(mask, weights)
    np.testing.assert_array_equal((weights[0] != before[0]).any(axis=0), of_first)
    np.testing.assert_array_equal((weights[1] != before[1]).any(axis=0), of_second)
    np.testing.assert_array_equal(weights[2], before[2])


def test_layers_must_fit_each_other():
    ticks, _, weights = random_case(0, SIZES[0])
    events = order_spikes(ticks, T_MAX)
    for bad in ((weights[0], weights[0]), (weights[0],), (weights[0][:-1], *weights[1:])):
        with pytest.raises(UserError, match="30 pixels meet weights of sizes"):
            compiled.forward(events, bad, NEURONS)
