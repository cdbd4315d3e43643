"""Learning with the exact derivatives of spike times (README, Eqs. 3 to 6).

With A and W of the closed form of the spike time t_j (`model`), for inputs before t_j

    dt_j/dw_i = e^{K t_i} (t_i - t_j) / (A (1 + W))                  (Eq. 4)
    dt_j/dt_i = w_i e^{K t_i} (K (t_i - t_j) + 1) / (A (1 + W))      (Eq. 5, pulses too)

carry the gradient of L = -ln(softmax(-t)[true class] + 1e-8) (Eq. 3) to weights and pulses; a
neuron that stays silent in an image has dL/dw_i = -penalty instead (Eq. 6), and passes nothing on.
The C++ of `first_spike.training` computes this, batch by batch, with s = K t, and steps with Adam.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
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


def settings(params: ct.Params) -> Settings:
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


def initial_arrays(params: ct.Params, streams: Streams) -> dict[str, NDArray]:
    """Weights ~ N(mu, sigma^2) with the Glorot sigma, and evenly spaced pulses.

    Args:
        params: Means in units of sigma, for normal inputs and for pulses; first and last pulse.
        streams: Randomness: "init".
    """
    rng = streams.rng("init")
    arrays: dict[str, NDArray] = {}
    for name, n_in, n_out, mean in (
        ("w_hidden", params.n_input, params.n_hidden, params.hidden_mean),
        ("w_output", params.n_hidden, params.n_output, params.output_mean),
    ):
        sigma = np.sqrt(2 / (n_in + n_out + params.n_pulses))
        means = np.repeat([mean, params.pulse_mean], [n_in, params.n_pulses]) * sigma
        arrays[name] = rng.normal(means[:, None], sigma, (means.size, n_out)).astype(np.float32)
    for name, pulse_limits in zip(PULSES, (params.input_pulses, params.hidden_pulses), strict=True):
        arrays[name] = np.linspace(pulse_limits[0], pulse_limits[1], params.n_pulses).astype(
            np.float32
        )
    return arrays


def rates(params: ct.Params, epoch: int, *, fixed_pulses: bool = False) -> dict[str, float]:
    """Learning rates of an epoch: constant as published, or a half cosine down to zero."""
    factor = 1.0
    if params.schedule == "cosine":
        factor = 0.5 * (1 + np.cos(np.pi * epoch / params.epochs))
    pulse = 0.0 if fixed_pulses else params.pulse_rate * factor
    return {name: pulse if name in PULSES else params.weight_rate * factor for name in NAMES}


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network from `initial_arrays`: `train_from`."""
    return train_from(initial_arrays(params, streams), params, variant, streams, progress)


def train_from(
    start: model.Arrays, params: ct.Params, variant: str, streams: Streams, progress: ct.Progress
) -> ct.Network:
    """Train a network and keep the arrays of best validation accuracy, as published.

    The variant "fixed_pulses" keeps the pulses where they start. Randomness: "split", "init",
    "shuffle", "noise".

    Raises:
        UserError: If a number is not finite; names epoch and step.
    """
    features, targets = task.samples(params, "train", streams)
    inputs = Inputs(task.input_times(features, params) * np.float32(params.decay_rate))
    validation_features, validation_classes = task.samples(params, "validation", streams)
    validation_times = task.input_times(validation_features, params)
    training = _start_training(params, start)
    shuffle, noise = streams.rng("shuffle"), streams.rng("noise")
    best: dict[str, Any] = {"accuracy": -1.0}
    history = History()
    checkpoint = Checkpoint(training, best, shuffle, noise, history)
    for epoch in checkpoint.rounds(range(params.epochs), progress):
        started = time.process_time()
        rate = rates(params, epoch, fixed_pulses=variant == "fixed_pulses")
        share = params.pixel_deletion
        epoch_inputs = inputs.without(share, noise) if share else inputs
        order = shuffle.permutation(len(targets))
        pulse_rate = rate["input_pulses"] * params.decay_rate
        try:
            epoch_means = training.epoch(epoch_inputs, targets, order, rate["w_hidden"], pulse_rate)
        except Diverged as error:
            raise UserError(f"epoch {epoch + 1}: {error}") from error
        seconds = time.process_time() - started
        arrays = _get_arrays(params, training)
        validation_metrics = validate(params, arrays, validation_times, validation_classes)
        history.note(
            epoch + 1,
            train_loss=epoch_means.loss,
            train_accuracy=epoch_means.accuracy,
            silent_hidden=epoch_means.silent_hidden,
            silent_output=epoch_means.silent_output,
            **validation_metrics,
            epoch_seconds=seconds,
        )
        accuracy = validation_metrics["validation_accuracy"]
        if accuracy > best["accuracy"]:
            # The engine changes its weights in place, so the best ones are copied.
            copies = {name: values.copy() for name, values in arrays.items()}
            best.update(accuracy=accuracy, epoch=epoch + 1, arrays=copies)
        if epoch == params.epochs - 1 or (epoch + 1) % max(1, params.epochs // 50) == 0:
            progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {accuracy:.4f}")
    best_info = {"validation_accuracy": best["accuracy"], "best_epoch": best["epoch"]}
    return ct.Network(best["arrays"], {**history.info(compiled.NAME), **best_info}, history.rows)


def _start_training(params: ct.Params, start: model.Arrays) -> Training:
    """Start a training in dimensionless time."""
    scale = np.float32(params.decay_rate)
    weights = (start["w_hidden"], start["w_output"])
    return Training(settings(params), weights, tuple(start[name] * scale for name in PULSES))


def _get_arrays(params: ct.Params, training: Training) -> dict[str, NDArray]:
    """Return the trained arrays, pulses in time units; weights are no copies."""
    scale = np.float32(params.decay_rate)
    values = (*training.weights, *(pulses / scale for pulses in training.pulses))
    return dict(zip(NAMES, values, strict=True))


def validate(
    params: ct.Params, arrays: model.Arrays, times: NDArray, targets: NDArray
) -> dict[str, float]:
    """Compute accuracy, mean decision time and share of hidden neurons that fire before it.

    Args:
        params: Parameters of the experiment.
        arrays: Weights and pulse times.
        times: Input times in time units, (sample, input).
        targets: True classes, (sample,).
    """
    hidden, output = model.first_spikes(params, arrays, times)
    decision = output.min(axis=1)
    is_correct = np.isfinite(decision) & (output.argmin(axis=1) == targets)
    return {
        "validation_accuracy": float(is_correct.mean()),
        "validation_decision_ms": model.mean_decision(decision) * params.unit_ms,
        "validation_hidden_before": model.hidden_before_decision(hidden, decision),
    }
