"""Connections of the circuit, and the numbers that all its runs share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.talks.naud.burst_code.model import INTERNEURON_UNITS, KINDS, mean_hits


def wire(params: Params, rng: np.random.Generator) -> dict[str, tuple[NDArray, NDArray]]:
    """Random connections of every projection: pre- and postsynaptic neurons.

    Every pair is linked with probability `p_connect`, independently; no neuron with itself.
    """
    n, m = params.n_pyramidal, params.n_interneurons
    lower, upper = slice(0, n), slice(n, 2 * n)
    pv, som = slice(0, m), slice(m, 2 * m)
    blocks = {
        "relay": [(lower, upper)],
        "to_pv": [(lower, pv)],
        "topdown": [(upper, lower)],
        "to_som": [(upper, som)],
        "lateral": [(lower, lower), (upper, upper)],
        "from_pv": [(pv, upper)],
        "from_som": [(som, lower)],
    }
    connections = {}
    for name, pairs in blocks.items():
        pres, posts = [], []
        for pre, post in pairs:
            shape = (pre.stop - pre.start, post.stop - post.start)
            is_linked = rng.random(shape) < params.p_connect
            # Only lateral connections have the same ensemble on both sides.
            if name == "lateral":
                np.fill_diagonal(is_linked, False)
            i, j = np.nonzero(is_linked)
            pres.append(i + pre.start)
            posts.append(j + post.start)
        connections[name] = (np.concatenate(pres), np.concatenate(posts))
    return connections


def fixed_values(params: Params) -> dict[str, NDArray | float]:
    """Numbers of an intact run: interneurons, synapses, and noise with the variance of Poisson."""
    variance_factor = 1.0 + mean_hits(params)
    kinds = (params.pv, params.som)
    values: dict[str, NDArray | float] = {
        f"interneurons.{name}": column for name, column in interneuron_values(params).items()
    }
    for noise_name in ("noise_e", "noise_i"):
        column = [variance_factor * kind[noise_name] for kind in kinds]
        values[f"interneurons.{noise_name}"] = np.repeat(column, params.n_interneurons)
    values |= {f"pyramidal.u0_{kind}": getattr(params, f"u0_{kind}") for kind in KINDS}
    return values | {
        "pyramidal.opens": 1.0,
        "pyramidal.dynamic": 1.0,
        "pyramidal.noise_s": variance_factor * params.noise_soma,
        "pyramidal.noise_d": variance_factor * params.noise_dendrite,
    }


def interneuron_values(params: Params) -> dict[str, NDArray]:
    """Parameters of all interneurons in base units, PV first (Eq. 26), (neuron,)."""
    parameters: list[dict[str, float]] = []
    for kind in (params.pv, params.som):
        g_leak, a_sub = kind["g_leak"], kind["a_sub"]
        slope, tau_m = kind["slope"], kind["tau_m_ms"] * 1e-3
        # The published rheobase fixes V_T (Eq. 26).
        v_t = (
            kind["rheobase"] / (g_leak + a_sub)
            + params.e_leak
            + slope
            - slope * np.log(1.0 + a_sub / g_leak)
        )
        parameters.append(
            {
                **{name: kind[name] for name in ("slope", "i_const", "a_sub", "b_spike")},
                **{"v_t": v_t, "v_r": kind["v_reset"], "tau_m": tau_m, "c_m": g_leak * tau_m},
                **{name: kind[f"{name}_ms"] * 1e-3 for name in ("tau_w", "t_ref")},
            }
        )
    columns = {name: [kind[name] for kind in parameters] for name in INTERNEURON_UNITS}
    return {name: np.repeat(values, params.n_interneurons) for name, values in columns.items()}
