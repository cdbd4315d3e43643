"""What is measured beyond the score: operations of controls, the papers' estimate of energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.measures import scoring
from whyspiking.talks.bohte import brian_network, model
from whyspiking.talks.bohte import task as tasks

LSTM_GATES, LSTM_UPDATE = 4, 17
"""Gates of an LSTM, and its further multiplications per unit and step."""
ALIF_UPDATE = 2
"""Multiply-accumulates of an adaptive neuron per step: membrane and adaptation."""


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Estimate the energy (README, section 7), and score unlabelled steps as published."""
    if condition.perturbation != "none":
        return {}
    sizes = [params.n_input, *model.units(params), params.n_output]
    ratio = formula_ratio(sizes, rates_of(params, recording, task), prices(params))
    if task.targets.ndim == 1:
        return {"energy_ratio_published": ratio}
    outputs = brian_network.outputs(params, recording)
    # Unlabelled steps count as the first class, as in the published code.
    padded = as_published(params, outputs, task)
    return {"energy_ratio_published": ratio, "accuracy_padded": padded}


def control_counts(params: ct.Params, network: ct.Network, test: ct.Task) -> dict[str, float]:
    """Count a control's operations per record, names as in the glossary; silent inputs cost 0.

    Args:
        params: Sizes.
        network: A control: its arrays `w_*` are weights, those that begin at the input `w_in_0` (or
            the only one, `w_out`). Inputs of the control of fixed traces are never silent.
        test: The records whose input events are counted.
    """
    weights = {k: np.asarray(v) for k, v in network.arrays.items() if k.startswith("w_")}
    input_weights = "w_in_0" if "w_in_0" in weights else "w_out"
    events = tasks.raster(params, test).sum(axis=(1, 2)).mean()
    size = sum(w.size for w in weights.values())
    outputs = sum(w.shape[1] for k, w in weights.items() if not k.startswith("w_rec"))
    effective = events * weights[input_weights].shape[1] + params.n_steps * (
        size - weights[input_weights].size
    )
    if network.info.get("cell") == "traces":
        effective = params.n_steps * size
        outputs += weights[input_weights].shape[0]
    return {
        "macs_effective": float(effective),
        "macs_dense": float(params.n_steps * size),
        "neuron_updates": float(params.n_steps * outputs),
        "synapses": float(sum(np.count_nonzero(w) for w in weights.values())),
        "footprint": 4.0 * sum(np.size(v) for v in network.arrays.values()),
    }


def as_published(params: ct.Params, outputs: NDArray, task: ct.Task) -> float:
    """Compute the accuracy where unlabelled steps count as the first class (README, 1).

    Args:
        params: Parameters of the experiment.
        outputs: Of the readout, (trial, step, class).
        task: The records.
    """
    return scoring.accuracy(tasks.outcome(params, outputs, task, padded=True))


def formula_ratio(
    sizes: Sequence[int],
    rates: Sequence[float],
    prices: Mapping[str, float],
    *,
    recurrent: Sequence[bool] | None = None,
    multiplied: int | None = None,
) -> float:
    """Energy of an LSTM over that of adaptive neurons, per step (README, Eqs. 14 and 15).

    Args:
        sizes: Input channels, units of every hidden layer, classes.
        rates: Events per input channel and step, spikes per neuron and step of every layer.
        prices: Energy of a multiply-accumulate "mac" and of an addition "add".
        recurrent: Whether each layer is recurrent, all where nothing is said; one that is not has
            no gates in the classical network either.
        multiplied: Multiply-accumulates of input and output per step; one for every class if None.
    """
    *layers, k = sizes
    classical, additions = 0.0, layers[-1] * k * rates[-1]
    updates = float(k if multiplied is None else multiplied)
    for i_layer, (m, n) in enumerate(pairwise(layers)):
        is_gated = recurrent is None or recurrent[i_layer]
        classical += LSTM_GATES * (m * n + n * n) + LSTM_UPDATE * n if is_gated else m * n
        additions += m * n * rates[i_layer] + (n * n * rates[i_layer + 1] if is_gated else 0.0)
        updates += ALIF_UPDATE * n
    classical += layers[-1] * k
    return prices["mac"] * classical / (prices["add"] * additions + prices["mac"] * updates)


def prices(params: ct.Params) -> dict[str, float]:
    """Return the papers' energies per operation in pJ."""
    return {"mac": float(params.formula_mac), "add": float(params.formula_add)}


def rates_of(params: ct.Params, recording: ct.Recording, test: ct.Task) -> list[float]:
    """Compute events per input channel and step, then spikes per neuron and step by layer."""
    layers = [recording.spikes[model.hidden(k)] for k in range(len(model.units(params)))]
    return [
        len(spikes) / (spikes.n_trials * spikes.n_units * params.n_steps)
        for spikes in (test.stimulus.spikes["input"], *layers)
    ]
