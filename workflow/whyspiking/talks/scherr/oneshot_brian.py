"""One demonstration, one update, one test, inside Brian2 (README, section 7).

A trial is the demonstration followed by the test. It begins with the weights as they were
optimised; half-way the weights move once, by what the synapses added up, and all states return to
rest.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.talks.scherr import brian_network, model, oneshot_task

CELL = """
v : 1
drive : 1
fired : 1
alpha : 1 (shared)
v_th : 1 (shared)
"""
LEARNER = """
eps : 1
psi : 1
signal : 1
gamma : 1 (shared)
kappa : 1 (shared)
"""
GENERATOR = """
weight_x : 1
weight_y : 1
"""
SYNAPSE = """
w : 1
start : 1
plastic : 1
filtered : 1
total : 1
step_size : 1 (shared)
kappa_e : 1 (shared)
"""
READ_OUT = """
w : 1
use_error : 1 (shared)
"""
ADVANCE_LEARNER = """
eps = alpha * eps + fired
v = alpha * v + drive - v_th * fired
signal = kappa * signal
psi = gamma / v_th * clip(1 - abs(v - v_th) / v_th, 0, inf)
drive = 0
fired = 0
"""
# The demonstration drives the generator; it is zero in the test.
ADVANCE_GENERATOR = """
v = alpha * v + drive + weight_x * shown(t, 0) + weight_y * shown(t, 1) - v_th * fired
drive = 0
fired = 0
"""
REST_STATE = {
    "learner": "v = 0; drive = 0; fired = 0; eps = 0; signal = 0; psi = 0",
    "generator": "v = 0; drive = 0; fired = 0",
    "relay": brian_network.RELAY_REST,
    "readout": "y = 0; error = 0",
}
DRIVE = "drive_post += w"
HIDDEN = ("s_in", "s_rec")


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure; weights and constants come with `bind`."""
    n, m, half_ms = params.n_learner, params.n_generator, params.trial_ms
    rows = params.max_trials * 2 * oneshot_task.n_steps(params)
    resets = {
        name: bm.Regularly(f"{name}_rest", code, order=-10, period_ms=half_ms)
        for name, code in REST_STATE.items()
    }
    error = bm.Regularly("readout_error", "error = y - shown(t, i)", when="end")
    relay, arrivals = brian_network.relay(params.n_in, [resets["relay"]])
    error_signal = bm.Regularly(
        "s_out_error", "signal_pre += use_error * w * error_post", when="end", order=1
    )
    return bm.BrianModel(
        name="scherr_oneshot",
        groups=[
            _make_cells("learner", n, LEARNER, ADVANCE_LEARNER, resets["learner"]),
            _make_cells("generator", m, GENERATOR, ADVANCE_GENERATOR, resets["generator"]),
            brian_network.readout(oneshot_task.N_OUT, "error : 1\n", [error, resets["readout"]]),
            relay,
        ],
        synapses=[
            arrivals,
            _make_plastic_synapses("s_in", "input", half_ms),
            _make_plastic_synapses("s_rec", "learner", half_ms),
            bm.Synapses(
                "s_out", "learner", "readout", model.READOUT_INPUT,
                equations=READ_OUT, regularly=[error_signal],
            ),
            bm.Synapses("s_watch", "learner", "generator", DRIVE),
            bm.Synapses("s_loop", "generator", "generator", DRIVE),
            bm.Synapses("s_teach", "generator", "learner", "signal_post += (1 - kappa_post) * w"),
        ],
        inputs={"input": params.n_in},
        tables=[bm.Table("shown", (rows, oneshot_task.N_OUT), params.dt_ms)],
        borrowed={"input.eps": "relay.eps"},
        dt_ms=params.dt_ms,
        trial_ms=2 * half_ms,
        max_trials=params.max_trials,
        reset={**REST_STATE, **dict.fromkeys(HIDDEN, "w = start; total = 0; filtered = 0")},
        record_spikes=("learner", "generator"),
        record_traces={"output": ("readout", "y", params.dt_ms)},
    )  # fmt: skip


def _make_cells(
    name: str, size: int, further_variables: str, advance: str, rest_reset: bm.Regularly
) -> bm.Group:
    """Describe LIF neurons that return to rest before the test."""
    return bm.Group(
        name,
        size,
        CELL + further_variables,
        threshold="v > v_th",
        reset="fired = 1",
        regularly=[bm.Regularly(f"{name}_advance", advance, when="groups"), rest_reset],
    )


def _make_plastic_synapses(name: str, source: str, half_ms: float) -> bm.Synapses:
    """Synapses onto the learner, which add up Eq. 14 and move once, before the test.

    `kappa_e` filters eligibilities (Eq. 8); 0 does not.
    """
    learn = bm.Regularly(
        f"{name}_learn",
        "filtered = kappa_e * filtered + (1 - kappa_e) * psi_post * eps_pre\n"
        "total += signal_post * filtered",
        when="end", order=2,
    )  # fmt: skip
    # At the start of a trial nothing has been added up; half-way this is the update.
    update = bm.Regularly(
        f"{name}_update", "w -= step_size * plastic * total\ntotal = 0\nfiltered = 0",
        order=-10, period_ms=half_ms,
    )  # fmt: skip
    return bm.Synapses(name, source, "learner", DRIVE, equations=SYNAPSE, regularly=[learn, update])


def bind(params: ct.Params, arrays: Mapping[str, NDArray], signal: str) -> ct.Binding:
    """Place weights and constants into the structure.

    Args:
        params: Parameters of the experiment.
        arrays: See `oneshot.initial`.
        signal: One of `oneshot.SIGNALS`.
    """
    alpha, kappa = oneshot_task.decays(params)
    n_in, n = params.n_in, params.n_learner
    weights = {name: np.asarray(x, float) for name, x in arrays.items()}
    teaching_weights = (
        weights["generator_out"]
        if signal == "generator"
        else np.zeros_like(weights["generator_out"])
    )
    layers = {
        "s_in.start": ct.Layer("input", "learner", weights["w"][:n_in]),
        "s_rec.start": ct.Layer("learner", "learner", weights["w"][n_in:], "recurrent"),
        "s_out.w": ct.Layer("learner", "readout", weights["w_out"], "readout"),
        "s_watch.w": ct.Layer("learner", "generator", weights["generator"][:n]),
        "s_loop.w": ct.Layer("generator", "generator", weights["generator"][n:], "recurrent"),
        "s_teach.w": ct.Layer("generator", "learner", teaching_weights),
    }
    step_size, by_error = float(np.exp(weights["log_rate"])), signal.endswith("error")
    values: dict[str, NDArray | float] = {
        **{key: layer.weights for key, layer in layers.items()},
        "s_in.plastic": 1.0,
        "s_rec.plastic": 1.0 - np.eye(n),
        "s_in.step_size": step_size,
        "s_rec.step_size": step_size,
        **dict.fromkeys(("s_in.kappa_e", "s_rec.kappa_e"), kappa * signal.startswith("filtered")),
        "s_out.use_error": float(by_error),
        "generator.weight_x": weights["generator_target"][0],
        "generator.weight_y": weights["generator_target"][1],
        "learner.gamma": params.gamma,
        "learner.kappa": 0.0 if by_error else kappa,
        "readout.kappa": kappa,
        "relay.alpha": alpha,
    }
    for name in ("learner", "generator"):
        values |= {f"{name}.alpha": alpha, f"{name}.v_th": params.v_th}
    return ct.Binding(values, layers)
