"""The network in Brian2 (README, Eqs. 1-5): the same steps in the same order as in `kernel`.

Step t first advances the state with the spikes of step t - 1, then tests the threshold; the spikes
of step t reach the readout at once and the other neurons in the next step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Layer, Params
from whyspiking.talks.scherr.kernel import Cell

NEURON = """
v : 1
a : 1
drive : 1
fired : 1
wait : 1
beta : 1
alpha : 1 (shared)
rho : 1 (shared)
v_th : 1 (shared)
silence : 1 (shared)
gain : 1 (shared)
"""
# Eqs. 1 and 2; `wait` counts the steps until the neuron may fire again.
ADVANCE = """
v = alpha * v + gain * drive - v_th * fired
a = rho * a + fired
wait = clip(wait - 1, 0, inf)
drive = 0
fired = 0
"""
# Eq. 3
THRESHOLD = "v > v_th + beta * a and wait < 1"
AFTER_SPIKE = "fired = 1; wait = silence"
READOUT = """
y : 1
kappa : 1 (shared)
"""
NEURONS_RESET = "v = 0; a = 0; drive = 0; fired = 0; wait = 0"
RESET = {"neurons": NEURONS_RESET, "readout": "y = 0"}


def brian_model(
    params: Params,
    *,
    name: str,
    n_inputs: int,
    n_rec: int,
    n_out: int,
    n_steps: int,
    population: str = "neurons",
) -> BrianModel:
    """The structure; weights and constants come with `bind`.

    Args:
        params: `dt_ms`, `max_trials`.
        name: Name of the model.
        n_inputs: Input channels.
        n_rec: Neurons.
        n_out: Readouts.
        n_steps: Steps per trial.
        population: Name of the neurons.
    """

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        neurons, readout = populations(n_rec, n_out, name=population)
        synapses = []
        for key, source in (("s_in", inputs["input"]), ("s_rec", neurons)):
            made = brian2.Synapses(source, neurons, "w : 1", on_pre="drive_post += w", name=key)
            made.connect()
            synapses.append(made)
        read = brian2.Synapses(
            neurons, readout, "w : 1", on_pre="y_post += (1 - kappa_post) * w", name="s_out"
        )
        read.connect()
        return [neurons, readout, *synapses, read]

    return BrianModel(
        name=name,
        definition={
            "equations": [NEURON, ADVANCE, THRESHOLD, AFTER_SPIKE, READOUT],
            "sizes": [n_inputs, n_rec, n_out],
        },
        construct=construct,
        inputs={"input": n_inputs},
        dt_ms=params.dt_ms,
        trial_ms=n_steps * params.dt_ms,
        max_trials=params.max_trials,
        reset={population: NEURONS_RESET, "readout": RESET["readout"]},
        record_spikes=(population,),
        record_traces={"output": ("readout", "y", params.dt_ms)},
    )


def populations(
    n_rec: int,
    n_out: int,
    more: str = "",
    advance: str = ADVANCE,
    readout_more: str = "",
    name: str = "neurons",
) -> tuple[Any, Any]:
    """Neurons and readout without synapses.

    Args:
        n_rec: Neurons.
        n_out: Readouts.
        more: Further variables of the neurons.
        advance: What they do at the start of a step.
        readout_more: Further variables of the readout.
        name: Of the neurons.
    """
    import brian2

    neurons = brian2.NeuronGroup(
        n_rec, NEURON + more, threshold=THRESHOLD, reset=AFTER_SPIKE, name=name
    )
    neurons.run_regularly(advance, when="groups", name=f"{name}_advance")
    readout = brian2.NeuronGroup(n_out, READOUT + readout_more, name="readout")
    readout.run_regularly("y = kappa * y", when="groups", name="readout_decay")
    return neurons, readout


def bind(cell: Cell, arrays: Mapping[str, NDArray], population: str = "neurons") -> Binding:
    """Place weights and constants into the structure.

    Args:
        cell: Neurons and readout.
        arrays: w (input + neuron, neuron) and w_out (neuron, output).
        population: Name of the neurons.
    """
    w, w_out = (np.asarray(arrays[name], float) for name in ("w", "w_out"))
    w_in, w_rec = np.split(w, [len(w) - len(w_out)])
    return Binding(
        values={
            "s_in.w": w_in,
            "s_rec.w": w_rec,
            "s_out.w": w_out,
            f"{population}.beta": np.asarray(cell.beta, float),
            f"{population}.alpha": cell.alpha,
            f"{population}.rho": cell.rho,
            f"{population}.v_th": cell.v_th,
            f"{population}.silence": float(cell.refractory),
            f"{population}.gain": cell.gain,
            "readout.kappa": cell.kappa,
        },
        layers={
            "s_in.w": Layer("input", population, w_in),
            "s_rec.w": Layer(population, population, w_rec, "recurrent"),
            "s_out.w": Layer(population, "readout", w_out, "readout"),
        },
    )
