"""Recurrent layers in JAX: adaptive spiking neurons, gated and plain units (README, sections 2, 5).

Arrays are time-major, (time, trial, unit), float32 in training.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from whyspiking.surrogate import Surrogate

type Array = Any


class Neuron(NamedTuple):
    """What is not learned: threshold at rest and surrogate derivative."""

    threshold: float
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


class Kept(NamedTuple):
    """What the backward pass reads at every step, each (time, trial, neuron).

    Attributes:
        slope: Surrogate derivative of the spike.
        theta: Threshold.
        before: Spikes of the step before.
        by_alpha: Derivative of the membrane by its decay, everything earlier held fixed.
        by_rho: The same of the adaptation.
    """

    slope: Array
    theta: Array
    before: Array
    by_alpha: Array
    by_rho: Array


def course(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array
) -> Course:
    """Run a layer of adaptive leaky integrate-and-fire neurons (README, Eqs. 1 to 4).

    Args:
        neuron: Constants.
        beta: Strength of the adaptation; 0 makes plain leaky integrate-and-fire neurons.
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
        rho: Decay of the adaptation per step, (neuron,).
    """

    def step(before: Course, drive_now: Array) -> tuple[Course, Course]:
        now, _ = _step(neuron, beta, before, drive_now, w_rec, alpha, rho)
        return now, now

    return jax.lax.scan(step, _start(neuron, drive), drive)[1]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def spikes(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array
) -> Array:
    """Spikes of a layer, differentiable by everything but `beta`; arguments as for `course`.

    The backward pass (README, Eqs. 17 to 19) is written out: its loop does one matrix product per
    step, and the gradient of the recurrent weights is one product after it.
    """
    return course(neuron, beta, drive, w_rec, alpha, rho).spikes


def _start(neuron: Neuron, drive: Array) -> Course:
    rest = jnp.zeros_like(drive[0])
    # Published: the adaptation starts at the threshold.
    return Course(rest, rest + neuron.threshold, rest)


def _step(
    neuron: Neuron,
    beta: Array,
    before: Course,
    drive: Array,
    w_rec: Array,
    alpha: Array,
    rho: Array,
) -> tuple[Course, Kept]:
    eta = rho * before.eta + (1 - rho) * before.spikes
    theta = neuron.threshold + beta * eta
    current = drive + before.spikes @ w_rec
    u = alpha * before.u + (1 - alpha) * current - theta * before.spikes
    now = Course(u, eta, (u > theta).astype(u.dtype))
    slope = neuron.surrogate(u - theta)
    kept = Kept(slope, theta, before.spikes, before.u - current, before.eta - before.spikes)
    return now, kept


def _forward(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array
) -> Any:
    def step(before: Course, drive_now: Array) -> Any:
        now, kept = _step(neuron, beta, before, drive_now, w_rec, alpha, rho)
        return now, (now.spikes, kept)

    _, (fired, kept) = jax.lax.scan(step, _start(neuron, drive), drive)
    return fired, (kept, beta, w_rec, alpha, rho)


def _backward(neuron: Neuron, residuals: Any, g_out: Array) -> Any:
    kept, beta, w_rec, alpha, rho = residuals
    w_back = (1 - alpha)[:, None] * w_rec.T

    def step(carry: Any, now: tuple[Array, Kept]) -> Any:
        g_u, g_eta, theta_next, g_alpha, g_rho = carry
        g_out, at = now
        g_spike = g_out + g_u @ w_back - theta_next * g_u + (1 - rho) * g_eta
        g_x = at.slope * g_spike
        g_u = g_x + alpha * g_u
        g_eta = rho * g_eta - beta * (g_x + at.before * g_u)
        sums = (g_alpha + g_u * at.by_alpha, g_rho + g_eta * at.by_rho)
        return (g_u, g_eta, at.theta, *sums), (1 - alpha) * g_u

    rest = jnp.zeros_like(g_out[0])
    end, g_drive = jax.lax.scan(step, (rest,) * 5, (g_out, kept), reverse=True)
    n = w_rec.shape[0]
    g_rec = kept.before.reshape(-1, n).T @ g_drive.reshape(-1, n)
    return jnp.zeros_like(beta), g_drive, g_rec, end[3].sum(axis=0), end[4].sum(axis=0)


spikes.defvjp(_forward, _backward)


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
