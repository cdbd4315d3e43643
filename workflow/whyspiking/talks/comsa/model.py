"""The network in closed form: forward pass and decisions (README, Eqs. 1 and 2).

Times outside this module are in the paper's time units; inside a layer they are dimensionless,
s = K t, and the threshold becomes c = K theta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params, Task, Trials
from whyspiking.training.first_spike import LayerOutput, compiled

Arrays = Mapping[str, NDArray]
"""w_hidden (input + pulse, hidden), w_output (hidden + pulse, output), and the pulse times
input_pulses, hidden_pulses (pulse,) in time units."""

NAMES = ("w_hidden", "w_output", "input_pulses", "hidden_pulses")
PULSES = ("input_pulses", "hidden_pulses")
ENGINE_CHUNK = 5000
"""Samples per call of the engine outside training."""


@dataclass(frozen=True)
class Pass:
    """Spikes of one batch in dimensionless time, layer by layer.

    Attributes:
        inputs: Arrivals at the hidden layer: pixels and input pulses, (sample, input + pulse).
        hidden: First spikes of the hidden layer.
        onward: Arrivals at the output layer: hidden spikes and the hidden layer's pulses.
        output: First spikes of the output layer.
    """

    inputs: NDArray
    hidden: LayerOutput
    onward: NDArray
    output: LayerOutput


def threshold(params: Params) -> float:
    """C = K theta, the threshold in dimensionless time."""
    return params.theta * params.decay_rate


def tau_ms(params: Params) -> float:
    """Time constant 1/K in ms."""
    return params.unit_ms / params.decay_rate


def with_pulses(times: NDArray, pulses: NDArray) -> NDArray:
    """Append spikes that come at the same time in every sample, (sample, channel + pulse)."""
    pulses = np.asarray(pulses, times.dtype)
    return np.hstack([times, np.broadcast_to(pulses, (len(times), pulses.size))])


def layers(scaled: NDArray, arrays: Arrays, *, c: float, decay_rate: float) -> Pass:
    """First spikes of both layers.

    Args:
        scaled: Pixel times in dimensionless time, inf where silent; (sample, pixel).
        arrays: Weights and pulse times.
        c: Threshold in dimensionless time.
        decay_rate: K per time unit, for the pulses.
    """
    kind = scaled.dtype
    inputs = with_pulses(scaled, arrays["input_pulses"] * decay_rate)
    hidden = compiled.forward(inputs, arrays["w_hidden"].astype(kind, copy=False), c, 1)
    onward = with_pulses(hidden.times, arrays["hidden_pulses"] * decay_rate)
    output = compiled.forward(onward, arrays["w_output"].astype(kind, copy=False), c, 1)
    return Pass(inputs, hidden, onward, output)


def first_spikes(params: Params, arrays: Arrays, times: NDArray) -> tuple[NDArray, NDArray]:
    """First spikes of hidden and output layer in time units.

    Args:
        params: Neuron parameters.
        arrays: Weights and pulse times.
        times: Pixel times in time units, inf where silent; (sample, pixel). Their precision is
            that of the computation.
    """
    found: list[Pass] = []
    for first in range(0, max(len(times), 1), ENGINE_CHUNK):
        part = times[first : first + ENGINE_CHUNK] * times.dtype.type(params.decay_rate)
        found.append(layers(part, arrays, c=threshold(params), decay_rate=params.decay_rate))
    hidden = np.concatenate([spikes.hidden.times for spikes in found]) / params.decay_rate
    output = np.concatenate([spikes.output.times for spikes in found]) / params.decay_rate
    return hidden, output


def evaluate(params: Params, arrays: Arrays, task: Task) -> Trials:
    """First output spike decides; ties go to the lower class, silence is no decision."""
    return decide(first_spikes(params, arrays, times_of(params, task))[1], task, params)


def times_of(params: Params, task: Task) -> NDArray[np.float64]:
    """Pixel times of a task in time units, (trial, pixel)."""
    return task.stimulus.spikes["input"].first_ms() / params.unit_ms


def decide(output_times: NDArray, task: Task, params: Params) -> Trials:
    """Decisions from output spike times in time units, (trial, class)."""
    first = output_times.min(axis=1)
    choices = np.where(np.isfinite(first), output_times.argmin(axis=1), -1)
    return Trials(
        targets=np.asarray(task.targets, np.int64),
        choices=choices.astype(np.int64),
        decision_ms=np.asarray(first, float) * params.unit_ms,
        n_classes=task.n_classes,
    )


def within_trial(params: Params, found: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """First spikes by population, from time units to ms; inf after the end of the trial."""
    scaled = {name: times * params.unit_ms for name, times in found.items()}
    return {k: np.where(times <= params.trial_ms, times, np.inf) for k, times in scaled.items()}


def hidden_before_decision(hidden_ms: NDArray, decision_ms: NDArray) -> float:
    """Share of hidden neurons that have fired by the decision, mean over decided trials.

    Args:
        hidden_ms: First spikes, inf where silent; (trial, neuron).
        decision_ms: First output spikes, inf where none; (trial,).

    Returns:
        The share; nan where no trial is decided.
    """
    decided = np.isfinite(decision_ms)
    if not decided.any():
        return float("nan")
    return float((hidden_ms[decided] <= decision_ms[decided, None]).mean())
