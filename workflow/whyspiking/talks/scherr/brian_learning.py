"""E-prop inside Brian2: every weight of the pattern generator learns in the simulation (README, 6).

A trial begins with the update from the trial before; a run of n + 1 trials learns from n. Symmetric
and random feedback, Adam and plain gradient descent, and learning switched off are values of a run,
so one program serves all. Only LIF neurons: a synapse keeps one filtered eligibility.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.talks.scherr import brian_network, model, pattern
from whyspiking.talks.scherr.kernel import RateCost

NEURON = """
eps : 1
psi : 1
signal : 1
trace : 1
count : 1
rate_error : 1
gamma : 1 (shared)
kappa : 1 (shared)
rate_cost : 1 (shared)
target_rate : 1 (shared)
n_steps : 1 (shared)
"""
# eps takes the spikes of the step before (Eq. 6).
ADVANCE = "eps = alpha * eps + fired\n" + model.ADVANCE + model.PSEUDO_DERIVATIVE
# After the spikes of a step have reached the readout.
NEURON_END = """
trace = kappa * trace + (1 - kappa) * fired
count += fired
rate_error = rate_cost * (count / n_steps - target_rate) / n_steps
signal = 0
"""
ERROR = """
error : 1
began : second
"""
SYNAPSE = """
w : 1
plastic : 1
gradient : 1
mean : 1
square : 1
updates : 1 (shared)
adam_rate : 1 (shared)
sgd_rate : 1 (shared)
"""
ELIGIBILITY = """
filtered : 1
bare : 1
"""
FEEDBACK = """
feedback : 1
symmetric : 1 (shared)
"""
# Adam (Kingma & Ba 2015) and gradient descent. The first trial follows none: its gradient is zero.
UPDATE = """
mean = 0.9 * mean + 0.1 * total
square = 0.999 * square + 0.001 * total**2
n = clip(updates - 1, 1, inf)
step = mean / (1 - 0.9**n) / (sqrt(square / (1 - 0.999**n)) + 1e-8)
w -= sgd_rate * total + adam_rate * step
gradient = 0
"""
# `rate_error` of the trial that is over: resets of neurons leave it alone.
UPDATE_HIDDEN = (
    "updates += 1\ntotal = plastic * gain_post * (gradient + rate_error_post * bare)\n"
    + UPDATE
    + "filtered = 0\nbare = 0\n"
)
UPDATE_READOUT = "updates += 1\ntotal = plastic * gradient\n" + UPDATE
# Eqs. 7-9
LEARN_HIDDEN = """
filtered = kappa_post * filtered + (1 - kappa_post) * psi_post * eps_pre
bare += psi_post * eps_pre
gradient += signal_post * filtered
"""
LEARN_READOUT = """
signal_pre += (symmetric * w + (1 - symmetric) * feedback) * error_post
gradient += error_post * trace_pre
"""
HIDDEN = ("s_in", "s_rec")


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure; weights, constants and rates of learning come with `bind`."""
    relay, arrivals = brian_network.relay(params.n_in)
    end = bm.Regularly("neurons_end", NEURON_END, when="end")
    error = bm.Regularly("readout_error", "error = y - wanted(t - began, i)", when="end")
    return bm.BrianModel(
        name="scherr_learning",
        groups=[
            brian_network.neurons(params.n_rec, more=NEURON, advance=ADVANCE, regularly=[end]),
            brian_network.readout(1, more=ERROR, regularly=[error]),
            relay,
        ],
        synapses=[
            arrivals,
            _plastic("s_in", "input", "neurons", "drive_post += w", ELIGIBILITY, LEARN_HIDDEN, 2),
            _plastic(
                "s_rec", "neurons", "neurons", "drive_post += w", ELIGIBILITY, LEARN_HIDDEN, 2
            ),
            _plastic(
                "s_out", "neurons", "readout", model.READOUT_INPUT, FEEDBACK, LEARN_READOUT, 1
            ),
        ],
        inputs={"input": params.n_in},
        tables=[bm.Table("wanted", (pattern.n_steps(params), 1), params.dt_ms)],
        borrowed={"input.eps": "relay.eps"},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.iterations + 1,
        reset={
            **dict.fromkeys(HIDDEN, UPDATE_HIDDEN),
            "s_out": UPDATE_READOUT,
            "neurons": f"{brian_network.NEURONS_REST}; eps = 0; trace = 0; count = 0; signal = 0",
            "readout": f"{brian_network.READOUT_REST}; error = 0; began = t",
            "relay": brian_network.RELAY_REST,
        },
        record_spikes=("neurons",),
        record_traces={"output": ("readout", "y", params.dt_ms)},
        record_final=("s_in.w", "s_rec.w", "s_out.w"),
    )


def _plastic(
    name: str, source: str, target: str, on_pre: str, more: str, learn: str, order: int
) -> bm.Synapses:
    """Synapses that learn at the end of every step, after those of lower `order`."""
    own = bm.Regularly(f"{name}_learn", learn, when="end", order=order)
    return bm.Synapses(name, source, target, on_pre, equations=SYNAPSE + more, regularly=[own])


def bind(
    params: ct.Params, arrays: Mapping[str, NDArray], *, feedback: str, rates: Mapping[str, float]
) -> ct.Binding:
    """Place weights, constants and rates of learning into the structure.

    Args:
        params: Parameters of the experiment.
        arrays: w, w_out and feedback.
        feedback: "symmetric" or "random".
        rates: "adam" and "sgd"; zeros switch learning off.
    """
    cell, cost = pattern.cell(params), RateCost.of(params)
    static = brian_network.bind(cell, arrays)
    values: dict[str, NDArray | float] = {
        "neurons.gamma": cell.gamma,
        "neurons.kappa": cell.kappa,
        "neurons.rate_cost": cost.cost,
        "neurons.target_rate": cost.target,
        "neurons.n_steps": float(pattern.n_steps(params)),
        "relay.alpha": cell.alpha,
        "s_in.plastic": 1.0,
        "s_rec.plastic": 1.0 - np.eye(params.n_rec),
        "s_out.plastic": 1.0,
        "s_out.feedback": np.asarray(arrays["feedback"], float),
        "s_out.symmetric": float(feedback == "symmetric"),
    }
    for name in (*HIDDEN, "s_out"):
        values |= {f"{name}.{rule}_rate": rate for rule, rate in rates.items()}
    return replace(static, values={**static.values, **values})


def repeat(stimulus: ct.Stimulus, n_trials: int) -> ct.Stimulus:
    """The same trial again and again.

    Args:
        stimulus: One trial.
        n_trials: How often.
    """
    copies = np.zeros(n_trials, int)
    spikes = {name: trains.select_trials(copies) for name, trains in stimulus.spikes.items()}
    return ct.Stimulus(spikes=spikes, arrays=dict(stimulus.arrays))
