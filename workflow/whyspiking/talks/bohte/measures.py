"""What is measured beyond the score: operations of controls, the papers' estimate of energy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Condition, Network, Params, Recording, Task
from whyspiking.measures import scoring
from whyspiking.talks.bohte import simulation
from whyspiking.talks.bohte import task as tasks

LSTM_GATES, LSTM_UPDATE = 4, 17
"""Gates of an LSTM, and its further multiplications per unit and step."""
ALIF_UPDATE = 2
"""Multiply-accumulates of an adaptive neuron per step: membrane and adaptation."""


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """The estimate of energy (README, section 7), and the published score of unlabelled steps.

    Nothing of trials that have one class.
    """
    if condition.perturbation != "none" or task.targets.ndim == 1:
        return {}
    found = {"energy_ratio_published": published_ratio(params, recording, task)}
    if params.experiment == tasks.ORIGINAL:
        told = simulation.outputs(params, recording)
        found["accuracy_padded"] = padded_accuracy(params, told, task)
    return found


def control_counts(params: Params, network: Network, test: Task) -> dict[str, float]:
    """Operations of a control per record, names as in the glossary; silent inputs cost nothing.

    Args:
        params: Sizes.
        network: A control: its arrays `w_*` are weights, those that begin at the input `w_in_0` (or
            the only one, `w_out`).
        test: The records whose input events are counted.
    """
    weights = {k: np.asarray(v) for k, v in network.arrays.items() if k.startswith("w_")}
    first = "w_in_0" if "w_in_0" in weights else "w_out"
    n_steps = params.n_steps
    events = tasks.raster(params, test).sum(axis=(1, 2)).mean()
    size = sum(w.size for w in weights.values())
    outputs = sum(w.shape[1] for k, w in weights.items() if not k.startswith("w_rec"))
    return {
        "macs_effective": float(
            events * weights[first].shape[1] + n_steps * (size - weights[first].size)
        ),
        "macs_dense": float(n_steps * size),
        "neuron_updates": float(n_steps * outputs),
        "synapses": float(sum(np.count_nonzero(w) for w in weights.values())),
        "footprint": 4.0 * sum(np.size(v) for v in network.arrays.values()),
    }


def padded_accuracy(params: Params, outputs: NDArray, task: Task) -> float:
    """Accuracy with unlabelled steps counted as the first class, as in the published code."""
    return scoring.accuracy(tasks.outcome(params, outputs, task, padded=True))


def formula_ratio(
    sizes: tuple[int, int, int], input_rate: float, rate: float, prices: Mapping[str, float]
) -> float:
    """Energy of an LSTM over that of adaptive neurons, per step (README, Eqs. 14 and 15).

    Args:
        sizes: Input channels, hidden units, classes.
        input_rate: Events per input channel and step.
        rate: Spikes per neuron and step.
        prices: Energy of a multiply-accumulate "mac" and of an addition "add".
    """
    m, n, k = sizes
    lstm = LSTM_GATES * (m * n + n * n) + LSTM_UPDATE * n + n * k
    additions = m * n * input_rate + n * n * rate + n * k * rate
    updates = ALIF_UPDATE * n + k
    return prices["mac"] * lstm / (prices["add"] * additions + prices["mac"] * updates)


def prices(params: Params) -> dict[str, float]:
    """The papers' prices in pJ."""
    return {"mac": float(params.formula_mac), "add": float(params.formula_add)}


def rates_of(params: Params, recording: Recording, test: Task) -> tuple[float, float]:
    """Events per input channel and step, spikes per neuron and step."""
    n_steps = params.n_steps

    def mean_rate(trains: list) -> float:
        slots = sum(spikes.n_trials * spikes.n_units for spikes in trains) * n_steps
        return sum(len(spikes) for spikes in trains) / slots

    layers = [recording.spikes[simulation.hidden(k)] for k in range(len(params.n_hidden))]
    return mean_rate([test.stimulus.spikes["input"]]), mean_rate(layers)


def published_ratio(params: Params, recording: Recording, test: Task) -> float:
    """`formula_ratio` at the measured rates; for networks of one hidden layer."""
    (n_hidden,) = params.n_hidden
    sizes = (params.n_input, n_hidden, params.n_output)
    return formula_ratio(sizes, *rates_of(params, recording, test), prices(params))
