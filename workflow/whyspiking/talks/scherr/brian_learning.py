"""E-prop inside Brian2: every weight of the pattern generator learns in the simulation (README, 7).

A trial begins with the update from the trial before; a run of n + 1 trials learns from n. Symmetric
and random feedback, Adam and plain gradient descent, and learning switched off are values of a run,
so one program serves all. Only LIF neurons: a synapse keeps one filtered eligibility.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Params, Stimulus
from whyspiking.talks.scherr import brian_network, pattern
from whyspiking.talks.scherr.brian_network import ADVANCE, RESET
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
# eps takes the spikes of the step before; psi is that of Eq. 4.
LEARNING_ADVANCE = (
    "eps = alpha * eps + fired\n"
    + ADVANCE
    + """
psi = gamma / v_th * clip(1 - abs(v - v_th) / v_th, 0, inf) * int(wait < 1)
"""
)
# After the spikes of a step have reached the readout.
NEURON_END = """
trace = kappa * trace + (1 - kappa) * fired
count += fired
rate_error = rate_cost * (count / n_steps - target_rate) / n_steps
signal = 0
"""
RELAY = """
eps : 1
arrived : 1
alpha : 1 (shared)
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
# Adam (Kingma & Ba 2015) and gradient descent. The first trial follows none: its gradient is zero.
UPDATE = """
mean = 0.9 * mean + 0.1 * total
square = 0.999 * square + 0.001 * total**2
n = clip(updates - 1, 1, inf)
step = mean / (1 - 0.9**n) / (sqrt(square / (1 - 0.999**n)) + 1e-8)
w -= sgd_rate * total + adam_rate * step
gradient = 0
"""
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


def to_brian(params: Params) -> BrianModel:
    """The structure; weights, constants and rates of learning come with `bind`."""
    n_in, n_rec = params.n_in, params.n_rec

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        neurons, readout = brian_network.populations(
            n_rec, 1, more=NEURON, advance=LEARNING_ADVANCE, readout_more=ERROR
        )
        neurons.run_regularly(NEURON_END, when="end", order=0, name="neurons_end")
        wanted = brian2.TimedArray(
            np.zeros((pattern.n_steps(params), 1)), dt=params.dt_ms * brian2.ms, name="wanted"
        )
        readout.namespace["wanted"] = wanted
        readout.run_regularly(
            "error = y - wanted(t - began, i)", when="end", order=0, name="readout_error"
        )
        # Spike generators have no variables of their own: the traces of the inputs live here.
        relay = brian2.NeuronGroup(n_in, RELAY, name="relay")
        relay.run_regularly(
            "eps = alpha * eps + arrived\narrived = 0", when="groups", name="relay_advance"
        )
        arrivals = brian2.Synapses(
            inputs["input"], relay, on_pre="arrived_post += 1", name="s_relay"
        )
        arrivals.connect(j="i")
        inputs["input"].variables.add_reference("eps", relay, "eps")
        made = [neurons, readout, relay, arrivals]
        for name, source in zip(HIDDEN, (inputs["input"], neurons), strict=True):
            synapses = brian2.Synapses(
                source, neurons, SYNAPSE + ELIGIBILITY, on_pre="drive_post += w", name=name
            )
            synapses.connect()
            synapses.run_regularly(LEARN_HIDDEN, when="end", order=2, name=f"{name}_learn")
            made.append(synapses)
        read = brian2.Synapses(
            neurons,
            readout,
            SYNAPSE + "feedback : 1\nsymmetric : 1 (shared)\n",
            on_pre="y_post += (1 - kappa_post) * w",
            name="s_out",
        )
        read.connect()
        read.run_regularly(LEARN_READOUT, when="end", order=1, name="s_out_learn")
        return [*made, read]

    return BrianModel(
        name="scherr_learning",
        definition={
            "equations": [
                brian_network.NEURON, NEURON, LEARNING_ADVANCE, NEURON_END, RELAY, ERROR, SYNAPSE,
                ELIGIBILITY, UPDATE_HIDDEN, UPDATE_READOUT, LEARN_HIDDEN, LEARN_READOUT,
            ],
            "sizes": [n_in, n_rec],
        },
        construct=construct,
        inputs={"input": n_in},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.iterations + 1,
        reset={
            # The update of the synapses reads `rate_error`, which a reset leaves alone.
            **{name: UPDATE_HIDDEN for name in HIDDEN},
            "s_out": UPDATE_READOUT,
            "neurons": f"{RESET['neurons']}; eps = 0; trace = 0; count = 0; signal = 0",
            "readout": f"{RESET['readout']}; error = 0; began = t",
            "relay": "eps = 0; arrived = 0",
        },
        record_spikes=("neurons",),
        record_traces={"output": ("readout", "y", params.dt_ms)},
        record_final=("s_in.w", "s_rec.w", "s_out.w"),
    )  # fmt: skip


def bind(
    params: Params, arrays: Mapping[str, NDArray], *, feedback: str, rates: Mapping[str, float]
) -> Binding:
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
        values[f"{name}.adam_rate"] = rates["adam"]
        values[f"{name}.sgd_rate"] = rates["sgd"]
    return replace(static, values={**static.values, **values})


def repeat(stimulus: Stimulus, n_trials: int) -> Stimulus:
    """The same trial again and again.

    Args:
        stimulus: One trial.
        n_trials: How often.
    """
    copies = np.zeros(n_trials, int)
    spikes = {name: trains.select_trials(copies) for name, trains in stimulus.spikes.items()}
    return Stimulus(spikes=spikes, arrays=dict(stimulus.arrays))
