"""One demonstration, one update, one test, inside Brian2 (README, section 8).

A trial is the demonstration followed by the test. It begins with the weights as they were
optimised; half-way the weights move once, by what the synapses added up, and all states return to
rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Layer, Params
from whyspiking.talks.scherr import oneshot_task

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
RELAY = """
eps : 1
arrived : 1
alpha : 1 (shared)
"""
READOUT = """
y : 1
error : 1
kappa : 1 (shared)
"""
SYNAPSE = """
w : 1
start : 1
plastic : 1
total : 1
step_size : 1 (shared)
"""
ERROR = """
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
READOUT_ERROR = "error = y - shown(t, i)"
STATES = {
    "learner": "v = 0; drive = 0; fired = 0; eps = 0; signal = 0; psi = 0",
    "generator": "v = 0; drive = 0; fired = 0",
    "relay": "eps = 0; arrived = 0",
    "readout": "y = 0; error = 0",
}
HIDDEN = ("s_in", "s_rec")


def to_brian(params: Params) -> BrianModel:
    """The structure; weights and constants come with `bind`."""
    n, m, half_ms = params.n_learner, params.n_generator, params.trial_ms

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        def cells(size: int, more: str, advance: str, name: str) -> Any:
            group = brian2.NeuronGroup(
                size, CELL + more, threshold="v > v_th", reset="fired = 1", name=name
            )
            group.run_regularly(advance, when="groups", name=f"{name}_advance")
            return group

        rows = params.max_trials * 2 * oneshot_task.n_steps(params)
        shown = brian2.TimedArray(
            np.zeros((rows, oneshot_task.N_OUT)), dt=params.dt_ms * brian2.ms, name="shown"
        )
        learner = cells(n, LEARNER, ADVANCE_LEARNER, "learner")
        generator = cells(m, GENERATOR, ADVANCE_GENERATOR, "generator")
        generator.namespace["shown"] = shown
        readout = brian2.NeuronGroup(oneshot_task.N_OUT, READOUT, name="readout")
        readout.namespace["shown"] = shown
        readout.run_regularly("y = kappa * y", when="groups", name="readout_decay")
        readout.run_regularly(READOUT_ERROR, when="end", order=0, name="readout_error")
        relay = brian2.NeuronGroup(params.n_in, RELAY, name="relay")
        relay.run_regularly(
            "eps = alpha * eps + arrived\narrived = 0", when="groups", name="relay_advance"
        )
        arrivals = brian2.Synapses(
            inputs["input"], relay, on_pre="arrived_post += 1", name="s_relay"
        )
        arrivals.connect(j="i")
        inputs["input"].variables.add_reference("eps", relay, "eps")
        made = [learner, generator, readout, relay, arrivals]
        for name, source in zip(HIDDEN, (inputs["input"], learner), strict=True):
            plastic = brian2.Synapses(source, learner, SYNAPSE, on_pre="drive_post += w", name=name)
            plastic.connect()
            plastic.run_regularly(
                "total += signal_post * psi_post * eps_pre", when="end", order=2,
                name=f"{name}_learn",
            )  # fmt: skip
            # At the start of a trial nothing has been added up; half-way this is the update.
            plastic.run_regularly(
                "w -= step_size * plastic * total\ntotal = 0", dt=half_ms * brian2.ms,
                when="start", order=-10, name=f"{name}_update",
            )  # fmt: skip
            made.append(plastic)
        for name, source, target, effect, more in (
            ("s_out", learner, readout, "y_post += (1 - kappa_post) * w", ERROR),
            ("s_watch", learner, generator, "drive_post += w", ""),
            ("s_loop", generator, generator, "drive_post += w", ""),
            ("s_teach", generator, learner, "signal_post += (1 - kappa_post) * w", ""),
        ):
            fixed = brian2.Synapses(source, target, "w : 1" + more, on_pre=effect, name=name)
            fixed.connect()
            made.append(fixed)
        made[-4].run_regularly(
            "signal_pre += use_error * w * error_post", when="end", order=1, name="s_out_error"
        )
        for group in (learner, generator, readout, relay):
            group.run_regularly(
                STATES[group.name].replace("; ", "\n"), dt=half_ms * brian2.ms,
                when="start", order=-10, name=f"{group.name}_rest",
            )  # fmt: skip
        return made

    return BrianModel(
        name="scherr_oneshot",
        definition={
            "equations": [
                CELL, LEARNER, GENERATOR, RELAY, READOUT, SYNAPSE, ERROR, ADVANCE_LEARNER,
                ADVANCE_GENERATOR, STATES,
            ],
            "sizes": [params.n_in, n, m],
        },
        construct=construct,
        inputs={"input": params.n_in},
        dt_ms=params.dt_ms,
        trial_ms=2 * half_ms,
        max_trials=params.max_trials,
        reset={**STATES, **dict.fromkeys(HIDDEN, "w = start; total = 0")},
        record_spikes=("learner", "generator"),
        record_traces={"output": ("readout", "y", params.dt_ms)},
    )  # fmt: skip


def bind(params: Params, arrays: Mapping[str, NDArray], signal: str) -> Binding:
    """Place weights and constants into the structure.

    Args:
        params: Parameters of the experiment.
        arrays: See `oneshot.initial`.
        signal: "generator", "error" or "none".
    """
    alpha, kappa = oneshot_task.decays(params)
    n_in, n = params.n_in, params.n_learner
    own = {name: np.asarray(x, float) for name, x in arrays.items()}
    teach = own["generator_out"] if signal == "generator" else np.zeros_like(own["generator_out"])
    weights = {
        "s_in": own["w"][:n_in],
        "s_rec": own["w"][n_in:],
        "s_out": own["w_out"],
        "s_watch": own["generator"][:n],
        "s_loop": own["generator"][n:],
        "s_teach": teach,
    }
    values: dict[str, NDArray | float] = {
        "s_in.start": weights["s_in"],
        "s_rec.start": weights["s_rec"],
        "s_in.plastic": 1.0,
        "s_rec.plastic": 1.0 - np.eye(n),
        "s_out.use_error": float(signal == "error"),
        "generator.weight_x": own["generator_target"][0],
        "generator.weight_y": own["generator_target"][1],
        "learner.gamma": params.gamma,
        "learner.kappa": kappa if signal != "error" else 0.0,
        "readout.kappa": kappa,
        "relay.alpha": alpha,
    }
    for name in ("learner", "generator"):
        values |= {f"{name}.alpha": alpha, f"{name}.v_th": params.v_th}
    for name in HIDDEN:
        values[f"{name}.step_size"] = float(np.exp(own["log_rate"]))
    for name in ("s_out", "s_watch", "s_loop", "s_teach"):
        values[f"{name}.w"] = weights[name]
    return Binding(
        values=values,
        layers={
            "s_in.start": Layer("input", "learner", weights["s_in"]),
            "s_rec.start": Layer("learner", "learner", weights["s_rec"], "recurrent"),
            "s_out.w": Layer("learner", "readout", weights["s_out"], "readout"),
            "s_watch.w": Layer("learner", "generator", weights["s_watch"]),
            "s_loop.w": Layer("generator", "generator", weights["s_loop"], "recurrent"),
            "s_teach.w": Layer("generator", "learner", weights["s_teach"]),
        },
    )
