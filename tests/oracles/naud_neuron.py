"""The pyramidal neuron and its synapses once more, in plain NumPy: what the tests compare with.

Equation numbers are those of the README of the talk naud. SI units except where a name says ms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.talks.naud.burst_code.model import back_ms


def trace(
    params: Params, i_soma: NDArray, i_dendrite: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """One neuron without noise (Eqs. 20-25), forward Euler.

    Args:
        params: The constants of the neuron.
        i_soma: Somatic current in A at every step, (time,).
        i_dendrite: Dendritic current in A at every step, (time,).

    Returns:
        Somatic and dendritic potential in V after every step, (time,), and spike times in ms.
    """
    p, dt = params, params.dt_ms * 1e-3
    ms = 1e-3
    v_s = v_d = p.e_leak
    w_s, w_d, theta = 0.0, 0.0, p.th_rest
    since = np.inf
    soma, dendrite, spikes = [], [], []
    for step, (i_s, i_d) in enumerate(zip(i_soma, i_dendrite, strict=True)):
        plateau = 1.0 / (1.0 + np.exp(-(v_d - p.v_plateau) / p.d_plateau))
        pulse = p.i_back * (since <= back_ms(p))
        slope_s = (p.e_leak - v_s) / (p.tau_s * ms) + (
            i_s - p.b_w * w_s + p.i_plateau_s * plateau
        ) / p.c_s
        slope_d = (p.e_leak - v_d) / (p.tau_d * ms) + (
            i_d + p.a_w * w_d + p.i_plateau_d * plateau + pulse
        ) / p.c_d
        slope_wd = (v_d - p.e_leak - w_d) / (p.tau_wd * ms)
        v_s += dt * slope_s
        v_d += dt * slope_d
        w_s -= dt * w_s / (p.tau_ws * ms)
        w_d += dt * slope_wd
        theta += dt * (p.th_rest - theta) / (p.tau_th * ms)
        since += p.dt_ms
        if v_s > theta:
            v_s, w_s, theta, since = p.e_leak, w_s + 1.0, theta + p.th_jump, p.dt_ms
            spikes.append(step * p.dt_ms)
        soma.append(v_s)
        dendrite.append(v_d)
    return np.array(soma), np.array(dendrite), np.array(spikes)


def transmitted(times_ms: NDArray, tau_rec: float, tau_fac: float, u0: float, f: float) -> NDArray:
    """What every spike of one train transmits through a short-term plastic synapse (Eqs. 27-28).

    Args:
        times_ms: Spike times, sorted, (spike,).
        tau_rec: Time constant of recovery in ms.
        tau_fac: Time constant of facilitation in ms.
        u0: Utilisation at rest.
        f: Share by which a spike brings utilisation closer to 1.

    Returns:
        u x of every spike, (spike,).
    """
    x, u, before = 1.0, u0, -np.inf
    found = []
    for now in times_ms:
        x = 1.0 - (1.0 - x) * np.exp(-(now - before) / tau_rec)
        u = u0 + (u - u0) * np.exp(-(now - before) / tau_fac)
        found.append(u * x)
        x -= u * x
        u += f * (1.0 - u)
        before = now
    return np.array(found)
