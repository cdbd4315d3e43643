"""The XOR network of the talk naud in plain numpy: what Brian2 and the kernel are compared with.

Slow and readable; equation numbers are those of the talk's README. Units are Brian2's base units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from whyspiking.contract.types import Params
from whyspiking.talks.naud.xor.model import HOLD, NEVER_S, POPULATIONS

MS = 1e-3


@dataclass
class Run:
    """What a run gave.

    Attributes:
        events, bursts: (step, neuron) of each, in order of time.
        weights: Forward weights at the end, (pre, post).
        traces: Variable -> (step, neuron).
    """

    events: NDArray[np.int64]
    bursts: NDArray[np.int64]
    weights: NDArray[np.float64]
    traces: dict[str, NDArray[np.float64]]


def simulate(
    params: Params,
    neurons: Mapping[str, Any],
    matrices: Mapping[str, NDArray],
    rows: NDArray,
    traced: Sequence[str] = (),
) -> Run:
    """Run the network through a schedule, without noise and with a sharp edge of bursting.

    Args:
        params: Parameters of the experiment.
        neurons: Variable -> value per neuron, as `wiring.neuron_values` gives them, without
            "neurons.".
        matrices: forward, inhibition, feedback_exc, feedback_inh: weights (pre, post), nan where
            there is no synapse.
        rows: Schedule, (slot, channel).
        traced: Which variables to keep.
    """
    p = params
    n = len(POPULATIONS) * p.n_per_population
    dt = p.dt_ms * MS
    given = {key: np.broadcast_to(np.asarray(v, float), (n,)) for key, v in neurons.items()}
    blind = given.get("burst_blind", np.full(n, -1.0))
    s = {key: np.zeros(n) for key in ("w_s", "w_d", "g_e", "g_i", "g_ed", "g_id", "x", "e", "b")}
    s |= {"r": np.full(n, float(p.r_start))}
    s |= {key: np.full(n, float(p.e_leak)) for key in ("v_s", "v_d")}
    s |= {"th": np.full(n, float(p.th_rest))}
    t_free, t_second = np.zeros(n), np.full(n, NEVER_S)
    teaching, eta_now, follow, i_s = (np.zeros(n) for _ in range(4))
    there = ~np.isnan(matrices["forward"])
    w = np.nan_to_num(matrices["forward"])
    fixed = {k: np.nan_to_num(matrices[k]) for k in ("inhibition", "feedback_exc", "feedback_inh")}
    per_slot = round(p.slot_ms / p.dt_ms)
    events, bursts = [], []
    traces = {key: np.zeros((len(rows) * per_slot, n)) for key in traced}
    for step in range(len(rows) * per_slot):
        t = step * dt
        if step % per_slot == 0:
            row = rows[step // per_slot]
            i_s = given["is_input"] * row[given["input_of"].astype(int)]
            teaching = _teaching(row[2], s["e"], p.teaching, teaching) * given["is_output"]
            eta_now, follow = given["eta"] * row[3], np.full(n, row[4])
        s = _euler(p, s, i_s, given["i_d"] + teaching, follow, dt)
        # Eq. 4: who fires an event, who a second spike.
        fires = np.flatnonzero((s["v_s"] > s["th"]) & (t >= t_free))
        seconds = np.flatnonzero(t >= t_second)
        # Eqs. 7 to 12: all with the means before this step's spikes.
        mean = np.clip(s["b"] / np.clip(s["e"], 1e-9, 1e9), 0, 1)
        over = -np.clip(s["e"] - p.e_max, 0, None) / np.clip(s["e"], 1e-9, 1e9)
        lift = eta_now * given["lift"] * np.clip(p.e_min - s["r"], 0, None)
        s["g_e"] = s["g_e"] + p.gain * w[fires].sum(axis=0)
        s["g_i"] = s["g_i"] + p.gain * fixed["inhibition"][fires].sum(axis=0)
        s["g_ed"] = s["g_ed"] + p.gain * fixed["feedback_exc"][seconds].sum(axis=0)
        s["g_id"] = s["g_id"] + p.gain * fixed["feedback_inh"][seconds].sum(axis=0)
        for pre in fires:
            w[pre] = np.where(there[pre], np.clip(w[pre] + lift, 0, 1), 0)
        for posts, factor in ((fires, over - mean), (seconds, 1 + over)):
            for post in posts:
                changed = w[:, post] + eta_now[post] * s["x"] * factor[post]
                w[:, post] = np.where(there[:, post], np.clip(changed, 0, 1), 0)
        # Eqs. 3 to 5 and 7: what the spikes do to their neuron.
        probability = expit((s["v_d"] - p.e_burst) / p.d_burst)
        probability = np.where(blind >= 0, np.clip(blind, 0, 1), probability)
        s["v_s"][fires] = p.e_leak
        s["th"][fires] += p.th_jump
        s["w_s"][fires] += 1
        s["x"][fires] += 1
        s["e"][fires] += follow[fires] / (p.tau_avg * MS)
        s["b"][seconds] += follow[seconds] / (p.tau_avg * MS)
        s["r"][fires] += 1 / (p.tau_floor * MS)
        s["r"][seconds] += 1 / (p.tau_floor * MS)
        t_free[fires] = t_free[seconds] = t + p.refractory_ms * MS + dt / 2
        t_second[seconds] = NEVER_S
        for neuron in fires:
            if probability[neuron] > 0.5:
                t_second[neuron] = t + (p.burst_delay_ms + p.burst_spread_ms / 2) * MS
        events += [(step, int(neuron)) for neuron in fires]
        bursts += [(step, int(neuron)) for neuron in seconds]
        for key in traced:
            traces[key][step] = s[key]
    shape = (-1, 2)
    return Run(
        np.array(events, np.int64).reshape(shape),
        np.array(bursts, np.int64).reshape(shape),
        w,
        traces,
    )


def _euler(
    p: Params, s: Mapping[str, NDArray], i_s: NDArray, i_d: NDArray, follow: NDArray, dt: float
) -> dict[str, NDArray]:
    """One step of Eqs. 1 to 3, 6, 7 and 11."""
    felt = s["v_s"] if p.drive == "soma" else s["v_d"]
    soma = (p.e_leak - s["v_s"]) + s["g_e"] * (p.e_exc - s["v_s"]) + s["g_i"] * (p.e_inh - s["v_s"])
    dendrite = (p.e_leak - s["v_d"]) + s["g_ed"] * (p.e_exc - felt) + s["g_id"] * (p.e_inh - felt)
    slope = {
        "v_s": soma / (p.tau_s * MS) + (i_s - p.b_w * s["w_s"]) / p.c_s,
        "v_d": dendrite / (p.tau_d * MS) + (i_d + p.a_w * s["w_d"]) / p.c_d,
        "w_s": -s["w_s"] / (p.tau_ws * MS),
        "w_d": (s["v_d"] - p.e_leak - s["w_d"]) / (p.tau_wd * MS),
        "th": (p.th_rest - s["th"]) / (p.tau_th * MS),
        "g_e": -s["g_e"] / (p.tau_ampa * MS),
        "g_i": -s["g_i"] / (p.tau_gaba * MS),
        "g_ed": -s["g_ed"] / (p.tau_ampa * MS),
        "g_id": -s["g_id"] / (p.tau_gaba * MS),
        "x": -s["x"] / (p.tau_pre * MS),
        "e": -follow * s["e"] / (p.tau_avg * MS),
        "b": -follow * s["b"] / (p.tau_avg * MS),
        "r": -s["r"] / (p.tau_floor * MS),
    }
    return {key: s[key] + dt * slope[key] for key in s}


def _teaching(command: float, e: NDArray, size: float, before: NDArray) -> NDArray[np.float64]:
    """Eq. 13, case by case."""
    if command == HOLD:
        return before
    if command == 1:
        middle = np.where((e > 3) & (e < 9), size / np.where(e == 2, 1, e - 2), 0.0)
        return np.where(e <= 3, size, middle)
    if command == -1:
        middle = np.where((e > 3) & (e < 9), -size / np.where(e == 10, 1, 10 - e), 0.0)
        return np.where(e >= 9, -size, middle)
    return np.zeros_like(e)
