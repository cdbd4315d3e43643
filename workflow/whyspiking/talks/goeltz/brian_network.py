"""The network in Brian2: the description of its structure, and where trained numbers go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.talks.goeltz import model
from whyspiking.talks.goeltz.model import Weights
from whyspiking.training.first_spike import brian_network


def to_brian(params: ct.Params) -> BrianModel:
    """Describe the structure, one for all experiments of equal size; runs supply the numbers."""
    n_input = params.n_input + len(params.bias_times)
    return brian_network.network(
        f"goeltz-{n_input}-{params.n_hidden}-{params.n_output}",
        n_input=n_input,
        n_hidden=params.n_hidden,
        n_output=params.n_output,
        direct=bool(params.bias_times),
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
    )


def values(params: ct.Params, weights: Weights) -> dict[str, NDArray | float]:
    """Return weights and ideal neurons as values of the Brian2 model, in base units.

    Args:
        params: Parameters of the experiment.
        weights: w_hidden (input + bias, hidden) and w_output (hidden + bias, output).
    """
    w_hidden, w_output = (np.asarray(w, float) for w in weights)
    # The bias spikes feed both layers; the other inputs have no synapses onto the output.
    no_synapses = np.zeros((params.n_input, params.n_output))
    return brian_network.values(
        w_hidden,
        w_output[: params.n_hidden],
        np.vstack([no_synapses, w_output[params.n_hidden :]]) if params.bias_times else None,
        threshold=model.threshold(params),
        tau_m_ms=params.tau_ratio * params.tau_s_ms,
        tau_s_ms=params.tau_s_ms,
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the Brian2 model, and name its layers for counting."""
    return brian_network.bind(values(params, model.weights_of(network)))
