"""DECOLLE: local gradients and the other learning rules, memory, and how decisions are read."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.neftci_networks import digits, network_of, params, seen, task_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording
from whyspiking.talks.neftci import (
    learning,
    measures,
    memory,
    model,
    network,
    rules,
    task,
)
from whyspiking.talks.neftci.network import Constants, Weights
from whyspiking.talks.neftci.rules import Rule

FREE = Rule(1.0, 0.0, 0.0)
HOW = rules.Optimiser(*rules.PUBLISHED)


def test_traces_are_the_sums_of_their_kernels():
    """P of Eq. 1 against the convolution with its impulse response, solved by hand."""
    own = params(hidden=[3])
    weights, c = network_of(own)
    frames = digits(own, 2).unpacked()
    lag = np.arange(1, own.n_frames)
    # P[t] answers an input at t - k with (1-a)(1-b)(a^k - b^k)/(a - b).
    kernel = (1 - c.alpha) * (1 - c.beta) * (c.alpha**lag - c.beta**lag) / (c.alpha - c.beta)
    kernel = np.concatenate([[0.0], kernel])
    expected = np.stack(
        [sum(kernel[k] * frames[t - k] for k in range(t + 1)) for t in range(own.n_frames)]
    )
    traces = np.stack([p[0] for _, _, p in seen(weights, c, frames)])
    np.testing.assert_allclose(traces, expected, atol=1e-5)


def test_local_gradient_is_autodiff_with_layer_and_past_cut_off():
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    *_, (fired, potentials, traces) = seen(weights, c, frames)
    found = rules.local_gradients(c, weights, fired, potentials, traces, target)
    for layer in range(3):
        w, b, g = (kind[layer] for kind in weights)
        rest = potentials[layer] - traces[layer] @ w - b

        def loss(w, b, g=g, layer=layer, rest=rest):
            spikes = network.threshold(c.slope)(traces[layer] @ w + b + rest)
            return rules.smooth_l1(spikes @ g - target).sum(axis=1).mean()

        expected = jax.grad(loss, argnums=(0, 1))(w, b)
        np.testing.assert_allclose(found[0][layer], expected[0], rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found[1][layer], expected[1], rtol=1e-4, atol=1e-7)


def test_of_one_layer_and_one_step_both_rules_have_the_same_gradient():
    """Where no earlier spike can matter, back-propagation has nothing to add."""
    own = params(hidden=[12])
    weights, _ = network_of(own)
    c = Constants(0.8, 0.5, 0.0, burn_in=1, slope=10.0)
    frames = digits(own, 6).unpacked()[:2]
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    *_, last = seen(weights, c, frames)
    local = rules.local_gradients(c, weights, *last, target)
    whole = rules.end_to_end_gradients(c, weights, frames, target)
    np.testing.assert_allclose(whole[0][0], local[0][0], rtol=1e-4, atol=1e-8)
    assert np.abs(local[0][0]).max() > 0


def test_online_learning_is_the_step_by_step_loop():
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    rate = jnp.float32(0.003)
    found = rules.learn_online(
        rules.start(weights, HOW, FREE), weights.g, frames, target, rate, c, FREE, HOW
    )
    now = rules.start(weights, HOW, FREE)
    state = network.silent(weights, 6)
    for index, spikes in enumerate(frames):
        current = Weights(now.w, now.b, weights.g)
        state, *these = network.step(c, current, state, spikes)
        if index >= c.burn_in:
            slopes = rules.local_gradients(c, current, *these, target)
            now = rules.update(now, slopes, rate, HOW)
    for a, b in zip(found.w, now.w, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_batched_learning_sums_the_same_gradients():
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    total = 0
    for index, these in enumerate(seen(weights, c, frames)):
        if index >= c.burn_in:
            total += rules.local_gradients(c, weights, *these, target)[0][0]
    found = rules.learn_batched(
        rules.start(weights, HOW, FREE), weights.g, frames, target, jnp.float32(0.1), c, FREE, HOW
    )
    np.testing.assert_allclose(found.second[0][0], np.abs(total), rtol=1e-4, atol=1e-7)


def test_pressure_falls_on_neurons_above_the_target_only():
    rule = Rule(target_rate=0.05, pressure=0.2, renewal=0.1)
    np.testing.assert_allclose(rules.push(rule, jnp.array([0.01, 0.05, 0.1])), [0, 0, 0.2])
    own = params()
    weights, c = network_of(own)
    frames = digits(own, 6).unpacked()
    target = jax.nn.one_hot(digits(own, 6).labels, own.n_classes)
    now = rules.start(weights, HOW, rule)
    rate = jnp.float32(0.0)
    after = rules.learn_online(now, weights.g, frames, target, rate, c, rule, HOW)
    rates = np.full(own.hidden[0], rule.target_rate)
    for index, (fired, *_) in enumerate(seen(weights, c, frames)):
        if index >= c.burn_in:
            rates = 0.9 * rates + 0.1 * np.asarray(fired[0]).mean(axis=0)
    np.testing.assert_allclose(after.activity[0], rates, atol=1e-6)


def test_initial_potentials_have_unit_variance():
    own = params(hidden=[60, 50])
    for mean in (0.0, -1.0):
        frames = digits(own, 40).unpacked()
        c = learning.constants(own)
        weights = network.initial(
            model.sizes(own), 4, 0.5, mean, frames, c, np.random.default_rng(0)
        )
        u = [p for _, p, _ in seen(weights, c, frames)][c.burn_in :]
        for layer in range(2):
            values = np.stack([step[layer] for step in u])
            assert abs(values.std() - 1) < 0.05
            assert abs(values.mean() - mean) < 0.1


@pytest.mark.parametrize("rule", sorted(learning.LEARN))
def test_all_rules_learn(rule, monkeypatch):
    own = params(
        rule=rule, hidden=[24, 16], epochs=12, n_init=40,
        batch_online=20, batch_batched=20, batch_end_to_end=20,
        rate_online=0.01, rate_batched=0.05, rate_end_to_end=0.05,
    )  # fmt: skip
    sets = {"train": digits(own, 200), "validation": digits(own, 100, seed=1)}
    monkeypatch.setattr(task, "recordings_of", lambda _, split: sets[split])
    found = learning.train(own, "spiking", Streams(0), lambda *_: None)
    history = {(row["epoch"], row["metric"]): row["value"] for row in found.history}
    assert history[12, "validation_accuracy"] > 0.5
    assert history[12, "samples"] == 12 * 200
    per_batch = own.n_frames - model.burn_in(own) if rule == "online" else 1
    assert history[12, "updates"] == 12 * 10 * per_batch


def test_memory_of_local_learning_does_not_grow():
    own = params("memory", memory_frames=[20, 60], batch_online=20)
    found = memory.curves(own)
    slopes = memory.slopes(own, found)
    assert slopes["memory_slope_ratio"] < 0.05
    # At least the spikes, potentials or traces of all layers are kept per step and sample.
    assert slopes["memory_slope_end_to_end"] > 4 * own.batch_online * sum(own.hidden)


def test_optimisers_are_those_of_optax():
    """Adamax with its first moment and Adam, five steps on a quadratic function."""
    import optax

    for how, reference in (
        (rules.Optimiser("adam", 0.9, 0.999), optax.adam(0.1)),
        (rules.Optimiser("adamax", 0.9, 0.95), optax.adamax(0.1, 0.9, 0.95)),
    ):
        values = [jnp.array([[1.0, -2.0]])], [jnp.array([0.5, 3.0])]
        now = rules.start(Weights(*values, []), how, FREE)
        state = reference.init(values)
        for _ in range(5):
            now = rules.update(now, (now.w, now.b), jnp.float32(0.1), how)
            moved, state = reference.update(values, state)
            values = optax.apply_updates(values, moved)
        np.testing.assert_allclose(now.w[0], values[0][0], rtol=1e-4)
        np.testing.assert_allclose(now.b[0], values[1][0], rtol=1e-4)


def test_votes_and_when_they_are_settled():
    own = params(burn_in_ms=15.0, n_frames=6)
    classes = np.array([[3, 0, 1, 1, 0, 1], [3, 2, 2, 2, 2, 2]])
    trials = model.decide(own, np.array([1, 2]), np.eye(4)[classes])
    np.testing.assert_array_equal(trials.choices, [1, 2])
    # First row after the burn-in: 0, 1 (tie, the lower leads), 1, 0 (tie), 1: settled in the last.
    np.testing.assert_array_equal(trials.decision_ms, [75.0, 15.0])


def test_gains_are_those_of_the_last_layer():
    """Three layers of which the second is right most often: 10, 18 and 16 of 20 trials."""
    own = params()
    given = task_of(own, 20)
    traces, spikes = {}, {}
    for k, right in enumerate((10, 18, 16), start=1):
        choices = np.where(np.arange(20) < right, given.targets, given.targets + 1)
        traces[f"readout{k}"] = np.eye(5)[choices][:, None].repeat(own.n_frames, axis=1)
        one = np.array([1.0]), np.array([0], np.int32), np.array([0], np.int32)
        spikes[f"layer{k}"] = Spikes(*one, 20, own.hidden[k - 1], own.dt_ms * own.n_frames)
    found = measures.measures(own, Condition(), Recording(spikes, traces), given)
    assert found["depth_gain"] == pytest.approx(0.3)
    assert found["last_layer_gain"] == pytest.approx(-0.1)


def test_frames_and_spikes_say_the_same():
    own = params()
    data = digits(own, 5)
    spikes = task.as_spikes(own, data, np.arange(5)).stimulus.spikes["events"]
    np.testing.assert_array_equal(task.frames_of(own, spikes), data.unpacked())
