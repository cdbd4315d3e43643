"""The rule of DECOLLE in JAX (README, section 3)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from whyspiking.talks.neftci.model import Constants, Weights, silent, step
from whyspiking.training.products import over_rows
from whyspiking.training.surrogates import fast_sigmoid


class Moving(NamedTuple):
    """Variables that learning changes.

    Attributes:
        w: Weights per layer, (pre, post).
        b: Biases per layer, (post,).
        norm: Of Adamax (Eq. 8), for weights and biases.
    """

    w: list[Array]
    b: list[Array]
    norm: Any


def start(weights: Weights) -> Moving:
    """Before the first update."""
    initial = list(weights.w), list(weights.b)
    return Moving(*initial, jax.tree.map(jnp.zeros_like, initial))


def update(moving: Moving, slopes: Any, rate: Array, decay: float) -> Moving:
    """One update by Adamax without first moment (Eq. 8).

    optax adds its epsilon to the gradient before the maximum, so that its bits are others.

    Args:
        moving: Weights and norms.
        slopes: Gradients of weights and biases.
        rate: Learning rate.
        decay: Of the norm.
    """
    norm = jax.tree.map(lambda n, g: jnp.maximum(decay * n, jnp.abs(g)), moving.norm, slopes)
    w, b = jax.tree.map(
        lambda value, g, n: value - rate * g / (n + 1e-8), (moving.w, moving.b), slopes, norm
    )
    return Moving(w, b, norm)


def learning_signal(c: Constants, g: Array, s: Array, u: Array, target: Array) -> Array:
    """Delta of Eq. 7: error of the readout, sent back through it, times surrogate.

    Args:
        c: Slope of the surrogate.
        g: Readout, (post, class).
        s: Spikes, (..., trial, post).
        u: Potentials, the same shape.
        target: Wanted readout, (trial, class).
    """
    error = jnp.clip(s @ g - target, -1, 1)
    return (error @ g.T) * fast_sigmoid(c.slope)(u)


def local_gradients(
    c: Constants, weights: Weights, fired: Sequence, potentials: Sequence, traces: Sequence,
    target: Array,
) -> tuple[list[Array], list[Array]]:  # fmt: skip
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
    """
    w_gradients, b_gradients = [], []
    for g, s, u, p in zip(weights.g, fired, potentials, traces, strict=True):
        delta = learning_signal(c, g, s, u, target) / s.shape[0]
        w_gradients.append(over_rows(p, delta))
        b_gradients.append(delta.sum(axis=0))
    return w_gradients, b_gradients


@functools.partial(jax.jit, static_argnames=("c", "decay"))
def learn_online(
    moving: Moving, g: list[Array], frames: Array, target: Array, rate: Array,
    c: Constants, decay: float,
) -> Moving:  # fmt: skip
    """DECOLLE: one update in every step after the burn-in, forward in time.

    Args:
        moving: Weights and norms.
        g: Fixed readouts.
        frames: Input, (time, trial, input).
        target: (trial, class).
        rate: Learning rate.
        c: Decays.
        decay: Of the norm (Eq. 8).
    """

    def warm_up(state: Any, index: Array) -> Any:
        return step(c, Weights(moving.w, moving.b, g), state, frames[index])[0], None

    def learn_step(carry: Any, index: Array) -> Any:
        moving, state = carry
        weights = Weights(moving.w, moving.b, g)
        state, fired, potentials, traces = step(c, weights, state, frames[index])
        slopes = local_gradients(c, weights, fired, potentials, traces, target)
        return (update(moving, slopes, rate, decay), state), None

    state = silent(Weights(moving.w, moving.b, g), frames.shape[1])
    # Indices, not a part of the frames, which would be copied.
    state, _ = jax.lax.scan(warm_up, state, jnp.arange(c.burn_in))
    (moving, _), _ = jax.lax.scan(learn_step, (moving, state), jnp.arange(c.burn_in, len(frames)))
    return moving
