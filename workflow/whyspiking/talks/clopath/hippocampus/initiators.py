"""Sharp waves that start by themselves (NC19 Fig. 2): the septal network with initiators.

Excitatory neurons come with the initiators first. These excite each other, all other excitatory
neurons and all inhibitory ones by fast synapses; excitatory neurons adapt; every neuron has noise
(Eqs. 34-36 of the talk's README). There is no septum and no input at all.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath.force.brian_network import connection, readout, wired
from whyspiking.talks.clopath.hippocampus import brian_network as septal
from whyspiking.talks.clopath.hippocampus import model

# Eqs. 34-35; `drive` is what the membrane gets beside synapses of Eq. 3 and the bias.
FAST = """
dfast/dt = (h_fast - fast/tau_r)/second : 1
dh_fast/dt = -h_fast/tau_d_fast/second : 1
"""
ADAPTING = "drive = fast - u : 1\ndu/dt = -u/tau_u/second : 1\njump_u : 1 (shared)\nplace : 1\n"
AT_REST = f"{model.REST}; fast = 0; h_fast = 0"


def wire(params: Params, septal: Mapping[str, NDArray], streams: Streams) -> dict[str, NDArray]:
    """Add the initiators to a trained septal network, in front of its excitatory neurons.

    In FIGURE_2.m they are the first `n_initiators` of 2000 excitatory neurons in the order of the
    internal cycle: neighbours in the sequence. They are drawn here as the first of `n_sequence`.

    Args:
        params: Needs n_inhibitory, in_degree, n_initiators, n_sequence, v_reset, v_th.
        septal: `sources`, `oscillator`, `phases`, `v_start`, `phi` of the trained network.
        streams: The stream "initiators" is used.

    Returns:
        The same arrays for one network with the initiators, shapes as in `model.wire`.
    """
    rng = streams.rng("initiators")
    n, n_inhibitory = params.n_initiators, params.n_inhibitory
    oscillator_index = rng.integers(septal["phases"].size, size=params.n_sequence)
    rank = np.argsort(find_cycle_positions(septal["phases"], oscillator_index), kind="stable")
    inhibitory_partners = np.argsort(rng.random((n, n_inhibitory)), axis=1)[:, : params.in_degree]
    voltages = model.voltages(params, rng, n)
    initiator_arrays = {
        "sources": np.sort(inhibitory_partners, axis=1).astype(np.int32),
        "oscillator": oscillator_index[rank[:n]].astype(np.int32),
        "v_start": voltages,
    }
    joined_arrays = {
        name: np.concatenate(
            [septal[name][:n_inhibitory], initiator_values, septal[name][n_inhibitory:]]
        )
        for name, initiator_values in initiator_arrays.items()
    }
    return joined_arrays | {"phases": septal["phases"], "phi": septal["phi"]}


def find_cycle_positions(phases: NDArray, oscillator_index: NDArray) -> NDArray[np.float64]:
    """Positions of neurons in the internal cycle, 0 to 1: the peaks of their oscillators (Eq. 18).

    Args:
        phases: Of the oscillators, in rad.
        oscillator_index: Oscillator of each neuron.
    """
    return np.mod(-phases[oscillator_index] / (2 * np.pi), 1.0)


def to_brian(params: Params) -> bm.BrianModel:
    """Septal network without a septum, with initiators, adaptation and noise (Eqs. 34-36)."""
    noisy = model.NOISY + FAST + "noise : 1 (shared)\n"
    return bm.BrianModel(
        name="clopath-initiators",
        groups=[
            septal.population(
                params, "inhibitory", noisy + "drive = fast : 1\n", bias=params.bias_inhibitory
            ),
            septal.population(
                params, "excitatory", noisy + ADAPTING, "; u += jump_u", bias=params.bias_excitatory
            ),
            readout("oscillator", 2, "second"),
        ],
        synapses=[
            *septal.inhibition(),
            wired("recruiting", "excitatory", "inhibitory", on_pre="h_fast_post += w"),
            wired("recurrent", "excitatory", "excitatory", on_pre="h_fast_post += w"),
        ],
        inputs={},
        dt_ms=params.dt_ms,
        trial_ms=params.quiet_ms,
        max_trials=params.n_trials_max,
        constants=model.constants(params) | model.seconds(params, "tau_d_fast", "tau_u"),
        reset={
            "inhibitory": AT_REST,
            "excitatory": f"{AT_REST}; u = 0",
            "oscillator": septal.OSCILLATOR_REST,
        },
        record_spikes=("inhibitory", "excitatory"),
        record_traces=septal.TRACES,
        record_final=("excitatory.place",),
    )


def bind(params: Params, network: Network) -> Binding:
    """Trained inhibition, and the synapses of the initiators (Eq. 36)."""
    inhibition_binding, n, n_excitatory = (
        septal.bind_inhibition(params, network), params.n_initiators, params.n_excitatory
    )  # fmt: skip
    oscillator_index = network.arrays["oscillator"][params.n_inhibitory :]
    values: dict[str, NDArray | float] = {
        **inhibition_binding.values,
        "inhibitory.noise": params.noise,
        "excitatory.noise": params.noise,
        "excitatory.jump_u": params.jump_u,
        "excitatory.place": find_cycle_positions(network.arrays["phases"], oscillator_index),
    }
    layers, per_spike = dict(inhibition_binding.layers), model.per_spike(params, "tau_d_fast") / n
    initiator_weights = np.full(n_excitatory, params.to_excitatory)
    initiator_weights[:n] = params.among_initiators
    onto_inhibitory = np.full(params.n_inhibitory, params.to_inhibitory)
    for name, post, weights in (
        ("recurrent", "excitatory", initiator_weights),
        ("recruiting", "inhibitory", onto_inhibitory),
    ):
        dense = np.zeros((n_excitatory, weights.size))
        dense[:n] = per_spike * weights
        values |= connection(name, dense[:n])
        kind = "recurrent" if post == "excitatory" else "feedforward"
        layers[f"{name}.w"] = Layer("excitatory", post, dense, kind)
    return Binding(values, layers)
