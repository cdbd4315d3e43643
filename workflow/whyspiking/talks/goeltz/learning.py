"""Learning with the exact derivatives of first-spike times (README, Eqs. 4 to 8).

A batch: forward pass (`model.closed_form`), `loss`, its derivatives (`model.gradients`), a step of
Adam, and `Bump` for neurons that never fire. `Compiled` does an epoch of it in one call of
`training/first_spike/epoch.cpp`; `stepwise` does the same in Python, around any substrate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.talks.goeltz import model, task
from whyspiking.talks.goeltz.model import Pass, Weights
from whyspiking.training import first_spike
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.first_spike import compiled
from whyspiking.training.first_spike.epoch_state import Diverged, Settings
from whyspiking.training.first_spike.inputs import Inputs
from whyspiking.training.first_spike.training import Training
from whyspiking.training.history import History


@dataclass
class Bump:
    """The published remedy for silent neurons, instead of a penalty (README, section 4).

    `first` is the amount added to their weights, `tolerated` the share of silent (sample, neuron)
    pairs of each layer that is accepted.
    """

    first: float
    tolerated: tuple[float, ...]
    layer: int | None = None
    amount: float = 0.0

    def offending(self, spikes: Pass) -> int | None:
        """Return the first layer with too many silent neurons; double the amount if it repeats."""
        shares = [np.isinf(layer.times).mean() for layer in spikes.layers]
        i_exceeding = [k for k, share in enumerate(shares) if share > self.tolerated[k]]
        i_offender = i_exceeding[0] if i_exceeding else None
        is_repeated = i_offender is not None and i_offender == self.layer
        self.amount = 2 * self.amount if is_repeated else self.first
        self.layer = i_offender
        return i_offender

    def apply(self, weights: Weights, spikes: Pass, i_layer: int) -> Weights:
        """Add the amount to all weights of the neurons that any sample left silent."""
        times = spikes.layers[i_layer].times
        is_silent = np.isinf(times).any(axis=0)
        raised_weights = weights[i_layer] + np.where(is_silent, self.amount, 0.0).astype(
            weights[i_layer].dtype
        )
        return (*weights[:i_layer], raised_weights, *weights[i_layer + 1 :])


def loss(times: NDArray, targets: NDArray, params: ct.Params) -> tuple[float, NDArray]:
    """Compute the mean loss of a batch and its derivatives by the output times (README, Eq. 4).

    Times, in units of tau_s, and derivatives, with the 1/batch of the mean, are (sample, class).
    Samples whose true neuron is silent cost `silent_loss` and have no gradient.
    """
    rows = np.arange(len(times))
    true_times = times[rows, targets]
    has_fired = np.isfinite(true_times)
    scaled = -times / params.xi
    highest = np.where(has_fired, scaled.max(axis=1), 0.0)[:, None]
    powers = np.exp(np.where(has_fired[:, None], scaled - highest, 0.0))
    total = powers.sum(axis=1)
    finite_times = np.where(has_fired, true_times, 0.0)
    push = params.alpha * np.exp(finite_times / params.beta)
    losses = np.log(total) + highest[:, 0] + finite_times / params.xi + push
    gradient = -powers / total[:, None] / params.xi
    gradient[rows, targets] += 1 / params.xi + push / params.beta
    gradient[~has_fired] = 0.0
    return float(np.where(has_fired, losses, params.silent_loss).mean()), gradient / len(times)


def initial_weights(params: ct.Params, streams: Streams) -> Weights:
    """Draw normally distributed weights with the published means and deviations."""
    rng = streams.rng("init")
    n_bias = len(params.bias_times)
    sizes = [params.n_input, params.n_hidden, params.n_output]
    moments = [(params.hidden_mean, params.hidden_sd), (params.output_mean, params.output_sd)]
    return tuple(
        rng.normal(mean, sd, (n_before + n_bias, n)).astype(np.float32)
        for n_before, n, (mean, sd) in zip(sizes, sizes[1:], moments, strict=False)
    )


def tolerated(params: ct.Params) -> tuple[float, ...]:
    """Return the tolerated share of silent neurons of each layer."""
    return (params.missing_hidden, params.missing_output)


def learning_rate(params: ct.Params, epoch: int, epochs: int) -> float:
    """Rate of one epoch: steps as published, or a half cosine down to zero."""
    if params.schedule == "cosine":
        return params.learning_rate * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
    return params.learning_rate * params.lr_decay ** (epoch // params.lr_decay_epochs)


def train(
    params: ct.Params,
    streams: Streams,
    progress: ct.Progress,
    *,
    learner: Callable[[ct.Params, NDArray, NDArray, Weights], Any] | None = None,
    epochs: int | None = None,
    purpose: str = "",
) -> ct.Network:
    """Train one network from the published initialisation.

    Args:
        params: Parameters of the experiment.
        streams: Randomness: "init", "shuffle".
        progress: Called after every epoch.
        learner: What learns, from parameters, spike times without bias (sample, input), classes
            (sample,) and weights to start from; by default `Compiled`.
        epochs: By default `params.epochs`; the weights after the last are kept, as published.
        purpose: Added to the names of the streams, so that trainings of one seed differ.

    Raises:
        UserError: If a weight is no longer a finite number: names epoch, step and array.
    """
    epochs = int(epochs or params.epochs)
    features, targets = task.samples(params, "train")
    validation_task = task.make_task(params, "validation", streams)
    assert features is not None and validation_task is not None  # every data set has both splits
    inputs = task.spike_times(features, params).astype(np.float32)
    weights = initial_weights(params, streams)
    network = (learner or Compiled)(params, inputs, targets, weights)
    shuffle = streams.rng(f"shuffle{purpose}")
    history, accuracy = History(), float("nan")
    checkpoint = Checkpoint(network, shuffle, history, *network.noise, name=f"training{purpose}")
    for epoch in checkpoint.rounds(range(epochs), progress):
        started, rate = time.process_time(), learning_rate(params, epoch, epochs)
        try:
            epoch_means = network.epoch(shuffle.permutation(len(inputs)), rate)
        except Diverged as error:
            raise UserError(f"epoch {epoch + 1} of {epochs}{purpose}: {error}") from None
        if not np.isfinite(epoch_means["train_loss"]):
            raise UserError(
                f"epoch {epoch + 1} of {epochs}{purpose}: the loss is not finite; expected finite "
                "output times. Lower the learning rate"
            )
        seconds = time.process_time() - started
        accuracy = model.accuracy(params, network.held, validation_task, network.forward)
        history.note(epoch + 1, **epoch_means, validation_accuracy=accuracy, epoch_seconds=seconds)
        if epoch == epochs - 1 or (epoch + 1) % max(1, epochs // 100) == 0:
            progress((epoch + 1) / epochs, f"epoch {epoch + 1}: validation {accuracy:.4f}")
    return ct.Network(
        arrays=dict(zip(model.WEIGHT_NAMES, network.weights, strict=True)),
        info={**history.info(compiled.NAME), "validation_accuracy": accuracy},
        history=history.rows,
    )


class Compiled:
    """Ideal neurons, one compiled call per epoch."""

    CARRIED = ("training",)

    def __init__(
        self,
        params: ct.Params,
        inputs: NDArray,
        targets: NDArray,
        weights: Weights,
        *,
        frozen: int = 0,
    ) -> None:
        """Start; arguments as in `train`, and how many of the first layers keep their weights."""
        c = model.threshold(params)
        settings = Settings(
            loss="goeltz",
            batch=params.batch,
            threshold=c,
            temperature=params.xi,
            tau_ratio=params.tau_ratio,
            min_slope=first_spike.min_slope(params.slope_floor, c, params.tau_ratio),
            max_dw=params.max_dw_norm,
            push=params.alpha,
            push_scale=params.beta,
            silent_loss=params.silent_loss,
            bump_rule=params.bump_rule,
            bump=params.bump,
            tolerated=tolerated(params),
            frozen=frozen,
        )
        self.training = Training(settings, weights, [params.bias_times] * len(weights))
        self.inputs, self.targets = Inputs(inputs), targets
        self.forward, self.noise = model.closed_form(params), ()

    @property
    def weights(self) -> Weights:
        """Present weights."""
        return self.training.weights

    @property
    def held(self) -> Weights:
        """Return the present weights: ideal neurons hold any weight."""
        return self.weights

    def epoch(self, order: NDArray, rate: float) -> dict[str, float]:
        """Train on all samples in this order; means over the epoch."""
        means = self.training.epoch(self.inputs, self.targets, order, rate)
        return {
            "train_loss": means.loss,
            "train_accuracy": means.accuracy,
            "silent_hidden": means.silent_hidden,
            "bumped_batches": means.bumped,
        }
