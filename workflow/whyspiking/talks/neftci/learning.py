"""The local rule and back-propagation in JAX (README, section 3)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from whyspiking.talks.neftci.network import Constants, Weights, respond, silent, step
from whyspiking.training.history import BROKEN
from whyspiking.training.surrogates import fast_sigmoid

PUBLISHED = ("adamax", 0.0, 0.95)
"""Kind and decays of the published optimiser (code: Adamax, betas 0 and 0.95)."""


class Rule(NamedTuple):
    """What the online rule asks for beside the right class.

    Attributes:
        target_rate: Spikes per neuron and step above which activity is pushed down.
        pressure: How strongly, relative to the loss; 0 for not at all.
        renewal: Share of a neuron's running rate that one step replaces.
    """

    target_rate: float
    pressure: float
    renewal: float


class Optimiser(NamedTuple):
    """Adamax or Adam.

    Attributes:
        kind: "adamax" or "adam".
        first: Decay of the first moment; 0 for none.
        second: Decay of Adamax's norm or of Adam's second moment.
    """

    kind: str
    first: float
    second: float


class Moving(NamedTuple):
    """What learning changes.

    Attributes:
        w: Weights per layer, (pre, post).
        b: Biases per layer, (post,).
        first: First moment of the gradients; empty where the optimiser has none.
        second: Adamax's norm or Adam's second moment.
        n_updates: Number of updates so far.
        activity: Running rate of every neuron, per layer (post,).
    """

    w: list[Array]
    b: list[Array]
    first: Any
    second: Any
    n_updates: Array
    activity: list[Array]


def start(weights: Weights, how: Optimiser, rule: Rule) -> Moving:
    """Before the first update; running rates begin at the target."""
    moved = list(weights.w), list(weights.b)
    zero = jax.tree.map(jnp.zeros_like, moved)
    activity = [jnp.full_like(b, rule.target_rate) for b in weights.b]
    return Moving(*moved, zero if how.first else (), zero, jnp.zeros((), jnp.int32), activity)


def update(now: Moving, slopes: Any, rate: Array, how: Optimiser) -> Moving:
    """One update (Eq. 8).

    Args:
        now: Weights and moments.
        slopes: Gradients of weights and biases.
        rate: Learning rate.
        how: Adamax or Adam.
    """
    count = now.n_updates + 1
    first, mean = now.first, slopes
    if how.first:
        first = jax.tree.map(lambda m, g: how.first * m + (1 - how.first) * g, first, slopes)
        mean = jax.tree.map(lambda m: m / (1 - how.first**count), first)
    if how.kind == "adamax":
        second = jax.tree.map(
            lambda n, g: jnp.maximum(how.second * n, jnp.abs(g)), now.second, slopes
        )
        size = second
    else:
        second = jax.tree.map(
            lambda v, g: how.second * v + (1 - how.second) * g * g, now.second, slopes
        )
        size = jax.tree.map(lambda v: jnp.sqrt(v / (1 - how.second**count)), second)
    w, b = jax.tree.map(
        lambda value, m, n: value - rate * m / (n + 1e-8), (now.w, now.b), mean, size
    )
    return Moving(w, b, first, second, count, now.activity)


@jax.jit
def broken(now: Moving) -> dict[str, Array]:
    """For `refuse_broken`: which weights and biases are not finite after an update.

    Adamax and Adam divide by the size of the gradient, so that one which is not finite leaves
    weights behind that are not.
    """
    return {
        f"{BROKEN}{kind}{k}": ~jnp.isfinite(x).all()
        for kind, arrays in (("w", now.w), ("b", now.b))
        for k, x in enumerate(arrays, start=1)
    }


def smooth_l1(error: Array) -> Array:
    """Eq. 6, elementwise."""
    size = jnp.abs(error)
    return jnp.where(size < 1, 0.5 * size**2, size - 0.5)


def learning_signal(c: Constants, g: Array, s: Array, u: Array, target: Array) -> Array:
    """First term of delta in Eq. 7: error of the readout, sent back through it, times surrogate.

    Args:
        c: Slope of the surrogate.
        g: Readout, (post, class).
        s: Spikes, (..., trial, post).
        u: Potentials, the same shape.
        target: Wanted readout, (trial, class).
    """
    error = jnp.clip(s @ g - target, -1, 1)
    return (error @ g.T) * fast_sigmoid(c.slope)(u)


def push(rule: Rule, activity: Array) -> Array:
    """Second term of delta in Eq. 7, before the surrogate, (post,)."""
    return rule.pressure * jax.nn.relu(activity / rule.target_rate - 1)


def local_gradients(
    c: Constants,
    weights: Weights,
    fired: Sequence,
    potentials: Sequence,
    traces: Sequence,
    target: Array,
    pushes: Sequence | None = None,
) -> tuple[list[Array], list[Array]]:
    """Gradients of the sum of all local losses of one step (Eq. 7), mean over trials.

    Spikes of the layer below and all traces count as constants, so nothing of an earlier step and
    nothing of another layer is needed.

    Args:
        c: Slope of the surrogate.
        weights: Of all layers.
        fired: S per layer, (trial, post).
        potentials: U per layer, (trial, post).
        traces: P per layer, (trial, pre).
        target: Wanted readout, (trial, class).
        pushes: Per layer what presses activity down, (post,); None for nothing.
    """
    of_w, of_b = [], []
    for layer, (g, s, u, p) in enumerate(zip(weights.g, fired, potentials, traces, strict=True)):
        delta = learning_signal(c, g, s, u, target)
        if pushes is not None:
            delta = delta + pushes[layer] * fast_sigmoid(c.slope)(u)
        delta = delta / s.shape[0]
        of_w.append(p.T @ delta)
        of_b.append(delta.sum(axis=0))
    return of_w, of_b


@functools.partial(jax.jit, static_argnames=("c", "rule", "how"))
def learn_online(
    now: Moving,
    g: list[Array],
    frames: Array,
    target: Array,
    rate: Array,
    c: Constants,
    rule: Rule,
    how: Optimiser,
) -> Moving:
    """DECOLLE: one update in every step after the burn-in, forward in time.

    Args:
        now: Weights and norms.
        g: Fixed readouts.
        frames: Input, (time, trial, input).
        target: (trial, class).
        rate: Learning rate.
        c: Decays.
        rule: Target rate.
        how: Adamax or Adam.
    """

    def warm_up(state: Any, index: Array) -> Any:
        return step(c, Weights(now.w, now.b, g), state, frames[index])[0], None

    def one(carry: Any, index: Array) -> Any:
        now, state = carry
        weights = Weights(now.w, now.b, g)
        state, fired, potentials, traces = step(c, weights, state, frames[index])
        pushes = None
        if rule.pressure:
            activity = [
                old + rule.renewal * (s.mean(axis=0) - old)
                for old, s in zip(now.activity, fired, strict=True)
            ]
            now = now._replace(activity=activity)
            pushes = [push(rule, rates) for rates in activity]
        slopes = local_gradients(c, weights, fired, potentials, traces, target, pushes)
        return (update(now, slopes, rate, how), state), None

    state = silent(Weights(now.w, now.b, g), frames.shape[1])
    # Indices, not a part of the frames, which would be copied.
    state, _ = jax.lax.scan(warm_up, state, jnp.arange(c.burn_in))
    (now, _), _ = jax.lax.scan(one, (now, state), jnp.arange(c.burn_in, len(frames)))
    return now


@functools.partial(jax.jit, static_argnames=("c", "rule", "how"))
def learn_batched(
    now: Moving,
    g: list[Array],
    frames: Array,
    target: Array,
    rate: Array,
    c: Constants,
    rule: Rule,
    how: Optimiser,
) -> Moving:
    """The same local gradients, summed over the trial and applied once.

    Arguments as above; there is no target rate. A layer at a time, which gives the same sums.
    """
    of_w, of_b, spikes = [], [], frames
    for w, b, readout in zip(now.w, now.b, g, strict=True):
        fired, potentials, traces = respond(c, w, b, spikes)
        delta = learning_signal(c, readout, fired, potentials, target) / frames.shape[1]
        delta = delta[c.burn_in :].reshape(-1, w.shape[1])
        of_w.append(traces[c.burn_in :].reshape(-1, w.shape[0]).T @ delta)
        of_b.append(delta.sum(axis=0))
        spikes = fired
    return update(now, (of_w, of_b), rate, how)


@functools.partial(jax.jit, static_argnames=("c", "rule", "how"))
def learn_backwards(
    now: Moving,
    g: list[Array],
    frames: Array,
    target: Array,
    rate: Array,
    c: Constants,
    rule: Rule,
    how: Optimiser,
) -> Moving:
    """End to end: one update by the gradient through layers and time; arguments as above."""
    slopes = end_to_end_gradients(c, Weights(now.w, now.b, g), frames, target)
    return update(now, slopes, rate, how)


def end_to_end_gradients(
    c: Constants, weights: Weights, frames: Array, target: Array
) -> tuple[list[Array], list[Array]]:
    """Gradient of the last layer's loss, summed over the steps that count, mean over trials.

    Args:
        c: Decays, burn-in, surrogate.
        weights: Of all layers; only the last readout counts.
        frames: Input, (time, trial, input).
        target: Wanted readout, (trial, class).

    Returns:
        Per layer the gradient of the weights (pre, post) and of the biases (post,).
    """

    def loss(w: list[Array], b: list[Array]) -> Array:
        spikes = frames
        for of_layer in zip(w, b, strict=True):
            spikes, _, _ = respond(c, *of_layer, spikes)
        losses = smooth_l1(spikes[c.burn_in :] @ weights.g[-1] - target)
        return losses.sum(axis=(0, 2)).mean()

    return jax.grad(loss, argnums=(0, 1))(weights.w, weights.b)
