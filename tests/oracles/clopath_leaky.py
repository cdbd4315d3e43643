"""Leaky integrate-and-fire neurons of the hippocampal networks in plain NumPy, step by step."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.contract.types import Params


def spikes(params: Params, start: NDArray, bias: ArrayLike, arriving: NDArray) -> NDArray[np.bool_]:
    """Who fires when, (step, neuron), by Euler's method.

    Args:
        params: The constants of the talk.
        start: Potentials, (neuron,).
        bias: Of every step, (step,) or (step, neuron).
        arriving: What spikes add to h of Eq. 3, (step, neuron).
    """
    dt, rest = params.dt_ms, round(params.tau_ref / params.dt_ms)
    v, free_at = start.copy(), np.zeros(start.size)
    current, h = np.zeros((2, start.size))
    fired = np.zeros(arriving.shape, bool)
    for step, (driven, heard) in enumerate(zip(np.asarray(bias), arriving, strict=True)):
        free = step >= free_at
        v = np.where(free, v + dt * (-v + current + driven) / params.tau_m, v)
        current, h = (
            current + dt / 1e3 * (h - current / (params.tau_r / 1e3)),
            h - dt / 1e3 * h / (params.tau_d / 1e3),
        )
        fired[step] = free & (v >= params.v_th)
        h = h + heard
        v[fired[step]], free_at[fired[step]] = params.v_reset, step + rest
    return fired


def raster(spikes, params: Params, n_steps: int) -> NDArray[np.float64]:
    """Recorded spikes as 0 and 1, (step, neuron)."""
    found = np.zeros((n_steps, spikes.n_units))
    found[np.rint(spikes.times_ms / params.dt_ms).astype(int), spikes.units] = 1.0
    return found
