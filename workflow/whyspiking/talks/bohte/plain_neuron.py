"""The authors' own plain neuron, which begins at 0 after a spike (README, Eq. 20)."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from whyspiking.talks.bohte.model import Array, Neuron
from whyspiking.training.products import over_rows


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def spikes(neuron: Neuron, drive: Array, w_rec: Array, alpha: Array) -> Array:
    """Spikes of a layer, (time, trial, neuron).

    Differentiable by drive and recurrent weights, through the reset too, as in the published code;
    the decay is not learned.

    Args:
        neuron: Constants; the threshold is fixed.
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
    """
    return _forward(neuron, drive, w_rec, alpha)[0]


def _forward(neuron: Neuron, drive: Array, w_rec: Array, alpha: Array) -> Any:
    def step(state: Any, drive_now: Array) -> Any:
        u_reset, fired = state
        u = alpha * u_reset + drive_now + fired @ w_rec
        fired = (u > neuron.threshold).astype(u.dtype)
        return ((1 - fired) * u, fired), (u, fired)

    zeros = jnp.zeros_like(drive[0])
    u, fired = jax.lax.scan(step, (zeros, zeros), drive)[1]
    return fired, (u, fired, w_rec, alpha)


def _backward(neuron: Neuron, residuals: Any, g_out: Array) -> Any:
    u, fired, w_rec, alpha = residuals
    slope = neuron.surrogate(u - neuron.threshold)

    def step(g_u: Array, step_inputs: Any) -> Any:
        g_out, slope, u, fired = step_inputs
        g_kept = alpha * g_u
        g_u = slope * (g_out + g_u @ w_rec.T - u * g_kept) + (1 - fired) * g_kept
        g_u = jnp.clip(g_u, -neuron.limit, neuron.limit)
        return g_u, g_u

    zeros = jnp.zeros_like(u[:1])
    _, g_u = jax.lax.scan(step, zeros[0], (g_out, slope, u, fired), reverse=True)
    previous_spikes, n = jnp.concatenate([zeros, fired[:-1]]), w_rec.shape[0]
    return g_u, over_rows(previous_spikes.reshape(-1, n), g_u.reshape(-1, n)), jnp.zeros_like(alpha)


spikes.defvjp(_forward, _backward)
