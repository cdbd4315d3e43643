"""Recurrent layers in JAX: adaptive spiking neurons, gated and plain units (README, sections 2, 5).

Arrays are time-major, (time, trial, unit), float32 in training.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from whyspiking.surrogate import Surrogate, spike

type Array = Any


class Neuron(NamedTuple):
    """What is not learned: threshold at rest, strength of adaptation, surrogate derivative."""

    threshold: float
    adaptation: float
    surrogate: Surrogate


class Course(NamedTuple):
    """What a spiking layer did, each (time, trial, neuron).

    Attributes:
        u: Membrane.
        eta: Adaptation.
        spikes: 0 or 1.
    """

    u: Array
    eta: Array
    spikes: Array


def spiking(neuron: Neuron, drive: Array, w_rec: Array, alpha: Array, rho: Array) -> Course:
    """A layer of adaptive leaky integrate-and-fire neurons (README, Eqs. 1 to 4).

    Args:
        neuron: Constants; without adaptation it is a plain leaky integrate-and-fire neuron.
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
        rho: Decay of the adaptation per step, (neuron,).
    """
    fire = spike(neuron.surrogate)

    def step(carry: Course, drive_now: Array) -> tuple[Course, Course]:
        u, eta, spikes = carry
        eta = rho * eta + (1 - rho) * spikes
        theta = neuron.threshold + neuron.adaptation * eta
        u = alpha * u + (1 - alpha) * (drive_now + spikes @ w_rec) - theta * spikes
        now = Course(u, eta, fire(u - theta))
        return now, now

    rest = jnp.zeros_like(drive[0])
    # Published: the adaptation starts at the threshold.
    return jax.lax.scan(step, Course(rest, rest + neuron.threshold, rest), drive)[1]


def leaky(values: Array, kappa: Array) -> Array:
    """Leaky integration o[t] = kappa o[t-1] + (1 - kappa) x[t] from rest (README, Eq. 5).

    Args:
        values: (time, trial, unit).
        kappa: Decay per step, (unit,).
    """

    def step(o: Array, x: Array) -> tuple[Array, Array]:
        o = kappa * o + (1 - kappa) * x
        return o, o

    return jax.lax.scan(step, jnp.zeros_like(values[0]), values)[1]


def gated(drive: Array, w_rec: Array, bias_rec: Array) -> Array:
    """A layer of gated recurrent units (README, Eq. 12).

    Args:
        drive: W x + bias of reset, update and candidate side by side, (time, trial, 3 unit).
        w_rec: (unit, 3 unit).
        bias_rec: (3 unit,), which the reset gate scales for the candidate.

    Returns:
        Activity (time, trial, unit).
    """

    def step(h: Array, drive_now: Array) -> tuple[Array, Array]:
        reset, update, candidate = jnp.split(drive_now, 3, axis=-1)
        r_rec, u_rec, c_rec = jnp.split(h @ w_rec + bias_rec, 3, axis=-1)
        keep = jax.nn.sigmoid(update + u_rec)
        fresh = jnp.tanh(candidate + jax.nn.sigmoid(reset + r_rec) * c_rec)
        h = keep * h + (1 - keep) * fresh
        return h, h

    return jax.lax.scan(step, jnp.zeros_like(drive[0, :, : w_rec.shape[0]]), drive)[1]


def plain(drive: Array, w_rec: Array) -> Array:
    """A layer of tanh units (README, Eq. 13); drive (time, trial, unit)."""

    def step(h: Array, drive_now: Array) -> tuple[Array, Array]:
        h = jnp.tanh(drive_now + h @ w_rec)
        return h, h

    return jax.lax.scan(step, jnp.zeros_like(drive[0]), drive)[1]
