"""Reversion interneurons (NC19 Fig. 3) on top of the frozen septal network, as Brian2 runs them.

One reversion interneuron for each inhibitory neuron of `shot`, which inhibits it; all of them act
on the excitatory neurons (Eqs. 40-41 of this talk's README). Nothing acts back on the rhythm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.clopath import shot
from whyspiking.talks.clopath.frozen import SHOT_RESET, bind_shot, shot_model
from whyspiking.talks.clopath.memory import per_spike

EQUATIONS = (
    shot.LEAKY
    + "drive = released*septum(t, 1) : 1\n"
    + "bias : 1 (shared)\nreleased : 1 (shared)\nv_start : 1\n"
)
# Eq. 41; the current's phase is turned by an offset with the given cosine and sine.
WEIGHTS = "w : 1\nquarter : 1\ncosine : 1 (shared)\nsine : 1 (shared)"
REVERSES = "h_post += cosine*w + sine*quarter"


def to_brian(params: Params) -> BrianModel:
    """The septal network of `shot` with reversion interneurons (Eqs. 15-20, 40-41)."""
    septal = shot_model(params)

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        made = list(septal.construct(inputs))
        inhibitory, excitatory = made[:2]
        known = {k: v for k, v in excitatory.namespace.items() if k not in ("bias", "released")}
        reversion = brian2.NeuronGroup(
            params.n_inhibitory,
            EQUATIONS,
            threshold="v >= v_th",
            reset="v = v_reset",
            refractory=params.tau_ref * brian2.ms,
            method="euler",
            namespace=known,
            name="reversion",
        )
        heard = brian2.Synapses(
            inhibitory, reversion, "w : 1", on_pre="h_post += w", name="to_reversion"
        )
        heard.connect(j="i")
        reverses = brian2.Synapses(
            reversion, excitatory, WEIGHTS, on_pre=REVERSES, name="from_reversion"
        )
        reverses.connect()
        return [*made, reversion, heard, reverses]

    return replace(
        septal,
        name="clopath-reversion",
        definition={**septal.definition, "reversion": [EQUATIONS, WEIGHTS, REVERSES]},
        construct=construct,
        reset={**SHOT_RESET, "reversion": SHOT_RESET["excitatory"]},
        record_spikes=(*septal.record_spikes, "reversion"),
    )


def bind(params: Params, network: Network) -> Binding:
    """Septal network, reversion interneurons, and their current at the phase that reverses."""
    arrays, frozen = network.arrays, bind_shot(params, network)
    jump = per_spike(params)
    heard = jump * params.reversion_weight * np.eye(params.n_inhibitory)
    # Eq. 41: minus the sine of the rhythm, as interneurons tell it, times that of each phase.
    cosine, sine = -params.reversion_gain * jump * arrays["phi_reversion"].T
    side = np.sin(arrays["phase"])
    values = {
        "reversion.v_start": arrays["reversion_start"],
        "reversion.bias": params.bias_reversion,
        "reversion.released": params.bias_reversion_released,
        "to_reversion.w": np.diag(heard),
        "from_reversion.w": np.outer(sine, side),
        "from_reversion.quarter": np.outer(cosine, side),
        **turned_by(0.0),
    }
    layers = {
        "to_reversion.w": Layer("inhibitory", "reversion", heard, "feedforward"),
        "from_reversion.w": Layer("reversion", "excitatory", np.outer(sine, side), "feedforward"),
    }
    return Binding({**frozen.values, **values}, {**frozen.layers, **layers})


def turned_by(offset: float) -> dict[str, float]:
    """Values that turn the reversion current by `offset` rad from the phase that reverses."""
    return {"from_reversion.cosine": np.cos(offset), "from_reversion.sine": np.sin(offset)}
