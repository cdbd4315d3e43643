"""Units of the controls: gated, tanh, fixed traces (README, section 5)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from whyspiking.talks.bohte import compiled, model
from whyspiking.talks.bohte.model import Array
from whyspiking.training.products import product


def traces(events: Array, kappa: Array) -> Array:
    """Fixed filters of the input: v[t] = kappa v[t-1] + sqrt(1 - kappa^2) x[t] (README, Eq. 21).

    Args:
        events: (time, trial, channel).
        kappa: Decay per step of each filter, (filter,).

    Returns:
        (time, trial, channel x filter), the same variance for all decays where events come alone.
    """
    n_channels = events.shape[-1]
    scale = jnp.sqrt((1 + kappa) / (1 - kappa))
    scaled_events = jnp.repeat(events, kappa.size, axis=-1) * jnp.tile(scale, n_channels)
    return model.leaky(scaled_events, jnp.tile(kappa, n_channels))


def gated(drive: Array, w_rec: Array, bias_rec: Array) -> Array:
    """A layer of gated recurrent units (README, Eq. 12).

    Args:
        drive: W x + bias of reset, update and candidate side by side, (time, trial, 3 unit).
        w_rec: (unit, 3 unit).
        bias_rec: (3 unit,), which the reset gate scales for the candidate.

    Returns:
        Activity (time, trial, unit).
    """
    if compiled.usable(drive, w_rec, bias_rec):
        return _gated(drive, w_rec, bias_rec)

    def step(h: Array, drive_now: Array) -> tuple[Array, Array]:
        reset, update, candidate = jnp.split(drive_now, 3, axis=-1)
        r_rec, u_rec, c_rec = jnp.split(product(h, w_rec) + bias_rec, 3, axis=-1)
        update_gate = jax.nn.sigmoid(update + u_rec)
        candidate_h = jnp.tanh(candidate + jax.nn.sigmoid(reset + r_rec) * c_rec)
        h = update_gate * h + (1 - update_gate) * candidate_h
        return h, h

    initial_h = jnp.zeros_like(drive[0, :, : w_rec.shape[0]])
    return jax.lax.scan(step, initial_h, drive)[1]


def tanh_units(drive: Array, w_rec: Array) -> Array:
    """A layer of tanh units (README, Eq. 13); drive (time, trial, unit)."""
    if compiled.usable(drive, w_rec):
        return _tanh(drive, w_rec)

    def step(h: Array, drive_now: Array) -> tuple[Array, Array]:
        h = jnp.tanh(drive_now + product(h, w_rec))
        return h, h

    return jax.lax.scan(step, jnp.zeros_like(drive[0]), drive)[1]


@jax.custom_vjp
def _gated(drive: Array, w_rec: Array, bias_rec: Array) -> Array:
    return _gated_forward(drive, w_rec, bias_rec)[0]


def _gated_forward(drive: Array, w_rec: Array, bias_rec: Array) -> Any:
    *lead, wide = drive.shape
    shapes = [(*lead, k * wide // 3) for k in (1, 4)]
    h, gates = compiled.call("gated_layer_forward", shapes, drive, w_rec, bias_rec)
    return h, (h, gates, w_rec)


def _gated_backward(residuals: Any, g_out: Array) -> Any:
    *lead, n = g_out.shape
    shapes = [(*lead, 3 * n), (n, 3 * n), (3 * n,)]
    return compiled.call("gated_layer_backward", shapes, g_out, *residuals)


_gated.defvjp(_gated_forward, _gated_backward)


@jax.custom_vjp
def _tanh(drive: Array, w_rec: Array) -> Array:
    return _tanh_forward(drive, w_rec)[0]


def _tanh_forward(drive: Array, w_rec: Array) -> Any:
    (h,) = compiled.call("plain_layer_forward", [drive.shape], drive, w_rec)
    return h, (h, w_rec)


def _tanh_backward(residuals: Any, g_out: Array) -> Any:
    shapes = [g_out.shape, residuals[1].shape]
    return compiled.call("plain_layer_backward", shapes, g_out, *residuals)


_tanh.defvjp(_tanh_forward, _tanh_backward)
