"""Learning with the exact derivatives of spike times to weights and pulses (README, 3 and 4).

`run_epoch` is the readable form of one pass over the training set: arrays and moments in, the same
arrays changed. A faster one need only take the same arguments.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking import first_spike
from whyspiking.contract import Network, Params, Progress
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.replications.comsa import model, task
from whyspiking.replications.comsa.model import NAMES, PULSES

log = logging.getLogger(__name__)

LOG_EPSILON = 1e-8
"""Added to the probability of the true class inside the logarithm, as published."""


class Diverged(Exception):
    """A weight or pulse time is no longer a number; the message names the step."""


@dataclass(frozen=True)
class Recipe:
    """What stays the same over a training.

    Attributes:
        c: Threshold in dimensionless time, K theta.
        decay_rate: K per time unit.
        batch: Samples per step; an incomplete last batch is a smaller step.
        penalty: See `model.gradients`.
        min_slope: See `model.gradients`.
        beta1: Decay of Adam's mean.
        beta2: Decay of Adam's mean square.
        epsilon: Added to the mean square inside the root, as in the published program.
        engine: Compiled or JAX layers.
    """

    c: float
    decay_rate: float
    batch: int
    penalty: float
    min_slope: float
    beta1: float
    beta2: float
    epsilon: float
    engine: first_spike.Engine

    @classmethod
    def of(cls, params: Params) -> Recipe:
        """The recipe of an experiment."""
        c = model.threshold(params)
        return cls(
            c=c,
            decay_rate=params.decay_rate,
            batch=params.batch,
            penalty=params.penalty_no_spike,
            min_slope=first_spike.min_slope(params.slope_floor, c, 1),
            beta1=params.adam_beta1,
            beta2=params.adam_beta2,
            epsilon=params.adam_epsilon,
            engine=first_spike.engine(params.engine),
        )


@dataclass
class State:
    """Everything that a training changes, float32.

    Attributes:
        arrays: Weights and pulse times (time units), see `model.Arrays`.
        first: Adam's running means, same names and shapes.
        second: Adam's running mean squares.
        step: Updates done so far.
    """

    arrays: dict[str, NDArray]
    first: dict[str, NDArray]
    second: dict[str, NDArray]
    step: int = 0

    @classmethod
    def start(cls, arrays: dict[str, NDArray]) -> State:
        """Zero moments."""
        empty = {name: np.zeros_like(values) for name, values in arrays.items()}
        return cls(arrays, empty, {name: values.copy() for name, values in empty.items()})

    def update(
        self, gradients: dict[str, NDArray], rates: dict[str, float], recipe: Recipe
    ) -> None:
        """One step of Adam; pulse times stay at or above 0.

        Raises:
            Diverged: If an array is no longer finite.
        """
        self.step += 1
        scale1, scale2 = 1 - recipe.beta1**self.step, 1 - recipe.beta2**self.step
        for name in NAMES:
            values, mean, square = self.arrays[name], self.first[name], self.second[name]
            work = gradients[name].astype(np.float32)
            mean *= recipe.beta1
            mean += (1 - recipe.beta1) * work
            square *= recipe.beta2
            np.multiply(work, work, out=work)
            work *= 1 - recipe.beta2
            square += work
            np.multiply(square, 1 / scale2, out=work)
            work += recipe.epsilon
            np.sqrt(work, out=work)
            np.divide(mean, work, out=work)
            work *= rates[name] / scale1
            values -= work
            if name in PULSES:
                np.maximum(values, 0, out=values)
            if not np.isfinite(values.sum()):
                raise Diverged(f"step {self.step}: '{name}' is no longer finite")


@dataclass(frozen=True)
class Summary:
    """Means over the samples of one epoch."""

    train_loss: float
    train_accuracy: float
    silent_hidden: float
    silent_output: float


def run_epoch(
    state: State,
    inputs: NDArray,
    targets: NDArray,
    order: NDArray,
    rates: dict[str, float],
    recipe: Recipe,
) -> Summary:
    """One pass over the training set.

    Args:
        state: Changed in place.
        inputs: Pixel times in dimensionless time, inf where silent; (sample, pixel), float32.
        targets: True classes, (sample,).
        order: Samples in the order in which they are learned, (sample,).
        rates: Array -> learning rate.
        recipe: Neuron, loss and optimiser.

    Raises:
        Diverged: If an array is no longer finite; it says at which step.
    """
    totals = np.zeros(4)
    for first in range(0, len(order), recipe.batch):
        chosen = order[first : first + recipe.batch]
        spikes = model.layers(
            inputs[chosen], state.arrays, c=recipe.c, decay_rate=recipe.decay_rate,
            engine=recipe.engine,
        )  # fmt: skip
        times = spikes.output.times / recipe.decay_rate
        value, by_output = loss(times, targets[chosen])
        found = model.gradients(
            spikes, state.arrays, by_output, decay_rate=recipe.decay_rate,
            min_slope=recipe.min_slope, penalty=recipe.penalty, engine=recipe.engine,
        )  # fmt: skip
        state.update(found, rates, recipe)
        right = (times.argmin(axis=1) == targets[chosen]) & np.isfinite(times.min(axis=1))
        silent = [np.isinf(layer.times).mean() for layer in (spikes.hidden, spikes.output)]
        totals += len(chosen) * np.array([value, right.mean(), *silent])
    return Summary(*(totals / len(order)).tolist())


def loss(times: NDArray, targets: NDArray) -> tuple[float, NDArray]:
    """Cross-entropy of a softmax over negative spike times (README, Eq. 3).

    Args:
        times: Output times in time units, inf where silent; (sample, class).
        targets: True classes, (sample,).

    Returns:
        Mean loss, and its derivative by the times, (sample, class), with the 1/batch of the mean;
        zero where a neuron is silent.
    """
    rows = np.arange(len(times))
    fired = np.isfinite(times)
    earliest = np.where(fired.any(axis=1), np.where(fired, times, np.inf).min(axis=1), 0.0)
    powers = np.exp(-np.where(fired, times - earliest[:, None], np.inf))
    total = powers.sum(axis=1, keepdims=True)
    shares = np.divide(powers, total, out=np.zeros_like(powers), where=total > 0)
    by_time = -shares
    by_time[rows, targets] += 1
    value = -np.log(shares[rows, targets] + LOG_EPSILON).mean()
    return float(value), np.where(fired, by_time, 0.0) / len(times)


def initial_arrays(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Weights ~ N(mu, sigma^2) with the Glorot sigma, and evenly spaced pulses.

    Args:
        params: Means in units of sigma, for normal inputs and for pulses; first and last pulse.
        streams: Randomness: "init".
    """
    rng = streams.rng("init")
    found: dict[str, NDArray] = {}
    for name, n_in, n_out, mean in (
        ("w_hidden", params.n_input, params.n_hidden, params.hidden_mean),
        ("w_output", params.n_hidden, params.n_output, params.output_mean),
    ):
        sigma = np.sqrt(2 / (n_in + n_out + params.n_pulses))
        means = np.repeat([mean, params.pulse_mean], [n_in, params.n_pulses]) * sigma
        found[name] = rng.normal(means[:, None], sigma, (means.size, n_out)).astype(np.float32)
    for name, ends in zip(PULSES, (params.input_pulses, params.hidden_pulses), strict=True):
        found[name] = np.linspace(ends[0], ends[1], params.n_pulses).astype(np.float32)
    return found


def rates(params: Params, epoch: int, *, fixed_pulses: bool = False) -> dict[str, float]:
    """Learning rates of an epoch: constant as published, or a half cosine down to zero."""
    factor = 1.0
    if params.schedule == "cosine":
        factor = 0.5 * (1 + np.cos(np.pi * epoch / params.epochs))
    pulse = 0.0 if fixed_pulses else params.pulse_rate * factor
    return {name: pulse if name in PULSES else params.weight_rate * factor for name in NAMES}


def deleted(inputs: NDArray, share: float, rng: np.random.Generator) -> NDArray:
    """Input times with a share of the spikes left out, drawn anew at every call.

    Args:
        inputs: Times, inf where silent; (sample, pixel).
        share: Probability that a spike is left out; 0 returns the inputs themselves.
        rng: Source of the draw.
    """
    if not share:
        return inputs
    return np.where(rng.random(inputs.shape, np.float32) < share, np.float32(np.inf), inputs)


def train(params: Params, variant: str, streams: Streams, progress: Progress) -> Network:
    """Train one network and keep the model of best validation accuracy, as published.

    Args:
        params: Parameters of the experiment.
        variant: "fixed_pulses" keeps the pulses where they start.
        streams: Randomness: "split", "init", "shuffle", "noise".
        progress: Called after every epoch.

    Raises:
        UserError: If training diverges before there is a first model.
    """
    features, targets = task.samples(params, "train", streams)
    inputs = task.pixel_times(features, params) * np.float32(params.decay_rate)
    held_out = _held_out(params, streams)
    state, recipe = State.start(initial_arrays(params, streams)), Recipe.of(params)
    shuffle, noise = streams.rng("shuffle"), streams.rng("noise")
    best: dict[str, Any] = {"accuracy": -1.0}
    history: list[dict[str, Any]] = []
    seconds, stopped = [], ""
    for epoch in range(params.epochs):
        began = time.process_time()
        current = rates(params, epoch, fixed_pulses=variant == "fixed_pulses")
        order = shuffle.permutation(len(inputs))
        try:
            shown = deleted(inputs, params.pixel_deletion, noise)
            summary = run_epoch(state, shown, targets, order, current, recipe)
        except Diverged as reason:
            stopped = f"epoch {epoch + 1}, {reason}"
            break
        seconds.append(time.process_time() - began)
        judged = validate(params, state.arrays, *held_out)
        values = {**vars(summary), **judged, "epoch_seconds": seconds[-1]}
        history += [{"epoch": epoch + 1, "metric": k, "value": v} for k, v in values.items()]
        accuracy = judged["validation_accuracy"]
        if accuracy > best["accuracy"]:
            kept = {name: values.copy() for name, values in state.arrays.items()}
            best = {"accuracy": accuracy, "epoch": epoch + 1, "arrays": kept}
        if epoch == params.epochs - 1 or (epoch + 1) % max(1, params.epochs // 50) == 0:
            progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {accuracy:.4f}")
    if "arrays" not in best:
        raise UserError(f"training stopped at {stopped}, before there was a model to keep; lower "
                        "the learning rates")  # fmt: skip
    if stopped:
        log.warning("training stopped at %s; the model of epoch %d is kept", stopped, best["epoch"])
    return Network(
        arrays=best["arrays"],
        info={
            "engine": recipe.engine.NAME,
            "epochs": len(seconds),
            "epoch_seconds": float(np.mean(seconds)),
            "validation_accuracy": best["accuracy"],
            "best_epoch": best["epoch"],
            "stopped": stopped,
        },
        history=history,
    )


def validate(
    params: Params, arrays: model.Arrays, times: NDArray, targets: NDArray
) -> dict[str, float]:
    """Accuracy and regime on the validation set.

    Args:
        params: Parameters of the experiment.
        arrays: Weights and pulse times.
        times: Pixel times in time units, (sample, pixel).
        targets: True classes, (sample,).
    """
    hidden, output = model.first_spikes(params, arrays, times)
    first = output.min(axis=1)
    decided = np.isfinite(first)
    right = decided & (output.argmin(axis=1) == targets)
    return {
        "validation_accuracy": float(right.mean()),
        "validation_decision_ms": float(first[decided].mean() * params.unit_ms)
        if decided.any()
        else float("nan"),
        "validation_hidden_before": model.hidden_before_decision(hidden, first),
    }


def _held_out(params: Params, streams: Streams) -> tuple[NDArray, NDArray]:
    features, targets = task.samples(params, "validation", streams)
    return task.pixel_times(features, params), targets
