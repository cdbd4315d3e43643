"""Networks that FORCE trains, in plain NumPy, step by step (Eqs. 1-4, 7 and 24, 29 and 32)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.talks.clopath.force import model


def izhikevich(params: Params, v: NDArray, u: NDArray, current: NDArray):
    """Eqs. 1-2: slopes of v and u per ms."""
    dv = params.k * (v - params.v_r) * (v - params.v_t) - u + current
    return dv / params.capacitance, params.a * (params.b * (v - params.v_r) - u)


def leaky(params: Params, v: NDArray, u: NDArray, current: NDArray):
    """Eq. 29."""
    return (-v + current) / params.tau_m, 0.0


def theta(params: Params, v: NDArray, u: NDArray, current: NDArray):
    """Eq. 32, whose time is in s."""
    return (1 - np.cos(v) + np.pi**2 * current * (1 + np.cos(v))) / 1000.0, 0.0


def run(
    params: Params,
    wiring: dict[str, NDArray],
    decoders: NDArray,
    n_steps: int,
    dt: float,
    *,
    slopes: Callable = izhikevich,
    driven: Callable[[int], NDArray | float] = lambda now: 0.0,
    arriving: Callable[[int], NDArray | float] = lambda now: 0.0,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """One trial by Euler's method.

    Args:
        params: The constants of the talk.
        wiring: From `model.wire` or `reservoir.wire`.
        decoders: (neuron, output).
        n_steps: Steps of `dt` ms.
        dt: ms.
        slopes: Of the neuron.
        driven: Current besides the feedback, at a step; (neuron,).
        arriving: What spikes from outside add to h at a step, (neuron,).

    Returns:
        Who fires when, and filtered spikes r after every step; both (step, neuron).
    """
    n, omega, neuron = len(decoders), model.static_weights(wiring), model.neuron_of(params)
    rests = round(params.tau_ref / dt) - 1 if neuron.refractory else -1
    peak = params.v_th if slopes is leaky else params.v_peak
    v, rest = wiring["v_start"].copy(), np.full(n, -1)
    u, current, h, r, h_r = np.zeros((5, n))
    jump = 1 / (params.tau_r * params.tau_d)
    read = params.values.get("tau_read", params.tau_d)
    fired, rates = np.zeros((n_steps, n), bool), np.zeros((n_steps, n))
    for now in range(n_steps):
        drive = wiring["encoders"] @ (r @ decoders) + driven(now)
        dv, du = slopes(params, v, u, current + drive + params.bias)
        free = now > rest
        v, u = np.where(free, v + dt * dv, v), u + dt * du
        current, h = current + dt * (h - current / params.tau_r), h - dt * h / params.tau_d
        r, h_r = r + dt * (h_r - r / params.tau_r), h_r - dt * h_r / read
        fired[now], rates[now] = free & (v >= peak), r
        h = h + jump * arriving(now) + jump * omega[fired[now]].sum(axis=0)
        v[fired[now]], rest[fired[now]] = params.v_reset, now + rests
        u[fired[now]] += params.d if neuron is model.NEURON else 0.0
        h_r[fired[now]] += 1 / (params.tau_r * read)
    return fired, rates
