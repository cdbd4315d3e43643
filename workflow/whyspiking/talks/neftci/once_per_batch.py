"""Rules that learn once per batch: the local gradients summed up, and back-propagation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from whyspiking.talks.neftci.learning import Moving, learning_signal, update
from whyspiking.talks.neftci.model import Constants, Weights, respond
from whyspiking.training.products import over_rows, product


@functools.partial(jax.jit, static_argnames=("c", "decay", "gradients"))
def learn_once(
    moving: Moving, g: list[Array], frames: Array, target: Array, rate: Array,
    c: Constants, decay: float, gradients: Callable[..., Any],
) -> Moving:  # fmt: skip
    """One update for all steps of a batch by `gradients`; else as `learning.learn_online`."""
    slopes = gradients(c, Weights(moving.w, moving.b, g), frames, target)
    return update(moving, slopes, rate, decay)


def batched_gradients(
    c: Constants, weights: Weights, frames: Array, target: Array
) -> tuple[list[Array], list[Array]]:
    """The local gradients (Eq. 7), summed over the steps that count.

    A layer at a time, which gives the same sums. Arguments and result as below.
    """
    w_gradients, b_gradients, spikes = [], [], frames
    for w, b, g in zip(*weights, strict=True):
        fired, potentials, traces = respond(c, w, b, spikes)
        delta = learning_signal(c, g, fired, potentials, target) / frames.shape[1]
        delta = delta[c.burn_in :].reshape(-1, w.shape[1])
        w_gradients.append(over_rows(traces[c.burn_in :].reshape(-1, w.shape[0]), delta))
        b_gradients.append(delta.sum(axis=0))
        spikes = fired
    return w_gradients, b_gradients


def smooth_l1(error: Array) -> Array:
    """Eq. 6, elementwise."""
    size = jnp.abs(error)
    return jnp.where(size < 1, 0.5 * size**2, size - 0.5)


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
        for layer_weights in zip(w, b, strict=True):
            spikes, _, _ = respond(c, *layer_weights, spikes)
        losses = smooth_l1(product(spikes[c.burn_in :], weights.g[-1]) - target)
        return losses.sum(axis=(0, 2)).mean()

    return jax.grad(loss, argnums=(0, 1))(weights.w, weights.b)
