"""Recurrent layers in JAX: adaptive spiking neurons, gated and plain units (README, sections 2, 5).

Arrays are time-major, (time, trial, unit), float32 in training.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from whyspiking.talks.bohte import compiled
from whyspiking.training.surrogates import Surrogate

type Array = Any


class Neuron(NamedTuple):
    """What is not learned.

    Attributes:
        threshold: At rest.
        surrogate: Derivative of a spike.
        limit: Largest derivative of the loss by a membrane that `resetting` hands back in time.
    """

    threshold: float
    surrogate: Surrogate
    limit: float = float("inf")


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


def course(
    neuron: Neuron,
    beta: Array,
    drive: Array,
    w_rec: Array,
    alpha: Array,
    rho: Array,
    start: Course | None = None,
) -> Course:
    """Run a layer of adaptive leaky integrate-and-fire neurons (README, Eqs. 1 to 4).

    Args:
        neuron: Constants.
        beta: Strength of the adaptation; 0 makes plain leaky integrate-and-fire neurons.
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
        rho: Decay of the adaptation per step, (neuron,).
        start: Before the first step, each (trial, neuron); else at rest.
    """

    def step(before: Course, drive_now: Array) -> tuple[Course, Course]:
        now = _step(neuron, beta, before, drive_now, w_rec, alpha, rho)
        return now, now

    return jax.lax.scan(step, at_rest(neuron, drive[0]) if start is None else start, drive)[1]


def spikes(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array
) -> Array:
    """Spikes of a layer that begins at rest; arguments as for `continued`."""
    start = at_rest(neuron, drive[0])
    return continued(neuron, beta, drive, w_rec, alpha, rho, start)[0]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def continued(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array, start: Course
) -> tuple[Array, Course]:
    """Spikes of a layer, and its state after the last step; arguments as for `course`.

    The spikes are differentiable by drive, weights and decays. No gradient passes the first step or
    the last: where a trial goes on, back-propagation is truncated (README, section 11).

    The backward pass (README, Eqs. 17 to 19) is written out: its loop does one matrix product per
    step, and the gradient of the recurrent weights is one product after it.
    """
    return _forward(neuron, beta, drive, w_rec, alpha, rho, start)[0]


def at_rest(neuron: Neuron, like: Array) -> Course:
    """A layer before the first step of a trial; `like` is any array (trial, neuron)."""
    rest = jnp.zeros_like(like)
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
) -> Course:
    eta = rho * before.eta + (1 - rho) * before.spikes
    theta = neuron.threshold + beta * eta
    current = drive + before.spikes @ w_rec
    u = alpha * before.u + (1 - alpha) * current - theta * before.spikes
    return Course(u, eta, (u > theta).astype(u.dtype))


def _forward(
    neuron: Neuron, beta: Array, drive: Array, w_rec: Array, alpha: Array, rho: Array, start: Course
) -> Any:
    if compiled.usable(drive, w_rec, alpha, rho):
        constants = _constants(neuron, beta)
        fired, u, eta = compiled.forward(drive, w_rec, alpha, rho, constants, start)
        found = Course(u, eta, fired)
    else:
        found = course(neuron, beta, drive, w_rec, alpha, rho, start)
    end = Course(*(values[-1] for values in found))
    return (found.spikes, end), (found, start, beta, w_rec, alpha, rho)


def _backward(neuron: Neuron, residuals: Any, g_ends: tuple[Array, Course]) -> Any:
    (found, start, beta, w_rec, alpha, rho), (g_out, _) = residuals, g_ends
    theta = neuron.threshold + beta * found.eta
    slope = neuron.surrogate(found.u - theta)
    if compiled.usable(g_out, w_rec, alpha, rho):
        own = (found.spikes, found.u, found.eta)
        gradients = compiled.backward(
            g_out, slope, own, w_rec, alpha, rho, _constants(neuron, beta), start
        )
    else:
        gradients = _backward_scan(beta, found, start, slope, theta, w_rec, alpha, rho, g_out)
    return jnp.zeros_like(beta), *gradients, jax.tree.map(jnp.zeros_like, start)


def _constants(neuron: Neuron, beta: Array) -> Array:
    return jnp.stack([jnp.asarray(neuron.threshold, beta.dtype), beta])


def _backward_scan(
    beta: Array, found: Course, start: Course, slope: Array, theta: Array, w_rec: Array,
    alpha: Array, rho: Array, g_out: Array,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    rest = jnp.zeros_like(theta[:1])
    u_before, eta_before, before = (
        jnp.concatenate([first[None], then[:-1]]) for first, then in zip(start, found, strict=True)
    )
    w_back = (1 - alpha)[:, None] * w_rec.T

    def step(carry: Any, now: Any) -> Any:
        g_u, g_eta, theta_next = carry
        g_out, slope, theta, before = now
        g_spike = g_out + g_u @ w_back - theta_next * g_u + (1 - rho) * g_eta
        g_x = slope * g_spike
        g_u = g_x + alpha * g_u
        g_eta = rho * g_eta - beta * (g_x + before * g_u)
        return (g_u, g_eta, theta), (g_u, g_eta)

    steps = (g_out, slope, theta, before)
    _, (g_u, g_eta) = jax.lax.scan(step, (rest[0],) * 3, steps, reverse=True)
    # The bracket is 1 - alpha times the derivative of the membrane by alpha.
    g_alpha = (g_u * (u_before - found.u - theta * before)).sum(axis=(0, 1)) / (1 - alpha)
    g_rho = (g_eta * (eta_before - before)).sum(axis=(0, 1))
    g_drive = (1 - alpha) * g_u
    n = w_rec.shape[0]
    return g_drive, before.reshape(-1, n).T @ g_drive.reshape(-1, n), g_alpha, g_rho


continued.defvjp(_forward, _backward)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def resetting(neuron: Neuron, drive: Array, w_rec: Array, alpha: Array) -> Array:
    """Spikes of the authors' plain neurons, which begin at 0 again (README, Eq. 20).

    Differentiable by drive and recurrent weights, through the reset too, as in the published code;
    the decay is not learned.

    Args:
        neuron: Constants; the threshold is fixed.
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
    """
    return _resetting_forward(neuron, drive, w_rec, alpha)[0]


def _resetting_forward(neuron: Neuron, drive: Array, w_rec: Array, alpha: Array) -> Any:
    def step(before: Any, drive_now: Array) -> Any:
        left, fired = before
        u = alpha * left + drive_now + fired @ w_rec
        fired = (u > neuron.threshold).astype(u.dtype)
        return ((1 - fired) * u, fired), (u, fired)

    rest = jnp.zeros_like(drive[0])
    u, fired = jax.lax.scan(step, (rest, rest), drive)[1]
    return fired, (u, fired, w_rec, alpha)


def _resetting_backward(neuron: Neuron, residuals: Any, g_out: Array) -> Any:
    u, fired, w_rec, alpha = residuals
    slope = neuron.surrogate(u - neuron.threshold)

    def step(g_u: Array, now: Any) -> Any:
        g_out, slope, u, fired = now
        g_left = alpha * g_u
        g_u = slope * (g_out + g_u @ w_rec.T - u * g_left) + (1 - fired) * g_left
        g_u = jnp.clip(g_u, -neuron.limit, neuron.limit)
        return g_u, g_u

    rest = jnp.zeros_like(u[:1])
    _, g_u = jax.lax.scan(step, rest[0], (g_out, slope, u, fired), reverse=True)
    before, n = jnp.concatenate([rest, fired[:-1]]), w_rec.shape[0]
    return g_u, before.reshape(-1, n).T @ g_u.reshape(-1, n), jnp.zeros_like(alpha)


resetting.defvjp(_resetting_forward, _resetting_backward)


def traces(events: Array, kappa: Array, start: Array | None = None) -> Array:
    """Fixed filters of the input: v[t] = kappa v[t-1] + sqrt(1 - kappa^2) x[t] (README, Eq. 21).

    Args:
        events: (time, trial, channel).
        kappa: Decay per step of each filter, (filter,).
        start: As for `leaky`.

    Returns:
        (time, trial, channel x filter), the same variance for all decays where events come alone.
    """
    n_channels = events.shape[-1]
    scale = jnp.sqrt((1 + kappa) / (1 - kappa))
    every = jnp.repeat(events, kappa.size, axis=-1) * jnp.tile(scale, n_channels)
    return leaky(every, jnp.tile(kappa, n_channels), start)


def leaky(values: Array, kappa: Array, start: Array | None = None) -> Array:
    """Leaky integration o[t] = kappa o[t-1] + (1 - kappa) x[t] (README, Eq. 5).

    Args:
        values: (time, trial, unit).
        kappa: Decay per step, (unit,).
        start: Before the first step, (trial, unit); else at rest.
    """

    def step(o: Array, x: Array) -> tuple[Array, Array]:
        o = kappa * o + (1 - kappa) * x
        return o, o

    return jax.lax.scan(step, jnp.zeros_like(values[0]) if start is None else start, values)[1]


def gated(drive: Array, w_rec: Array, bias_rec: Array, start: Array | None = None) -> Array:
    """A layer of gated recurrent units (README, Eq. 12).

    Args:
        drive: W x + bias of reset, update and candidate side by side, (time, trial, 3 unit).
        w_rec: (unit, 3 unit).
        bias_rec: (3 unit,), which the reset gate scales for the candidate.
        start: Activity before the first step, (trial, unit), which gets no gradient; else 0.

    Returns:
        Activity (time, trial, unit).
    """
    first = jnp.zeros_like(drive[0, :, : w_rec.shape[0]]) if start is None else start
    first = jax.lax.stop_gradient(first)
    if compiled.usable(drive, w_rec, bias_rec):
        return _gated(drive, w_rec, bias_rec, first)

    def step(h: Array, drive_now: Array) -> tuple[Array, Array]:
        reset, update, candidate = jnp.split(drive_now, 3, axis=-1)
        r_rec, u_rec, c_rec = jnp.split(h @ w_rec + bias_rec, 3, axis=-1)
        keep = jax.nn.sigmoid(update + u_rec)
        fresh = jnp.tanh(candidate + jax.nn.sigmoid(reset + r_rec) * c_rec)
        h = keep * h + (1 - keep) * fresh
        return h, h

    return jax.lax.scan(step, first, drive)[1]


def lstm(drive: Array, w_rec: Array) -> Array:
    """A layer of long short-term memory (README, Eq. 24), which begins at 0.

    Args:
        drive: W x + bias of input, forget and output gate and candidate side by side,
            (time, trial, 4 unit).
        w_rec: (unit, 4 unit).

    Returns:
        Activity (time, trial, unit).
    """

    def step(before: tuple[Array, Array], drive_now: Array) -> tuple[tuple[Array, Array], Array]:
        h, c = before
        enter, keep, leave, fresh = jnp.split(drive_now + h @ w_rec, 4, axis=-1)
        c = jax.nn.sigmoid(keep) * c + jax.nn.sigmoid(enter) * jnp.tanh(fresh)
        h = jax.nn.sigmoid(leave) * jnp.tanh(c)
        return (h, c), h

    first = jnp.zeros_like(drive[0, :, : w_rec.shape[0]])
    return jax.lax.scan(step, (first, first), drive)[1]


def plain(drive: Array, w_rec: Array) -> Array:
    """A layer of tanh units (README, Eq. 13); drive (time, trial, unit)."""
    if compiled.usable(drive, w_rec):
        return _plain(drive, w_rec)

    def step(h: Array, drive_now: Array) -> tuple[Array, Array]:
        h = jnp.tanh(drive_now + h @ w_rec)
        return h, h

    return jax.lax.scan(step, jnp.zeros_like(drive[0]), drive)[1]


@jax.custom_vjp
def _gated(drive: Array, w_rec: Array, bias_rec: Array, first: Array) -> Array:
    return compiled.gated_forward(drive, w_rec, bias_rec, first)[0]


def _gated_forward(drive: Array, w_rec: Array, bias_rec: Array, first: Array) -> Any:
    h, gates = compiled.gated_forward(drive, w_rec, bias_rec, first)
    return h, (h, gates, w_rec, first)


def _gated_backward(kept: Any, g_out: Array) -> Any:
    return *compiled.gated_backward(g_out, *kept), jnp.zeros_like(kept[-1])


_gated.defvjp(_gated_forward, _gated_backward)


@jax.custom_vjp
def _plain(drive: Array, w_rec: Array) -> Array:
    return compiled.plain_forward(drive, w_rec)


def _plain_forward(drive: Array, w_rec: Array) -> Any:
    h = compiled.plain_forward(drive, w_rec)
    return h, (h, w_rec)


_plain.defvjp(_plain_forward, lambda kept, g_out: compiled.plain_backward(g_out, *kept))
