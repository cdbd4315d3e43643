"""The network in closed form: forward pass and decisions (README, Eqs. 1 and 2).

A neuron receives spikes at times t_i with weights w_i, pulses among them, and fires once, when

    V(t) = sum over t_i <= t of w_i (t - t_i) e^{-K (t - t_i)}

first reaches theta (Eq. 2). With A and B, the sums of w_i e^{K t_i} and w_i t_i e^{K t_i} over the
inputs before the spike, this is V(t) = e^{-K t} (A t - B), and the time of the spike is

    t = B/A - W(-(K theta / A) e^{K B/A}) / K

with the main branch W of Lambert's function. `first_spike.compiled` computes it, layer by layer.
Brian2 integrates the same neuron as dV/dt = x - K V, dx/dt = -K x, x += w_i at t_i
(`training.first_spike.brian_network.NEURON`, which has x in units of K).

Times outside this module are in the paper's time units; inside a layer they are dimensionless,
s = K t, and the threshold becomes c = K theta.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params, Task, Trials
from whyspiking.training.first_spike import compiled, encoding

Arrays = Mapping[str, NDArray]
"""w_hidden (input + pulse, hidden), w_output (hidden + pulse, output), and the pulse times
input_pulses, hidden_pulses (pulse,) in time units."""

NAMES = ("w_hidden", "w_output", "input_pulses", "hidden_pulses")
PULSES = ("input_pulses", "hidden_pulses")
EARLY_UNTIL, LATE_FROM = 3.0, 10.0
"""Ends of the gap between early and late mean decisions, in time units. The networks that the
authors released decide at 1.6 and 14.3."""
ENGINE_CHUNK = 5000
"""Samples per call of the engine outside training."""

# A pulse in Brian2: a neuron that fires when the trial is as old as `at`.
PULSE = """
dage/dt = 1 : second
at : second
fired : 1
lag : 1
"""
PULSE_DUE = "fired == 0 and age >= at"
PULSE_FIRES = "fired = 1\nlag = (age - at) / ms"


def threshold(params: Params) -> float:
    """Compute c = K theta, the threshold in dimensionless time."""
    return params.theta * params.decay_rate


def tau_ms(params: Params) -> float:
    """Time constant 1/K in ms."""
    return params.unit_ms / params.decay_rate


def with_pulses(times: NDArray, pulses: NDArray) -> NDArray:
    """Append spikes that come at the same time in every sample, (sample, channel + pulse)."""
    pulses = np.asarray(pulses, times.dtype)
    return np.hstack([times, np.broadcast_to(pulses, (len(times), pulses.size))])


def first_spikes(params: Params, arrays: Arrays, times: NDArray) -> tuple[NDArray, NDArray]:
    """Compute the first spikes of hidden and output layer in time units.

    Args:
        params: Neuron parameters.
        arrays: Weights and pulse times.
        times: Input times in time units, inf where silent; (sample, input). Their precision is
            that of the computation.
    """
    rate = params.decay_rate

    def fire_layer(scaled: NDArray, pulses: str, weights: str) -> NDArray:
        inputs = with_pulses(scaled, arrays[pulses] * rate)
        w = arrays[weights].astype(times.dtype, copy=False)
        return compiled.forward(inputs, w, threshold(params), 1).times

    batches = []
    for start in range(0, max(len(times), 1), ENGINE_CHUNK):
        scaled = times[start : start + ENGINE_CHUNK] * times.dtype.type(rate)
        hidden = fire_layer(scaled, "input_pulses", "w_hidden")
        batches.append((hidden, fire_layer(hidden, "hidden_pulses", "w_output")))
    hidden, output = (
        np.concatenate(layer_batches) / rate for layer_batches in zip(*batches, strict=True)
    )
    return hidden, output


def evaluate(params: Params, arrays: Arrays, task: Task) -> Trials:
    """First output spike decides; ties go to the lower class, silence is no decision."""
    output = first_spikes(params, arrays, times_of(params, task))[1]
    return encoding.decide(output, task, params.unit_ms)


def times_of(params: Params, task: Task) -> NDArray[np.float64]:
    """Return the input times of a task in time units, (trial, input)."""
    return task.stimulus.spikes["input"].first_ms() / params.unit_ms


def within_trial(params: Params, first_times: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Convert first spikes by population from time units to ms; inf after the end of the trial."""
    scaled = {name: times * params.unit_ms for name, times in first_times.items()}
    return {k: np.where(times <= params.trial_ms, times, np.inf) for k, times in scaled.items()}


def mean_decision(decision_ms: NDArray) -> float:
    """Mean over decided trials of first output spikes, (trial,); nan where no trial is decided."""
    decided = decision_ms[np.isfinite(decision_ms)]
    return float(decided.mean()) if decided.size else float("nan")


def measure_distance(decision: float) -> float:
    """Distance of a mean decision time from the gap between early and late, negative in the gap.

    Args:
        decision: In time units; nan if no image was decided, which counts as the middle of the gap.
    """
    if np.isnan(decision):
        decision = (EARLY_UNTIL + LATE_FROM) / 2
    return float(max(EARLY_UNTIL - decision, decision - LATE_FROM))


def hidden_before_decision(hidden_ms: NDArray, decision_ms: NDArray) -> float:
    """Share of hidden neurons that have fired by the decision, mean over decided trials.

    Args:
        hidden_ms: First spikes, inf where silent; (trial, neuron).
        decision_ms: First output spikes, inf where none; (trial,).

    Returns:
        The share; nan where no trial is decided.
    """
    is_decided = np.isfinite(decision_ms)
    if not is_decided.any():
        return float("nan")
    return float((hidden_ms[is_decided] <= decision_ms[is_decided, None]).mean())
