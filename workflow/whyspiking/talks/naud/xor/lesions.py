"""Lesions of the XOR network: what a variant takes away, as values of a run.

A new one is an entry in `lesion` and a variant in talk.yaml. The compiled engine takes the values
of neurons that `ensembles.FIXED` names, and weights; it refuses others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.errors import UserError
from whyspiking.talks.naud.xor import model, wiring


def lesion(values: Mapping[str, Any], variant: str, params: Params) -> dict[str, Any]:
    """The same values under one of the talk's lesions.

    Args:
        values: Of an intact network, wiring included.
        variant: `spiking` and `random_order` (no lesion), `no_feedback`, `no_hidden_plasticity`,
            `no_bursts`, `no_floor`.
        params: Parameters of the experiment.

    Raises:
        UserError: If the variant is not known.
    """
    hidden = wiring.per_neuron(params, np.isin(np.arange(len(model.POPULATIONS)), model.HIDDEN))
    nothing = np.zeros(hidden.size)
    changes: dict[str, dict[str, Any]] = {
        "spiking": {},
        "random_order": {},
        "no_feedback": {
            key: np.zeros_like(values[key]) for key in ("feedback_exc.w", "feedback_inh.w")
        },
        "no_hidden_plasticity": {"neurons.eta": values["neurons.eta"] * (1 - hidden)},
        "no_bursts": {"neurons.burst_blind": nothing},
        "no_floor": {"neurons.lift": nothing},
    }
    if variant not in changes:
        raise UserError(
            f"Variant '{variant}' of talk 'naud', experiment 'xor', is not known. Correct its name "
            "in talk.yaml."
        )
    return {**values, **changes[variant]}


def placed(params: Params, variant: str, arrays: Mapping[str, NDArray]) -> dict[str, Any]:
    """Values of a run: neurons, wiring, weights, and the lesion of the variant."""
    values: dict[str, Any] = wiring.neuron_values(params)
    for name in wiring.SYNAPSES:
        values |= {f"{name}.{key}": arrays[f"{name}.{key}"] for key in ("i", "j", "w")}
    return lesion(values, variant, params)
