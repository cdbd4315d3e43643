"""The network in JAX, step by step and layer by layer (README, section 2)."""

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

from whyspiking.training.surrogates import Surrogate, fast_sigmoid, spike


class Constants(NamedTuple):
    """What is fixed in an experiment.

    Attributes:
        alpha: Decay of the membrane trace per step.
        beta: Decay of the synaptic trace per step.
        gamma: Decay of the refractory trace per step.
        burn_in: First step that counts.
        slope: Steepness of the surrogate (Eq. 5).
    """

    alpha: float
    beta: float
    gamma: float
    burn_in: int
    slope: float


class Weights(NamedTuple):
    """Per layer: weights (pre, post), biases (post,) for threshold 0, readouts (post, class)."""

    w: list[Array]
    b: list[Array]
    g: list[Array]


@functools.cache
def threshold(slope: float) -> Surrogate:
    """1 where U is positive, else 0 (Eq. 3), with the surrogate (Eq. 5) as its derivative."""
    return spike(fast_sigmoid(slope))


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
    """One time step of all layers (Eqs. 1 to 3): what can learn while it goes on.

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
        q, p = trace(c, q, p, spikes)
        u = p @ w + b + r
        spikes, r = emit(c, u, r)
        new.append((q, p, r))
        fired.append(spikes)
        potentials.append(u)
        traces.append(p)
    return new, fired, potentials, traces


def respond(c: Constants, w: Array, b: Array, spikes: Array) -> tuple[Array, Array, Array]:
    """One layer over a whole trial, while its weights stay as they are: one large matrix product.

    Args:
        c: Decays.
        w: Weights, (pre, post).
        b: Biases, (post,).
        spikes: Of the layer below, (time, trial, pre).

    Returns:
        Spikes S and potentials U (time, trial, post), traces P (time, trial, pre).
    """

    def follow(state: Any, now: Array) -> Any:
        q, p = state
        q, p = trace(c, q, p, now)
        return (q, p), p

    def fire(r: Array, drive: Array) -> Any:
        u = drive + r
        s, r = emit(c, u, r)
        return r, (s, u)

    zero = jnp.zeros_like(spikes[0])
    traces = jax.lax.scan(follow, (zero, zero), spikes)[1]
    drive = (traces.reshape(-1, w.shape[0]) @ w).reshape(*spikes.shape[:2], -1) + b
    fired, potentials = jax.lax.scan(fire, jnp.zeros_like(drive[0]), drive)[1]
    return fired, potentials, traces


def trace(c: Constants, q: Array, p: Array, spikes: Array) -> tuple[Array, Array]:
    """Eq. 1: P takes up the Q of the step before."""
    return c.beta * q + (1 - c.beta) * spikes, c.alpha * p + (1 - c.alpha) * q


def emit(c: Constants, u: Array, r: Array) -> tuple[Array, Array]:
    """Spikes of this step (Eq. 3), and R of the next one (Eq. 2)."""
    s = threshold(c.slope)(u)
    return s, c.gamma * r - (1 - c.gamma) * s


@functools.partial(jax.jit, static_argnames="c")
def responses(weights: Weights, frames: Array, c: Constants) -> list[Array]:
    """Spikes of all layers, (time, trial, neuron) each."""
    found, spikes = [], frames
    for w, b in zip(weights.w, weights.b, strict=True):
        spikes, _, _ = respond(c, w, b, spikes)
        found.append(spikes)
    return found


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
        w = orthogonal(n_in, n_out, rng)
        scale, bias, source = scaled(traces_of(source, c) @ w, mean_u, c)
        layers.w.append(jnp.asarray(scale * w, jnp.float32))
        layers.b.append(jnp.full(n_out, bias, jnp.float32))
        g = rng.uniform(-1, 1, (n_out, n_classes)) * amplitude / np.sqrt(n_out)
        layers.g.append(jnp.asarray(g, jnp.float32))
    return layers


def orthogonal(n_in: int, n_out: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random orthogonal weights, (pre, post)."""
    random = rng.standard_normal((max(n_in, n_out), min(n_in, n_out)))
    found = np.linalg.qr(random)[0]
    return found if n_in >= n_out else found.T


def scaled(drive: NDArray, mean_u: float, c: Constants) -> tuple[float, float, NDArray]:
    """Scale of the weights and bias of a layer that give U variance 1 and its mean, and S then.

    One for all neurons, so that different neurons keep different activity.

    Args:
        drive: What unscaled weights make of the traces, (time, ...).
        mean_u: Wanted mean of U.
        c: Decay of the refractory trace, burn-in.
    """
    scale, bias, fired = 1.0, 0.0, drive
    for _ in range(8):
        u, fired = spikes_of(scale * drive + bias, c)
        u = u[c.burn_in :]
        scale /= u.std()
        bias = (bias - u.mean()) / u.std() + mean_u
    return scale, bias, fired


def traces_of(spikes: NDArray, c: Constants) -> NDArray:
    """P of given spikes in NumPy (Eq. 1), the same shape (time, ...) and precision."""
    q, p = np.zeros_like(spikes[0]), np.zeros_like(spikes[0])
    found = np.empty_like(spikes)
    for step, now in enumerate(spikes):
        p = c.alpha * p + (1 - c.alpha) * q
        q = c.beta * q + (1 - c.beta) * now
        found[step] = p
    return found


def spikes_of(drive: NDArray, c: Constants) -> tuple[NDArray, NDArray]:
    """U and S in NumPy (Eqs. 2 and 3), of all steps.

    Args:
        drive: U without the refractory trace, (time, ...).
        c: Decay of that trace.
    """
    r = np.zeros_like(drive[0])
    potentials, fired = np.empty_like(drive), np.empty_like(drive)
    for step, now in enumerate(drive):
        potentials[step] = now + r
        fired[step] = potentials[step] > 0
        r = c.gamma * r - (1 - c.gamma) * fired[step]
    return potentials, fired
