"""Learning with the exact derivatives of spike times to weights and pulses (README, 3 and 4).

The steps themselves are those of `first_spike.training`, in dimensionless time s = K t.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress
from whyspiking.errors import UserError
from whyspiking.talks.comsa import model, task
from whyspiking.talks.comsa.model import NAMES, PULSES
from whyspiking.training import first_spike
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.first_spike import compiled
from whyspiking.training.first_spike.epoch_state import Diverged, Settings
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.training import Training
from whyspiking.training.history import History


def settings(params: Params) -> Settings:
    """Loss, neuron and optimiser of an experiment (README, Eqs. 3 to 6)."""
    c = model.threshold(params)
    return Settings(
        loss="comsa",
        batch=params.batch,
        threshold=c,
        # Temperature 1 in time units.
        temperature=params.decay_rate,
        min_slope=first_spike.min_slope(params.slope_floor, c, 1),
        silent_penalty=params.penalty_no_spike,
        betas=(params.adam_beta1, params.adam_beta2),
        epsilon=0.0,
        epsilon_root=params.adam_epsilon,
    )


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


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one network from `initial_arrays`: `train_from`."""
    return train_from(initial_arrays(params, streams), params, variant, streams, progress)


def train_from(
    start: model.Arrays, params: Params, variant: str, streams: Streams, progress: Progress
) -> Network:
    """Train a network and keep the model of best validation accuracy, as published.

    The variant "fixed_pulses" keeps the pulses where they start. Randomness: "split", "init",
    "shuffle", "noise".

    Raises:
        UserError: If a number is not finite; names epoch and step.
    """
    features, targets = task.samples(params, "train", streams)
    scale = np.float32(params.decay_rate)
    inputs = Inputs(task.input_times(features, params) * scale)
    held_features, held_classes = task.samples(params, "validation", streams)
    held_times = task.input_times(held_features, params)
    training = Training(
        settings(params),
        (start["w_hidden"], start["w_output"]),
        (start["input_pulses"] * scale, start["hidden_pulses"] * scale),
    )
    shuffle, noise = streams.rng("shuffle"), streams.rng("noise")
    best: dict[str, Any] = {"accuracy": -1.0}
    history = History()
    kept = Checkpoint(training, shuffle, noise, history)
    epochs, best = kept.resume(range(params.epochs), best, progress)
    for epoch in epochs:
        kept.keep(epoch, best)
        began = time.process_time()
        rate = rates(params, epoch, fixed_pulses=variant == "fixed_pulses")
        share = params.pixel_deletion
        shown = inputs.without(share, noise) if share else inputs
        order = shuffle.permutation(len(targets))
        try:
            found = training.epoch(
                shown, targets, order, rate["w_hidden"], rate["input_pulses"] * params.decay_rate
            )
        except Diverged as reason:
            raise UserError(f"epoch {epoch + 1}: {reason}") from reason
        seconds = time.process_time() - began
        arrays: dict[str, NDArray] = dict(
            zip(NAMES, (*training.weights, *training.pulses), strict=True)
        )
        arrays |= {name: arrays[name] / scale for name in PULSES}
        judged = validate(params, arrays, held_times, held_classes)
        history.note(
            epoch + 1,
            train_loss=found.loss,
            train_accuracy=found.accuracy,
            silent_hidden=found.silent_hidden,
            silent_output=found.silent_output,
            **judged,
            epoch_seconds=seconds,
        )
        accuracy = judged["validation_accuracy"]
        if accuracy > best["accuracy"]:
            copies = {name: values.copy() for name, values in arrays.items()}
            best = {"accuracy": accuracy, "epoch": epoch + 1, "arrays": copies}
        if epoch == params.epochs - 1 or (epoch + 1) % max(1, params.epochs // 50) == 0:
            progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {accuracy:.4f}")
    return Network(
        arrays=best["arrays"],
        info={
            **history.info(compiled.NAME),
            "validation_accuracy": best["accuracy"],
            "best_epoch": best["epoch"],
        },
        history=history.rows,
    )


def validate(
    params: Params, arrays: model.Arrays, times: NDArray, targets: NDArray
) -> dict[str, float]:
    """Accuracy and regime on the validation set.

    Args:
        params: Parameters of the experiment.
        arrays: Weights and pulse times.
        times: Input times in time units, (sample, input).
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
