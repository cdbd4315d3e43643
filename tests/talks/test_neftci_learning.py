"""DECOLLE: local gradients and the other learning rules, memory, and how decisions are read."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made.neftci_networks import LOCAL, STEP, digits, network_of, params, seen, shown, task_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording
from whyspiking.talks.neftci import (
    decisions,
    initial_weights,
    learning,
    measures,
    model,
    once_per_batch,
    task,
    training,
)
from whyspiking.talks.neftci.model import Weights

DECAY = 0.95


def case(n=6):
    """A network before learning, its constants, and some digits with their classes."""
    own = params()
    data = digits(own, n)
    return *network_of(own), data.unpacked(), jax.nn.one_hot(data.labels, own.n_classes)


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
    weights, c, frames, target = case()
    *_, (fired, potentials, traces) = seen(weights, c, frames)
    found = LOCAL(c, weights, fired, potentials, traces, target)
    for layer in range(3):
        w, b, g = (kind[layer] for kind in weights)
        rest = potentials[layer] - traces[layer] @ w - b

        def loss(w, b, g=g, layer=layer, rest=rest):
            spikes = model.threshold(c.slope)(traces[layer] @ w + b + rest)
            return once_per_batch.smooth_l1(spikes @ g - target).sum(axis=1).mean()

        expected = jax.jit(jax.grad(loss, argnums=(0, 1)))(w, b)
        np.testing.assert_allclose(found[0][layer], expected[0], rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(found[1][layer], expected[1], rtol=1e-4, atol=1e-7)


def test_online_learning_is_the_step_by_step_loop():
    weights, c, frames, target = case()
    rate = jnp.float32(0.003)
    found = learning.learn_online(
        learning.start(weights), weights.g, frames, target, rate, c, DECAY
    )
    now, update = learning.start(weights), jax.jit(learning.update)
    state = model.silent(weights, 6)
    for index, spikes in enumerate(frames):
        current = Weights(now.w, now.b, weights.g)
        state, *these = STEP(c, current, state, spikes)
        if index >= c.burn_in:
            slopes = LOCAL(c, current, *these, target)
            now = update(now, slopes, rate, DECAY)
    for a, b in zip(found.w, now.w, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_batched_learning_sums_the_same_gradients():
    weights, c, frames, target = case()
    total = 0
    for index, these in enumerate(seen(weights, c, frames)):
        if index >= c.burn_in:
            total += LOCAL(c, weights, *these, target)[0][0]
    batched = jax.jit(once_per_batch.batched_gradients, static_argnums=0)
    found = batched(c, weights, frames, target)[0][0]
    np.testing.assert_allclose(found, total, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("mean", [0.0, -1.0])
def test_initial_potentials_have_unit_variance(mean):
    own = params(hidden=[60, 50], mean_u=mean)
    frames, c = digits(own, 40).unpacked(), model.constants(own)
    weights = initial_weights.initial(own, frames, np.random.default_rng(0))
    u = [p for _, p, _ in seen(weights, c, frames)][c.burn_in :]
    for layer in range(2):
        values = np.stack([step[layer] for step in u])
        assert abs(values.std() - 1) < 0.05
        assert abs(values.mean() - mean) < 0.1


def test_memory_of_local_learning_does_not_grow():
    """Temporary buffers of the compiled steps, in bytes per time step."""
    own = params()
    weights, c = network_of(own)
    now, n = learning.start(weights), 20

    def slope(rule, **how):
        sizes = []
        for n_frames in (20, 60):
            given = jnp.zeros((n_frames, n, model.sizes(own)[0])), jnp.zeros((n, own.n_classes))
            compiled = rule.lower(now, weights.g, *given, jnp.float32(1), c, DECAY, **how).compile()
            sizes.append(compiled.memory_analysis().temp_size_in_bytes)
        return (sizes[1] - sizes[0]) / 40

    # At least the spikes, potentials or traces of all layers are kept per step and sample.
    whole = slope(once_per_batch.learn_once, gradients=once_per_batch.end_to_end_gradients)
    assert whole > 4 * n * sum(own.hidden)
    assert slope(learning.learn_online) < 0.05 * whole


def test_adamax_is_that_of_optax():
    """Without its first moment, five steps on a quadratic function."""
    import optax

    reference = optax.adamax(0.1, 0.0, DECAY)
    values = [jnp.array([[1.0, -2.0]])], [jnp.array([0.5, 3.0])]
    now, state = learning.start(Weights(*values, [])), reference.init(values)
    for _ in range(5):
        now = learning.update(now, (now.w, now.b), jnp.float32(0.1), DECAY)
        moved, state = reference.update(values, state)
        values = optax.apply_updates(values, moved)
    np.testing.assert_allclose(now.w[0], values[0][0], rtol=1e-4)
    np.testing.assert_allclose(now.b[0], values[1][0], rtol=1e-4)


@pytest.mark.parametrize("rule", sorted(training.RULES))
def test_all_rules_learn(rule, monkeypatch):
    own = params(
        rule=rule, hidden=[24, 16], epochs=12, n_init=40,
        batch_online=20, batch_batched=20, batch_end_to_end=20,
        rate_online=0.01, rate_batched=0.05, rate_end_to_end=0.05,
    )  # fmt: skip
    shown(monkeypatch, own, 200, 100)
    found = training.train(own, "spiking", Streams(0), lambda *_: None)
    history = {(row["epoch"], row["metric"]): row["value"] for row in found.history}
    assert history[12, "validation_accuracy"] > 0.5
    assert history[12, "samples"] == 12 * 200
    per_batch = own.n_frames - model.burn_in(own) if rule == "online" else 1
    assert history[12, "updates"] == 12 * 10 * per_batch


def test_votes_and_when_they_are_settled():
    own = params(burn_in_ms=15.0, n_frames=6)
    classes = np.array([[3, 0, 1, 1, 0, 1], [3, 2, 2, 2, 2, 2]])
    trials = decisions.decide(own, np.array([1, 2]), np.eye(4)[classes])
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
