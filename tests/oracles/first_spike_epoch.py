"""An epoch of `training.Training` with whole arrays: the readable form of `epoch.cpp`.

It uses nothing but `forward` and `backward` of the layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.training.first_spike import compiled
from whyspiking.training.first_spike.epoch_state import (
    Settings,
    Statistics,
)
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.layer import LayerOutput


def run(
    training: Any,
    inputs: Inputs,
    targets: NDArray[np.int32],
    order: NDArray[np.int64],
    rate: float,
    pulse_rate: float,
) -> Statistics:
    """See `training.Training.epoch`, which checks the arguments."""
    own = training.settings
    training.weights, training.pulses = list(training.weights), list(training.pulses)
    training.weight_moments = tuple(map(list, training.weight_moments))
    training.pulse_moments = tuple(map(list, training.pulse_moments))
    sums = np.zeros(2 + len(training.weights))
    n_bumped, firsts = 0, range(0, len(order), own.batch)
    for first in firsts:
        chosen = order[first : first + own.batch]
        given = inputs.times[chosen], targets[chosen], rate, pulse_rate
        measured, bumped = _batch(training, *given)
        sums += len(chosen) * measured
        n_bumped += bumped
    loss, accuracy, *silent = (float(x) for x in sums / len(order))
    return Statistics(loss, accuracy, tuple(silent), n_bumped / len(firsts))


def _batch(
    state: Any, times: NDArray, targets: NDArray, rate: float, pulse_rate: float
) -> tuple[NDArray, bool]:
    """One batch: loss, accuracy and silent shares by layer, and whether there was a bump."""
    own = state.settings
    received: list[NDArray] = []
    spikes: list[LayerOutput] = []
    onward = times
    for layer, weights in enumerate(state.weights):
        pulses = np.broadcast_to(state.pulses[layer], (len(times), len(state.pulses[layer])))
        received.append(np.hstack([onward, pulses]))
        spikes.append(compiled.forward(received[layer], weights, own.threshold, own.tau_ratio))
        onward = spikes[layer].times
    output = spikes[-1]
    rows = np.arange(len(targets))
    decided = output.times.argmin(axis=1)
    right = (decided == targets) & np.isfinite(output.times[rows, decided])
    value, by_output = loss(output.times, targets, own)
    learning = ~right if own.wrong_only else np.ones_like(right)
    shares = [float(np.isinf(layer.times).mean()) for layer in spikes]
    layer = _offending(state, shares)
    if learning.any() and (layer is None or own.bump_rule == "soft"):
        _learn(state, received, spikes, by_output, learning, rate, pulse_rate)
    if layer is not None:
        silent = np.isinf(spikes[layer].times).any(axis=0)
        lift = np.where(silent, state.bump_amount, 0)
        state.weights[layer] = (state.weights[layer] + lift).astype(times.dtype)
    return np.array([value, right.mean(), *shares]), layer is not None


def _offending(state: Any, shares: list[float]) -> int | None:
    own = state.settings
    if own.bump_rule == "none":
        return None
    pairs = enumerate(zip(shares, own.tolerated, strict=True))
    over = [
        layer for layer, (share, tolerated) in pairs if share > tolerated and layer >= own.frozen
    ]
    found = over[0] if over else -1
    repeated = found >= 0 and found == state.bump_layer
    state.bump_amount = 2 * state.bump_amount if repeated else own.bump
    state.bump_layer = found
    return found if over else None


def _learn(
    state: Any,
    received: list[NDArray],
    spikes: list[LayerOutput],
    by_output: NDArray,
    learning: NDArray[np.bool_],
    rate: float,
    pulse_rate: float,
) -> None:
    own = state.settings
    limits = {"min_slope": own.min_slope, "max_dw": own.max_dw}
    by_time = np.where(learning[:, None], by_output, 0)
    gradients: list[NDArray] = []
    pulse_gradients: list[NDArray] = []
    for layer in reversed(range(len(spikes))):
        by_weight, by_input = compiled.backward(
            received[layer],
            state.weights[layer],
            spikes[layer],
            by_time,
            own.tau_ratio,
            **limits,
        )
        silent = np.isinf(spikes[layer].times) & learning[:, None]
        gradients.append(by_weight - own.silent_penalty * silent.sum(axis=0) / len(learning))
        n_inputs = len(state.weights[layer]) - len(state.pulses[layer])
        pulse_gradients.append(by_input[:, n_inputs:].sum(axis=0))
        by_time = by_input[:, :n_inputs]
    state.steps += 1
    _adam(state, state.weights, state.weight_moments, gradients[::-1], rate)
    if pulse_rate:
        _adam(state, state.pulses, state.pulse_moments, pulse_gradients[::-1], pulse_rate)
        state.pulses = [np.maximum(pulses, 0) for pulses in state.pulses]


def _adam(
    state: Any,
    arrays: list[NDArray],
    moments: list[list[NDArray]],
    gradients: list[NDArray],
    rate: float,
) -> None:
    own, (beta1, beta2) = state.settings, state.settings.betas
    for layer, gradient in enumerate(gradients):
        if layer < own.frozen:
            continue
        kind = arrays[layer].dtype
        m = beta1 * moments[0][layer] + (1 - beta1) * gradient
        v = beta2 * moments[1][layer] + (1 - beta2) * gradient**2
        moments[0][layer], moments[1][layer] = m.astype(kind), v.astype(kind)
        scaled = np.sqrt(v / (1 - beta2**state.steps) + own.epsilon_root) + own.epsilon
        step = rate * m / (1 - beta1**state.steps) / scaled
        arrays[layer] = (arrays[layer] - step).astype(kind)


def loss(times: NDArray, targets: NDArray, settings: Settings) -> tuple[float, NDArray]:
    """Mean loss of a batch and its derivatives by the output times, with the 1/batch of the mean.

    Args:
        times: Output times in units of tau_s, inf where silent; (sample, class).
        targets: True classes, (sample,).
        settings: See `epoch_state.Settings`.

    Returns:
        Loss, and derivatives (sample, class), 0 for silent neurons.
    """
    rows, scale = np.arange(len(times)), settings.temperature
    true = times[rows, targets]
    fired = np.isfinite(true)
    earliest = times.min(axis=1)
    heard = np.isfinite(earliest)
    late = np.where(fired, true, 0)
    powers = np.exp(np.where(heard, earliest, 0)[:, None] / scale - times / scale)
    total = np.where(heard, powers.sum(axis=1), 1)
    softmax = powers / total[:, None]
    gradient = -softmax / scale
    gradient[rows, targets] += np.where(fired, 1 / scale, 0)
    if settings.loss == "comsa":
        value = -np.log(softmax[rows, targets] + 1e-8)
    else:
        push = settings.push * np.exp(late / settings.push_scale)
        value = np.log(total) + (late - np.where(heard, earliest, 0)) / scale + push
        value = np.where(fired, value, settings.silent_loss)
        gradient[rows, targets] += push / settings.push_scale
        gradient[~fired] = 0
    return float(value.mean()), gradient / len(times)
