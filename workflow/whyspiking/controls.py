"""Matched non-spiking controls: ReLU networks and linear readouts, trained with JAX and optax.

Arrays are named w0 (feature, unit), b0 (unit,), w1, ...; `counterpart` perturbs and counts them.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import NDArray

from whyspiking.contract import Network, Progress, Trials
from whyspiking.counterpart import forward
from whyspiking.randomness import Streams

Layers = list[tuple[Array, Array]]


def train(
    features: NDArray,
    targets: NDArray,
    held_out: tuple[NDArray, NDArray],
    *,
    sizes: tuple[int, ...],
    epochs: int,
    batch: int,
    learning_rate: float,
    streams: Streams,
    progress: Progress,
    noise_sd: float = 0.0,
) -> Network:
    """Train a ReLU network (or, with two sizes, a linear readout) with Adam and cross-entropy.

    The learning rate follows a half cosine down to zero; the weights after the last epoch are kept.

    Args:
        features: Training inputs, (sample, feature).
        targets: Classes, (sample,).
        held_out: Validation inputs and classes, for the history only.
        sizes: Units per layer, input and output included, e.g. (4, 120, 3).
        epochs: Passes through the training set.
        batch: Samples per update; the last incomplete batch of an epoch is left out.
        learning_rate: Of Adam, at the start.
        streams: Randomness: "init", "shuffle", "noise".
        progress: Called after every epoch.
        noise_sd: Standard deviation of noise added to the inputs, in units of the features.

    Raises:
        ValueError: If the sizes do not fit the data.
    """
    if sizes[0] != features.shape[1]:
        raise ValueError(f"sizes {sizes} do not fit {features.shape[1]} features")
    rng = streams.rng("init")
    layers: Layers = [
        (
            jnp.asarray(rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)), jnp.float32),
            jnp.zeros(n_out, jnp.float32),
        )
        for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    n_batches = len(features) // batch
    schedule = optax.cosine_decay_schedule(learning_rate, epochs * n_batches)
    optimiser = optax.adam(schedule)
    state = optimiser.init(layers)
    inputs = np.asarray(features, np.float32)
    shuffle, key = streams.rng("shuffle"), jax.random.key(streams.integer("noise"))
    history: list[dict[str, Any]] = []
    seconds = []
    for epoch in range(epochs):
        began = time.process_time()
        order = shuffle.permutation(len(inputs))[: n_batches * batch].reshape(n_batches, batch)
        layers, state, losses = _epoch(
            layers,
            state,
            jnp.asarray(inputs),
            jnp.asarray(targets),
            jnp.asarray(order),
            jax.random.fold_in(key, epoch),
            noise_sd,
            optimiser=optimiser,
        )
        value = float(losses.mean())
        seconds.append(time.process_time() - began)
        accuracy = float((choose(to_arrays(layers), held_out[0]) == held_out[1]).mean())
        history += [
            {"epoch": epoch + 1, "metric": "train_loss", "value": value},
            {"epoch": epoch + 1, "metric": "validation_accuracy", "value": accuracy},
        ]
        progress((epoch + 1) / epochs, f"epoch {epoch + 1}: validation {accuracy:.4f}")
    return Network(
        arrays=to_arrays(layers),
        info={
            "engine": "jax",
            "epochs": epochs,
            "epoch_seconds": float(np.mean(seconds)),
            "sizes": list(sizes),
        },
        history=history,
    )


def evaluate(network: Network, features: NDArray, targets: NDArray) -> Trials:
    """Decisions of a control; they take no time, so `decision_ms` is 0.

    Args:
        network: From `train`.
        features: Inputs, (trial, feature).
        targets: Classes, (trial,).
    """
    choices = choose(network.arrays, features)
    return Trials(
        targets=np.asarray(targets, np.int64),
        choices=choices,
        decision_ms=np.zeros(choices.size),
        n_classes=int(network.info["sizes"][-1]),
    )


def choose(arrays: dict[str, NDArray], features: NDArray) -> NDArray[np.int64]:
    """The class with the largest output, (trial,)."""
    return forward(arrays, np.asarray(features))[-1].argmax(axis=1)


def to_arrays(layers: Layers) -> dict[str, NDArray]:
    """Named arrays of a network, as they are saved."""
    named = {}
    for index, (weights, bias) in enumerate(layers):
        named[f"w{index}"], named[f"b{index}"] = np.asarray(weights), np.asarray(bias)
    return named


def _loss(layers: Layers, inputs: Array, targets: Array) -> Array:
    drive = inputs
    for index, (weights, bias) in enumerate(layers):
        drive = drive @ weights + bias[None, :]
        if index < len(layers) - 1:
            drive = jax.nn.relu(drive)
    return optax.softmax_cross_entropy_with_integer_labels(drive, targets).mean()


@functools.partial(jax.jit, static_argnames="optimiser")
def _epoch(
    layers: Layers,
    state: Any,
    inputs: Array,
    targets: Array,
    order: Array,
    key: Array,
    noise_sd: float,
    *,
    optimiser: Any,
) -> tuple[Layers, Any, Array]:
    def update(carry: tuple[Layers, Any], step: tuple[Array, Array]):
        layers, state = carry
        chosen, noise_key = step
        noisy = inputs[chosen]
        noisy = noisy + noise_sd * jax.random.normal(noise_key, noisy.shape)
        value, gradient = jax.value_and_grad(_loss)(layers, noisy, targets[chosen])
        updates, state = optimiser.update(gradient, state, layers)
        return (optax.apply_updates(layers, updates), state), value

    keys = jax.random.split(key, order.shape[0])
    (layers, state), losses = jax.lax.scan(update, (layers, state), (order, keys))
    return layers, state, losses
