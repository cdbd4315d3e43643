"""Reversion interneurons (NC19 Fig. 3) on top of the frozen septal network, as Brian2 runs them.

One reversion interneuron for each inhibitory neuron, which inhibits it; all of them act on the
excitatory neurons (Eqs. 40-41 of the talk's README). Nothing acts back on the rhythm.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath.hippocampus import brian_network as septal
from whyspiking.talks.clopath.hippocampus import model

EXCHANGED = "bias : 1 (shared)\nreleased : 1 (shared)\n"
# Eq. 41; the current's phase is turned by an offset with the given cosine and sine.
WEIGHTS = "w : 1\nquarter : 1\ncosine : 1 (shared)\nsine : 1 (shared)"
REVERSES = "h_post += cosine*w + sine*quarter"


def to_brian(params: Params) -> bm.BrianModel:
    """The septal network with reversion interneurons (Eqs. 15-20, 40-41)."""
    septal_network = septal.to_brian(params)
    reversion = septal.population(
        params, "reversion", model.LEAKY + septal.RELEASED + EXCHANGED, size=params.n_inhibitory
    )
    return replace(
        septal_network,
        name="clopath-reversion",
        groups=[*septal_network.groups, reversion],
        synapses=[
            *septal_network.synapses,
            bm.Synapses(
                "to_reversion", "inhibitory", "reversion", "h_post += w", connect=bm.ONE_TO_ONE
            ),
            bm.Synapses("from_reversion", "reversion", "excitatory", REVERSES, equations=WEIGHTS),
        ],
        reset={**septal_network.reset, "reversion": model.REST},
        record_spikes=(*septal_network.record_spikes, "reversion"),
    )


def bind(params: Params, network: Network) -> Binding:
    """Septal network, reversion interneurons, and their current at the phase that reverses."""
    arrays, septal_binding = network.arrays, septal.bind(params, network)
    jump = model.per_spike(params)
    input_weights = jump * params.reversion_weight * np.eye(params.n_inhibitory)
    # Eq. 41: minus the sine of the rhythm, as interneurons tell it, times that of each phase.
    cosine, sine = -params.reversion_gain * jump * arrays["phi_reversion"].T
    phase_sine = np.sin(arrays["phase"])
    values = {
        "reversion.v_start": arrays["reversion_start"],
        "reversion.bias": params.bias_reversion,
        "reversion.released": params.bias_reversion_released,
        "to_reversion.w": np.diag(input_weights),
        "from_reversion.w": np.outer(sine, phase_sine),
        "from_reversion.quarter": np.outer(cosine, phase_sine),
        **turned_by(0.0),
    }
    layers = {
        "to_reversion.w": Layer("inhibitory", "reversion", input_weights, "feedforward"),
        "from_reversion.w": Layer(
            "reversion", "excitatory", np.outer(sine, phase_sine), "feedforward"
        ),
    }
    return Binding({**septal_binding.values, **values}, {**septal_binding.layers, **layers})


def turned_by(offset: float) -> dict[str, float]:
    """Values that turn the reversion current by `offset` rad from the phase that reverses."""
    return {"from_reversion.cosine": np.cos(offset), "from_reversion.sine": np.sin(offset)}
