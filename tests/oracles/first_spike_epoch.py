"""An epoch of `training.Training` with whole arrays: the readable form of `epoch.cpp`.

It uses nothing but `forward` and `backward` of the layers' engine, so it also runs in JAX. From a
seed it draws other noise than `epoch.cpp`.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from whyspiking.training.first_spike import compiled
from whyspiking.training.first_spike.epoch_state import (
    Diverged,
    Settings,
    Statistics,
    TrainingState,
    broken,
)
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.layer import LayerOutput


def run(
    training: TrainingState,
    inputs: Inputs,
    targets: NDArray[np.int32],
    order: NDArray[np.int64],
    rate: float,
    pulse_rate: float,
    noise_seed: int,
    engine: ModuleType = compiled,
) -> Statistics:
    """See `training.Training.epoch`, which checks the arguments."""
    own, rng = training.settings, np.random.default_rng(noise_seed)
    state = _State(training, engine)
    sums = np.zeros(2 + len(training.weights))
    n_bumped = 0
    firsts = range(0, len(order), own.batch)
    for first in firsts:
        chosen = order[first : first + own.batch]
        times = inputs.times[chosen]
        if own.noise_sd:
            drawn = rng.standard_normal(times.shape, np.float32)
            times = np.abs(times + own.noise_sd * drawn).astype(times.dtype)
        measured, bumped = state.batch(times, targets[chosen], rate, pulse_rate)
        sums += len(chosen) * measured
        n_bumped += bumped
        if names := broken(state.weights, state.pulses):
            raise Diverged(state.steps, first // own.batch, names)
    state.write(training)
    loss, accuracy, *silent = (float(x) for x in sums / len(order))
    return Statistics(loss, accuracy, tuple(silent), n_bumped / len(firsts))


class _State:
    """Copies of what an epoch changes, so that a failed one leaves no trace."""

    def __init__(self, training: TrainingState, engine: ModuleType) -> None:
        self.settings, self.engine = training.settings, engine
        self.weights, self.pulses = list(training.weights), list(training.pulses)
        self.weight_moments = [list(arrays) for arrays in training.weight_moments]
        self.pulse_moments = [list(arrays) for arrays in training.pulse_moments]
        self.steps = training.steps
        self.bump_layer, self.bump_amount = training.bump_layer, training.bump_amount

    def write(self, training: TrainingState) -> None:
        training.weights, training.pulses = tuple(self.weights), tuple(self.pulses)
        (m, v), (pm, pv) = self.weight_moments, self.pulse_moments
        training.weight_moments = (tuple(m), tuple(v))
        training.pulse_moments = (tuple(pm), tuple(pv))
        training.steps = self.steps
        training.bump_layer, training.bump_amount = self.bump_layer, self.bump_amount

    def batch(
        self, times: NDArray, targets: NDArray, rate: float, pulse_rate: float
    ) -> tuple[NDArray, bool]:
        """One batch: loss, accuracy and silent shares by layer, and whether there was a bump."""
        own = self.settings
        received: list[NDArray] = []
        spikes: list[LayerOutput] = []
        onward = times
        for layer, weights in enumerate(self.weights):
            received.append(np.hstack([onward, self._every_sample(layer, len(times))]))
            spikes.append(
                self.engine.forward(received[layer], weights, own.threshold, own.tau_ratio)
            )
            onward = spikes[layer].times
        output = spikes[-1]
        rows = np.arange(len(targets))
        decided = output.times.argmin(axis=1)
        right = (decided == targets) & np.isfinite(output.times[rows, decided])
        value, by_output = loss(output.times, targets, own)
        learning = ~right if own.wrong_only else np.ones_like(right)
        shares = [float(np.isinf(layer.times).mean()) for layer in spikes]
        layer = self._offending(shares)
        if learning.any() and (layer is None or own.bump_rule == "soft"):
            self._learn(received, spikes, by_output, learning, rate, pulse_rate)
        if layer is not None:
            silent = np.isinf(spikes[layer].times).any(axis=0)
            lift = np.where(silent, self.bump_amount, 0)
            self.weights[layer] = (self.weights[layer] + lift).astype(times.dtype)
        return np.array([value, right.mean(), *shares]), layer is not None

    def _every_sample(self, layer: int, n_samples: int) -> NDArray:
        pulses = self.pulses[layer]
        return np.broadcast_to(pulses, (n_samples, len(pulses)))

    def _offending(self, shares: list[float]) -> int | None:
        own = self.settings
        if own.bump_rule == "none":
            return None
        pairs = enumerate(zip(shares, own.tolerated, strict=True))
        over = [
            layer
            for layer, (share, tolerated) in pairs
            if share > tolerated and layer >= own.frozen
        ]
        found = over[0] if over else -1
        repeated = found >= 0 and found == self.bump_layer
        self.bump_amount = 2 * self.bump_amount if repeated else own.bump
        self.bump_layer = found
        return found if over else None

    def _learn(
        self,
        received: list[NDArray],
        spikes: list[LayerOutput],
        by_output: NDArray,
        learning: NDArray[np.bool_],
        rate: float,
        pulse_rate: float,
    ) -> None:
        own = self.settings
        limits = {"min_slope": own.min_slope, "max_dw": own.max_dw}
        by_time = np.where(learning[:, None], by_output, 0)
        gradients: list[NDArray] = []
        pulse_gradients: list[NDArray] = []
        for layer in reversed(range(len(spikes))):
            by_weight, by_input = self.engine.backward(
                received[layer],
                self.weights[layer],
                spikes[layer],
                by_time,
                own.tau_ratio,
                **limits,
            )
            silent = np.isinf(spikes[layer].times) & learning[:, None]
            gradients.append(by_weight - own.silent_penalty * silent.sum(axis=0) / len(learning))
            n_inputs = len(self.weights[layer]) - len(self.pulses[layer])
            pulse_gradients.append(by_input[:, n_inputs:].sum(axis=0))
            by_time = by_input[:, :n_inputs]
        self.steps += 1
        with np.errstate(over="ignore", invalid="ignore"):  # `run` looks at the result
            self._adam(self.weights, self.weight_moments, gradients[::-1], rate)
            if pulse_rate:
                self._adam(self.pulses, self.pulse_moments, pulse_gradients[::-1], pulse_rate)
        if pulse_rate:
            self.pulses = [np.maximum(pulses, 0) for pulses in self.pulses]

    def _adam(
        self,
        arrays: list[NDArray],
        moments: list[list[NDArray]],
        gradients: list[NDArray],
        rate: float,
    ) -> None:
        own, (beta1, beta2) = self.settings, self.settings.betas
        for layer, gradient in enumerate(gradients):
            if layer < own.frozen:
                continue
            kind = arrays[layer].dtype
            m = beta1 * moments[0][layer] + (1 - beta1) * gradient
            v = beta2 * moments[1][layer] + (1 - beta2) * gradient**2
            moments[0][layer], moments[1][layer] = m.astype(kind), v.astype(kind)
            scaled = np.sqrt(v / (1 - beta2**self.steps) + own.epsilon_root) + own.epsilon
            step = rate * m / (1 - beta1**self.steps) / scaled
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
