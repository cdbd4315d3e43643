"""DECOLLE's rule in convolutional layers (README, section 10)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.neftci.mnist_poisson import convolutions, model

EPSILON = np.float32(1e-8)
"""Added to the size of a gradient, so that no update divides by 0, as in the published code."""
READOUT = ("v", "c")


def start_memory(arrays: model.Arrays) -> dict[str, NDArray]:
    """Return what the optimiser remembers before the first update.

    `norm_<name>` for every trained array; `mean_<name>` and `n_updates` for the trained readout.
    """
    trained_names = [name for name in arrays if name[0] in "wb" or name in READOUT]
    memory = {f"norm_{name}": np.zeros_like(arrays[name]) for name in trained_names}
    memory |= {f"mean_{name}": np.zeros_like(arrays[name]) for name in READOUT}
    return {**memory, "n_updates": np.zeros((), np.int64)}


def update(values: NDArray, gradient: NDArray, norm: NDArray, rate: float, decay: float) -> None:
    """Make one update by Adamax without first moment, in place (Eq. 8)."""
    np.maximum(np.float32(decay) * norm, np.abs(gradient) + EPSILON, out=norm)
    values -= np.float32(rate) * gradient / norm


def learn(
    params: ct.Params,
    arrays: dict[str, NDArray],
    memory: dict[str, NDArray],
    steps: Iterable[NDArray],
    labels: NDArray[np.int64],
    dropout: np.random.Generator,
) -> dict[str, float]:
    """Learn one mini-batch, with one update per layer in every step after the burn-in.

    Args:
        params: Rates, norms, dropout.
        arrays: The network; changed.
        memory: Of the optimiser; changed.
        steps: Input spikes of every step, (image, row, column).
        labels: Classes, (image,).
        dropout: Source of randomness.

    Returns:
        Mean loss of each layer, and accuracy of its votes while it learned.
    """
    targets = np.eye(params.n_classes, dtype=np.float32)[labels]
    layers = model.Layers(params, arrays, len(labels))
    votes = np.zeros((len(layers.shapes), *targets.shape), np.int64)
    losses = np.zeros(len(layers.shapes))
    for step, spikes in enumerate(steps):
        for k, response in layers.advance(spikes):
            if step < model.first_step(params):
                continue
            activity = response.activity.reshape(len(labels), -1)
            model.add_votes(votes[k - 1], model.read(arrays, k, activity))
            dropout_factors = dropout.random(targets.shape, np.float32) >= params.dropout
            # The division keeps the expected readout as it is without dropout.
            dropout_factors = dropout_factors / np.float32(1 - params.dropout)
            loss, delta = local_loss(arrays, k, activity, dropout_factors, targets)
            losses[k - 1] += loss
            delta = delta.reshape(response.maxima.shape)
            shape, traces = layers.shapes[k - 1], layers.traces[k - 1]
            slopes = convolutions.sum_gradient(shape, traces.p, delta, response.places)
            rate, decay = params.rate_online, params.norm_online
            update(arrays[f"w{k}"], slopes, memory[f"norm_w{k}"], rate, decay)
            bias = delta.sum(axis=(0, 1, 2))
            update(arrays[f"b{k}"], bias, memory[f"norm_b{k}"], rate, decay)
            if k == len(layers.shapes):
                learn_readout(params, arrays, memory, activity, targets)
    n_counted = max(1, int(votes[0, 0].sum()))
    values = {f"loss_layer{k}": float(loss) / n_counted for k, loss in enumerate(losses, start=1)}
    for k, choices in enumerate(votes.argmax(axis=2), start=1):
        values[f"train_accuracy_layer{k}"] = float((choices == labels).mean())
    return values


def local_loss(
    arrays: model.Arrays, k: int, activity: NDArray, dropout_factors: NDArray, targets: NDArray
) -> tuple[float, NDArray]:
    """Compute the loss of layer k, and its gradient by the potentials (Eqs. 6 and 13).

    Args:
        arrays: The network.
        k: Number of the layer, from 1.
        activity: Sigmoid of the potentials, (image, maximum).
        dropout_factors: Factors of dropout, (image, class): 0, or the inverse of the
            fraction that is kept.
        targets: 1 for the true class, else 0, (image, class).

    Returns:
        The loss, and its gradient, (image, maximum).
    """
    readout, offset = arrays[f"g{k}"], arrays[f"d{k}"]
    error = dropout_factors * (activity @ readout + offset) - targets
    signal = dropout_factors * np.clip(error, -1, 1) / targets.dtype.type(error.size)
    return smooth_loss(error), (signal @ readout.T) * activity * (1 - activity)


def smooth_loss(error: NDArray) -> float:
    """Return the mean of the smooth L1 loss (Eq. 6)."""
    size = np.abs(error)
    return float(np.where(size < 1, size**2 / 2, size - 0.5).mean())


def learn_readout(
    params: ct.Params,
    arrays: dict[str, NDArray],
    memory: dict[str, NDArray],
    activity: NDArray,
    targets: NDArray,
) -> None:
    """Make one update of the trained readout by Adamax, from its cross-entropy (Eq. 14)."""
    score = model.read(arrays, len(params.channels), activity)
    exp_score = np.exp(score - score.max(axis=1, keepdims=True))
    error = (exp_score / exp_score.sum(axis=1, keepdims=True) - targets) / np.float32(len(targets))
    memory["n_updates"] += 1
    keep = np.float32(params.momentum_readout)
    rate = params.rate_readout / (1 - params.momentum_readout ** int(memory["n_updates"]))
    for name, gradient in zip(READOUT, (activity.T @ error, error.sum(axis=0)), strict=True):
        mean, norm = memory[f"mean_{name}"], memory[f"norm_{name}"]
        mean[...] = keep * mean + (1 - keep) * gradient
        np.maximum(np.float32(params.norm_readout) * norm, np.abs(gradient) + EPSILON, out=norm)
        arrays[name] -= np.float32(rate) * mean / norm
