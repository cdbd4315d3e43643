"""Noisy gates: many small networks per gate, read side by side (README, 5).

The input has two channels per gate. Networks are trained all at once and simulated in Brian2 as one
network with blocks on its diagonal. Within a gate they are ordered by validation accuracy, best
first.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.talks.comsa import brian_network, model
from whyspiking.talks.comsa.boolean_task import GATES, N_INPUT, make_task, truth
from whyspiking.talks.comsa.model import NAMES, PULSES
from whyspiking.training.first_spike import encoding

__all__ = [
    "bind", "decode", "evaluate", "make_task", "measures", "reference_first_ms", "to_brian",
    "train",
]  # fmt: skip


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train the networks of all gates; the control is declared in talk.yaml."""
    from whyspiking.talks.comsa import boolean_learning

    return boolean_learning.train(params, streams, progress)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run the networks in closed form."""
    times = first_output_times(params, network.arrays, model.times_of(params, task))
    return decide(params, times, task)


def reference_first_ms(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """First output spikes up to the end of the trial in closed form."""
    times = first_output_times(params, network.arrays, model.times_of(params, task))
    return model.within_trial(params, {"output": times.reshape(len(times), -1)})


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """The first output spike of the XOR network decides; silence is no decision."""
    return decide(params, simulated_times(params, recording.spikes["output"]), task)


def first_output_times(params: ct.Params, arrays: model.Arrays, values: NDArray) -> NDArray:
    """Compute the first output spikes of every network in closed form, float64.

    Args:
        params: Neuron parameters.
        arrays: Of all networks, network first, gate by gate.
        values: Inputs, (trial, 2 x gate).

    Returns:
        Time units, inf where silent; (trial, network, class).
    """
    values, times = np.asarray(values, float), []
    for i_network in range(len(arrays["w_hidden"])):
        gate = i_network // params.n_networks
        network_arrays = {name: arrays[name][i_network] for name in NAMES}
        gate_values = values[:, gate * N_INPUT : (gate + 1) * N_INPUT]
        times.append(model.first_spikes(params, network_arrays, gate_values)[1])
    return np.stack(times, axis=1)


def accuracies(params: ct.Params, times: NDArray, values: NDArray) -> NDArray[np.float64]:
    """Compute the accuracy of every network, (gate, network); silence is wrong.

    Args:
        params: Number of networks per gate.
        times: First output spikes, (trial, network, class).
        values: Inputs, (trial, 2 x gate).
    """
    choices = np.where(np.isfinite(times.min(axis=2)), times.argmin(axis=2), -1)
    gate_accuracies = []
    for i_gate, gate in enumerate(GATES):
        gate_choices = choices[:, i_gate * params.n_networks : (i_gate + 1) * params.n_networks]
        target = truth(gate, values[:, i_gate * N_INPUT : (i_gate + 1) * N_INPUT])
        gate_accuracies.append((gate_choices == target[:, None]).mean(axis=0))
    return np.array(gate_accuracies)


def decide(params: ct.Params, times: NDArray, task: ct.Task) -> ct.Trials:
    """Decide by the XOR network in the middle of the order of validation accuracies."""
    return encoding.decide(times[:, params.n_networks // 2], task, params.unit_ms)


def simulated_times(params: ct.Params, output: Spikes) -> NDArray:
    """First output spikes of a recording in time units, (trial, network, class)."""
    times = output.first_ms() / params.unit_ms
    return times.reshape(len(times), -1, params.n_output)


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Median accuracy over the networks of each gate."""
    times = simulated_times(params, recording.spikes["output"])
    gate_accuracies = accuracies(params, times, np.asarray(task.features))
    return {
        f"accuracy_{gate}": float(np.median(a))
        for gate, a in zip(GATES, gate_accuracies, strict=True)
    }


def to_brian(params: ct.Params) -> BrianModel:
    """Describe all networks side by side."""
    n = len(GATES) * params.n_networks
    return brian_network.network(
        params,
        f"comsa-boolean-{n}",
        n_input=len(GATES) * N_INPUT,
        n_hidden=n * params.n_hidden,
        n_output=n * params.n_output,
        n_pulses=n * params.n_pulses,
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Weights of all networks as blocks on the diagonals of two matrices."""
    w_hidden, w_output = network.arrays["w_hidden"], network.arrays["w_output"]
    # The networks of one gate share its input channels; pulses and hidden neurons belong to one.
    gate_of = np.arange(len(w_hidden)) // params.n_networks
    inputs = np.zeros((len(GATES), N_INPUT, len(w_hidden), params.n_hidden))
    for i_network, gate in enumerate(gate_of):
        inputs[gate, :, i_network] = w_hidden[i_network, :N_INPUT]
    joint_arrays = {
        "w_hidden": np.vstack(
            [inputs.reshape(len(GATES) * N_INPUT, -1), _place_on_diagonal(w_hidden[:, N_INPUT:])]
        ),
        "w_output": np.vstack(
            [
                _place_on_diagonal(w_output[:, : params.n_hidden]),
                _place_on_diagonal(w_output[:, params.n_hidden :]),
            ]
        ),
        **{name: network.arrays[name].ravel() for name in PULSES},
    }
    return brian_network.bind(params, joint_arrays, len(GATES) * N_INPUT)


def _place_on_diagonal(blocks: NDArray) -> NDArray[np.float64]:
    """Place blocks (block, row, column) along the diagonal of a matrix, zero elsewhere."""
    n, rows, columns = blocks.shape
    matrix = np.zeros((n, rows, n, columns))
    matrix[np.arange(n), :, np.arange(n)] = blocks
    return matrix.reshape(n * rows, n * columns)
