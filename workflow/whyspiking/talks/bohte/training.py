"""Training of all networks of this talk by Adam (README, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.bohte import learning, network, one_class
from whyspiking.tasks import task_data
from whyspiking.training import gradient
from whyspiking.training.gradient import Arrays, Data, Loss, Settings

type Labelled = tuple[NDArray, NDArray]
"""Trials of one class each: (trial, time, channel) and (trial,)."""
type Prepared = tuple[Data | Callable[[int], Data], Callable[[Arrays], dict[str, float]], Loss]
"""Training data of all epochs or of one, function that scores validation data, loss."""
PENALISED = "penalty_1"
"""The variant that is trained with a spike penalty."""


def cell_of(variant: str) -> str:
    """Return the cell of a variant; most variants have its name."""
    return "alif" if variant in ("spiking", PENALISED) else variant


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    progress: ct.Progress,
    prepared: Prepared,
) -> ct.Network:
    """Train one network. Randomness: "init", "shuffle"."""
    cell = cell_of(variant)
    data, judge, loss = prepared
    adaptation = network.adaptation(params, cell)
    # README, Eq. 11.
    spike_penalty = float(params.penalty) if variant == PENALISED else 0.0
    settings = Settings(
        epochs=params.epochs,
        batch=params.batch,
        learning_rate=float(params.values[f"rate_{cell}"]),
        clip_norm=params.clip_norm,
        criterion="validation_accuracy",
        rates=network.rates(params, cell),
    )
    fitted = gradient.fit(
        network.initial(params, cell, streams.rng("init")),
        loss,
        data,
        settings,
        judge=judge,
        shuffle=streams.rng("shuffle"),
        progress=progress,
        constants={"penalty": spike_penalty, "adaptation": adaptation},
        project=lambda arrays: network.within(params, arrays),
    )
    network_info = {"cell": cell, "adaptation": adaptation, "resets": cell == network.RESETTING}
    if cell not in network.SPIKING:
        network_info["weights"] = [name for name in fitted.arrays if name.startswith("w_")]
    return ct.Network(fitted.arrays, {**fitted.info, **network_info}, fitted.history)


def train_classes(
    params: ct.Params,
    variant: str,
    streams: Streams,
    progress: ct.Progress,
    labelled: Callable[..., Labelled],
) -> ct.Network:
    """Train one network on trials of one class each.

    Args:
        params: Parameters of the experiment.
        variant: Which network.
        streams: Randomness: "init", "shuffle".
        progress: Called after every epoch.
        labelled: Draws trials of the splits "train" and "validation"; for a task with other trials
            in every epoch, also receives their part (`task_data.part_of`).
    """
    cell = cell_of(variant)

    def data(*i_part: int) -> Data:
        events, labels = labelled("train", *i_part)
        return {"x": events, "labels": labels.astype(np.int32)}

    has_fresh_trials = "n_distinct" in params.values
    training_data = (
        (lambda epoch: data(task_data.part_of(params, epoch - 1))) if has_fresh_trials else data()
    )
    validation_events, validation_labels = labelled("validation")

    def judge(arrays: Arrays) -> dict[str, float]:
        choices = one_class.chosen(params, network.outputs(params, cell, arrays, validation_events))
        return {"validation_accuracy": float((choices == validation_labels).mean())}

    return train(
        params, variant, streams, progress, (training_data, judge, class_loss(params, cell))
    )


def label_loss(params: ct.Params, cell: str) -> Any:
    """Make the loss: cross-entropy of every labelled step plus spike penalty (README, 6 and 11).

    Args:
        params: Constants.
        cell: Which cell.

    Returns:
        A loss for `gradient.fit`. It takes `x` (trial, time, channel), `labels` (trial,
        time), of which negative ones do not count, and for spiking cells `penalty`, the factor of
        the mean squared rate in spikes per step, and `adaptation`, its strength.
    """
    return _make_loss(params, cell, learning.loss_of_labels)


def class_loss(params: ct.Params, cell: str) -> Any:
    """Make the loss: cross-entropy of the summed softmax plus spike penalty (README, Eq. 16).

    As `label_loss`, with `labels` (trial,).
    """
    scored = slice(params.n_unscored, None)
    return _make_loss(
        params,
        cell,
        lambda outputs, labels: learning.loss_of_class(
            jax.nn.softmax(outputs)[scored].sum(axis=0), labels
        ),
    )


def _make_loss(params: ct.Params, cell: str, loss_of_outputs: Callable[[Any, Any], Any]) -> Any:
    def loss(arrays: Arrays, batch: Arrays) -> Any:
        x = batch["x"].swapaxes(0, 1).astype(jnp.float32)
        outputs, fired = network.forward(params, cell, arrays, x, batch.get("adaptation"))
        value, accuracy = loss_of_outputs(outputs, batch["labels"])
        if not fired:
            return value, {"train_accuracy": accuracy}
        penalty, rate = learning.price_of_spikes(batch["penalty"], fired)
        return value + penalty, {"train_accuracy": accuracy, "train_rate": rate}

    return loss
