"""The network and both learning rules in JAX (README, sections 2 and 3)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from whyspiking.surrogate import fast_sigmoid, spike

surrogate = fast_sigmoid(10.0)
"""The derivative that stands in for that of the threshold (Eq. 5)."""
threshold = spike(surrogate)
"""1 where U is positive, else 0 (Eq. 3)."""
PUBLISHED = ("adamax", 0.0, 0.95)
"""Kind and decays of the published optimiser (code: Adamax, betas 0 and 0.95)."""


class Constants(NamedTuple):
    """Decay of membrane, synaptic and refractory trace per step; the first step that counts."""

    alpha: float
    beta: float
    gamma: float
    burn_in: int


class Weights(NamedTuple):
    """Per layer: weights (pre, post), biases (post,) for threshold 0, readouts (post, class)."""

    w: list[Array]
    b: list[Array]
    g: list[Array]


class Rule(NamedTuple):
    """What a gradient is made of.

    Attributes:
        target_rate: Spikes per neuron and step above which activity is pushed down.
        pressure: How strongly, relative to the loss; 0 for not at all.
    """

    target_rate: float
    pressure: float


def silent(weights: Weights, n_trials: int) -> list:
    """State before a trial: Q (trial, pre), P (trial, pre), R (trial, post) per layer."""
    return [
        (
            jnp.zeros((n_trials, w.shape[0]), w.dtype),
            jnp.zeros((n_trials, w.shape[0]), w.dtype),
            jnp.zeros((n_trials, w.shape[1]), w.dtype),
        )
        for w in weights.w
    ]


def step(c: Constants, weights: Weights, state: Sequence, spikes: Array) -> Any:
    """One time step of all layers (Eqs. 1 to 3).

    Args:
        c: Decays.
        weights: Of all layers.
        state: As from `silent`.
        spikes: Input spikes of this step, 0 or 1, (trial, input).

    Returns:
        The new state, and per layer spikes S, potentials U and traces P.
    """
    new, fired, potentials, traces = [], [], [], []
    for w, b, (q, p, r) in zip(weights.w, weights.b, state, strict=True):
        p = c.alpha * p + (1 - c.alpha) * q
        q = c.beta * q + (1 - c.beta) * spikes
        u = p @ w + b + r
        spikes = threshold(u)
        r = c.gamma * r - (1 - c.gamma) * spikes
        new.append((q, p, r))
        fired.append(spikes)
        potentials.append(u)
        traces.append(p)
    return new, fired, potentials, traces


def smooth_l1(error: Array) -> Array:
    """Eq. 6, elementwise."""
    size = jnp.abs(error)
    return jnp.where(size < 1, 0.5 * size**2, size - 0.5)


def local_gradients(
    weights: Weights,
    fired: Sequence,
    potentials: Sequence,
    traces: Sequence,
    target: Array,
    rule: Rule,
) -> tuple[list[Array], list[Array]]:
    """Gradients of the sum of all local losses of one step (Eq. 7), mean over trials.

    Spikes of the layer below and all traces count as constants, so nothing of an earlier step and
    nothing of another layer is needed.

    Args:
        weights: Of all layers.
        fired: S per layer, (trial, post).
        potentials: U per layer, (trial, post).
        traces: P per layer, (trial, pre).
        target: Wanted readout, (trial, class).
        rule: Target rate of the neurons.
    """
    of_w, of_b = [], []
    for g, s, u, p in zip(weights.g, fired, potentials, traces, strict=True):
        error = jnp.clip(s @ g - target, -1, 1)
        down = error @ g.T
        if rule.pressure:
            down = down + rule.pressure * (s.mean(axis=0) > rule.target_rate)
        delta = down * surrogate(u) / s.shape[0]
        of_w.append(p.T @ delta)
        of_b.append(delta.sum(axis=0))
    return of_w, of_b


class Moving(NamedTuple):
    """What an update changes: weights, biases, and the optimiser's moments of their gradients.

    `first` is empty where the optimiser has no first moment; `n_updates` counts the updates.
    """

    w: list[Array]
    b: list[Array]
    first: Any
    second: Any
    n_updates: Array


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


def start(weights: Weights, how: Optimiser) -> Moving:
    """Before the first update."""
    moved = list(weights.w), list(weights.b)
    zero = jax.tree.map(jnp.zeros_like, moved)
    return Moving(*moved, zero if how.first else (), zero, jnp.zeros((), jnp.int32))


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
    return Moving(w, b, first, second, count)


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
    state = _warm_up(now, g, frames, c)

    def one(carry: Any, index: Array) -> Any:
        now, state = carry
        weights = Weights(now.w, now.b, g)
        state, fired, potentials, traces = step(c, weights, state, frames[index])
        slopes = local_gradients(weights, fired, potentials, traces, target, rule)
        return (update(now, slopes, rate, how), state), None

    # Indices, not a part of the frames, which would be copied.
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
    """The same local gradients, summed over the trial and applied once; arguments as above."""
    weights = Weights(now.w, now.b, g)
    state = _warm_up(now, g, frames, c)
    zero = [jnp.zeros_like(w) for w in now.w], [jnp.zeros_like(b) for b in now.b]

    def one(carry: Any, index: Array) -> Any:
        total, state = carry
        state, fired, potentials, traces = step(c, weights, state, frames[index])
        slopes = local_gradients(weights, fired, potentials, traces, target, rule)
        return (jax.tree.map(jnp.add, total, slopes), state), None

    (total, _), _ = jax.lax.scan(one, (zero, state), jnp.arange(c.burn_in, len(frames)))
    return update(now, total, rate, how)


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
    return update(now, end_to_end_gradients(now, g, frames, target, c, rule), rate, how)


def end_to_end_gradients(
    now: Moving, g: list[Array], frames: Array, target: Array, c: Constants, rule: Rule
) -> Any:
    """Gradient of the last layer's loss, summed over the steps that count, mean over trials."""

    def loss(w: list[Array], b: list[Array]) -> Array:
        weights = Weights(w, b, g)

        def one(state: Any, spikes: Array) -> Any:
            state, fired, _, _ = step(c, weights, state, spikes)
            return state, (smooth_l1(fired[-1] @ g[-1] - target), [s.mean(0) for s in fired])

        _, (losses, rates) = jax.lax.scan(one, silent(weights, frames.shape[1]), frames)
        total = losses[c.burn_in :].sum(axis=(0, 2)).mean()
        if rule.pressure:
            for rate in rates:
                total += rule.pressure * jax.nn.relu(rate[c.burn_in :] - rule.target_rate).sum()
        return total

    return jax.grad(loss, argnums=(0, 1))(now.w, now.b)


def _warm_up(now: Moving, g: list[Array], frames: Array, c: Constants) -> Any:
    """State after the burn-in."""
    weights = Weights(now.w, now.b, g)

    def one(state: Any, index: Array) -> Any:
        return step(c, weights, state, frames[index])[0], None

    return jax.lax.scan(one, silent(weights, frames.shape[1]), jnp.arange(c.burn_in))[0]


@functools.partial(jax.jit, static_argnames="c")
def readouts(weights: Weights, frames: Array, c: Constants) -> tuple[list[Array], list[Array]]:
    """Y of all layers (time, trial, class), and spikes per neuron and step of each layer."""

    def one(state: Any, spikes: Array) -> Any:
        state, fired, _, _ = step(c, weights, state, spikes)
        read = [s @ g for s, g in zip(fired, weights.g, strict=True)]
        return state, (read, [s.mean() for s in fired])

    _, (read, rates) = jax.lax.scan(one, silent(weights, frames.shape[1]), frames)
    return read, [rate.mean() for rate in rates]


@functools.partial(jax.jit, static_argnames="c")
def spikes_of(weights: Weights, frames: Array, c: Constants) -> list[Array]:
    """S of all layers, (time, trial, neuron)."""

    def one(state: Any, spikes: Array) -> Any:
        state, fired, _, _ = step(c, weights, state, spikes)
        return state, fired

    return jax.lax.scan(one, silent(weights, frames.shape[1]), frames)[1]


def initial(
    sizes: Sequence[int],
    n_classes: int,
    amplitude: float,
    mean_u: float,
    frames: NDArray,
    c: Constants,
    rng: np.random.Generator,
) -> Weights:
    """Orthogonal weights, scaled until U has variance 1 and the wanted mean on some input (LSUV).

    Args:
        sizes: Neurons per layer, inputs first.
        n_classes: Channels of every readout.
        amplitude: Readouts are uniform within this over the root of the number of neurons.
        mean_u: Wanted mean of U; 0 makes half of the neurons fire in every step.
        frames: Some input, (time, trial, input).
        c: Decays.
        rng: Source of weights and readouts.
    """
    layers = Weights([], [], [])
    source = np.asarray(frames, np.float64)
    for n_in, n_out in itertools.pairwise(sizes):
        random = rng.standard_normal((max(n_in, n_out), min(n_in, n_out)))
        orthogonal = np.linalg.qr(random)[0]
        w = orthogonal if n_in >= n_out else orthogonal.T
        drive = _traces(source, c) @ w
        scale, bias = 1.0, 0.0
        for _ in range(8):
            u, source = _fire(scale * drive + bias, c)
            scale /= u.std()
            # Per layer, not per neuron: different neurons keep different activity.
            bias = (bias - u.mean()) / u.std() + mean_u
        layers.w.append(jnp.asarray(scale * w, jnp.float32))
        layers.b.append(jnp.full(n_out, bias, jnp.float32))
        g = rng.uniform(-1, 1, (n_out, n_classes)) * amplitude / np.sqrt(n_out)
        layers.g.append(jnp.asarray(g, jnp.float32))
    return layers


def _traces(spikes: NDArray, c: Constants) -> NDArray:
    """P of given spikes (Eq. 1), the same shape (time, ...)."""
    q, p = np.zeros(spikes.shape[1:]), np.zeros(spikes.shape[1:])
    found = []
    for now in spikes:
        p = c.alpha * p + (1 - c.alpha) * q
        q = c.beta * q + (1 - c.beta) * now
        found.append(p)
    return np.stack(found)


def _fire(drive: NDArray, c: Constants) -> tuple[NDArray, NDArray]:
    """U of the steps that count, and S of all steps."""
    r = np.zeros(drive.shape[1:])
    potentials, fired = [], []
    for now in drive:
        u = now + r
        s = (u > 0).astype(float)
        r = c.gamma * r - (1 - c.gamma) * s
        potentials.append(u)
        fired.append(s)
    return np.stack(potentials)[c.burn_in :], np.stack(fired)
