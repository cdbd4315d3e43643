"""The network as Brian2 runs it: the equations of `model`, in the same order as in `kernel`.

Step t first advances the state with the spikes of step t - 1, then tests the threshold; the spikes
of step t reach the readout at once and the other neurons in the next step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.talks.scherr import model

NEURONS_REST = "v = 0; a = 0; drive = 0; fired = 0; wait = 0"
READOUT_REST = "y = 0"
RELAY = """
eps : 1
arrived : 1
alpha : 1 (shared)
"""
RELAY_REST = "eps = 0; arrived = 0"


def network(
    params: ct.Params,
    *,
    name: str,
    n_inputs: int,
    n_rec: int,
    n_out: int,
    n_steps: int,
    population: str = "neurons",
) -> bm.BrianModel:
    """Describe the structure; weights and constants come with `bind`.

    Args:
        params: `dt_ms`, `max_trials`.
        name: Name of the model.
        n_inputs: Input channels.
        n_rec: Neurons.
        n_out: Readouts.
        n_steps: Steps per trial.
        population: Name of the neurons.
    """
    drive = "drive_post += w"
    return bm.BrianModel(
        name=name,
        groups=[neurons(n_rec, population), readout(n_out)],
        synapses=[
            bm.Synapses("s_in", "input", population, drive),
            bm.Synapses("s_rec", population, population, drive),
            bm.Synapses("s_out", population, "readout", model.READOUT_INPUT),
        ],
        inputs={"input": n_inputs},
        dt_ms=params.dt_ms,
        trial_ms=n_steps * params.dt_ms,
        max_trials=params.max_trials,
        reset={population: NEURONS_REST, "readout": READOUT_REST},
        record_spikes=(population,),
        record_traces={"output": ("readout", "y", params.dt_ms)},
    )


def neurons(
    n_neurons: int,
    name: str = "neurons",
    further_variables: str = "",
    advance: str = model.ADVANCE,
    regularly: Sequence[bm.Regularly] = (),
) -> bm.Group:
    """Describe neurons of Eqs. 1 to 3.

    Args:
        n_neurons: Number of neurons.
        name: Of the group.
        further_variables: Their equations.
        advance: Statements at the start of a step.
        regularly: Further statements.
    """
    return bm.Group(
        name,
        n_neurons,
        model.NEURON + further_variables,
        threshold=model.THRESHOLD,
        reset=model.AFTER_SPIKE,
        regularly=(bm.Regularly(f"{name}_advance", advance, when="groups"), *regularly),
    )


def readout(
    n_readouts: int, further_variables: str = "", regularly: Sequence[bm.Regularly] = ()
) -> bm.Group:
    """Describe readouts of Eq. 5; arguments as for `neurons`."""
    decay = bm.Regularly("readout_decay", model.READOUT_DECAY, when="groups")
    return bm.Group(
        "readout", n_readouts, model.READOUT + further_variables, regularly=(decay, *regularly)
    )


def relay(n_inputs: int, regularly: Sequence[bm.Regularly] = ()) -> tuple[bm.Group, bm.Synapses]:
    """Describe presynaptic traces of the inputs (Eq. 6), which have no variables of their own.

    "input.eps" borrows "relay.eps".

    Args:
        n_inputs: Input channels.
        regularly: Further statements.
    """
    advance = bm.Regularly(
        "relay_advance", "eps = alpha * eps + arrived\narrived = 0", when="groups"
    )
    return (
        bm.Group("relay", n_inputs, RELAY, regularly=(advance, *regularly)),
        bm.Synapses(
            "s_relay", "input", "relay", "arrived_post += 1", equations="", connect=bm.ONE_TO_ONE
        ),
    )


def bind(
    cell: model.Cell, arrays: Mapping[str, NDArray], population: str = "neurons"
) -> ct.Binding:
    """Place weights and constants into the structure.

    Args:
        cell: Neurons and readout.
        arrays: w (input + neuron, neuron) and w_out (neuron, output).
        population: Name of the neurons.
    """
    w, w_out = (np.asarray(arrays[name], float) for name in ("w", "w_out"))
    w_in, w_rec = np.split(w, [len(w) - len(w_out)])
    return ct.Binding(
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
            "s_in.w": ct.Layer("input", population, w_in),
            "s_rec.w": ct.Layer(population, population, w_rec, "recurrent"),
            "s_out.w": ct.Layer(population, "readout", w_out, "readout"),
        },
    )
