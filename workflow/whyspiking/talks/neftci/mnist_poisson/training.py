"""Training by mini-batches, and the accuracy on test images (README, section 10)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.neftci.mnist_poisson import end_to_end, local_learning, model, task
from whyspiking.training import checkpoint
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History, require_finite

ENGINE = "compiled"
RELU, UNTRAINED = "relu", "untrained"
VARIANTS = ("spiking", RELU, UNTRAINED)
TESTED_AT_ONCE = 64


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network, and measure its accuracy on test images once.

    If only the first part of a training is asked for, the test is left out. Randomness: "init",
    "shuffle", "noise" (spikes and dropout of training), "test <first image>".

    Raises:
        UserError: If the variant is unknown, or if a number is not finite.
    """
    if variant not in VARIANTS:
        raise unknown_variant(params.talk, params.experiment, variant)
    draw = end_to_end.draw_network if variant == RELU else model.draw_network
    arrays, history = draw(params, streams), History()
    if variant != UNTRAINED:
        _learn_batches(params, variant, streams, arrays, history, progress)
    info: dict[str, Any] = {"engine": ENGINE, "epochs": len(history.values("epoch_seconds"))}
    if checkpoint.asked_fraction() == 1:
        info["measures"] = measure_accuracy(params, variant, arrays, streams, progress)
    return ct.Network(arrays, info, history.rows)


def _learn_batches(
    params: ct.Params,
    variant: str,
    streams: Streams,
    arrays: dict[str, NDArray],
    history: History,
    progress: ct.Progress,
) -> None:
    """Learn all mini-batches; arrays and history are changed."""
    images, labels = task.read_images(params, "train")
    batch_order = streams.rng("shuffle").permutation(len(labels))
    batch_order = batch_order[: params.n_batches * params.batch_online].reshape(
        params.n_batches, -1
    )
    memory, noise = local_learning.start_memory(arrays), streams.rng("noise")
    for index in Checkpoint(arrays, memory, noise, history).rounds(
        range(params.n_batches), progress
    ):
        start_s, batch = time.process_time(), batch_order[index]
        batch_images = images[batch]
        if variant == RELU:
            values = end_to_end.learn(
                params, arrays, memory, task.brightness(batch_images), labels[batch]
            )
        else:
            steps = task.draw_spikes(params, batch_images, params.n_steps, noise)
            values = local_learning.learn(params, arrays, memory, steps, labels[batch], noise)
        require_finite(arrays, f"after mini-batch {index + 1}", params.rate_online)
        seconds = time.process_time() - start_s
        history.note(index + 1, **values, epoch_seconds=seconds)
        news = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        progress((index + 1) / params.n_batches, f"mini-batch {index + 1}: {news}")


def measure_accuracy(
    params: ct.Params,
    variant: str,
    arrays: model.Arrays,
    streams: Streams,
    progress: ct.Progress,
) -> dict[str, float]:
    """Measure the accuracy of every readout on `n_test` test images.

    Each image is presented for `test_steps` steps, and the class with most votes is the decision.
    The ReLU network has a readout of its last layer only.
    """
    images, labels = task.read_images(params, "test")
    choices = np.zeros((len(params.channels), len(labels)), np.int64)
    first_images = range(0, len(labels), TESTED_AT_ONCE)
    for first_image in Checkpoint(choices, name="test").rounds(first_images, progress):
        batch = slice(first_image, first_image + TESTED_AT_ONCE)
        batch_images = images[batch]
        if variant == RELU:
            choices[-1, batch] = end_to_end.choose(params, arrays, task.brightness(batch_images))
        else:
            noise = streams.rng(f"test {first_image}")
            steps = task.draw_spikes(params, batch_images, params.test_steps, noise)
            votes = model.count_votes(params, arrays, steps, len(batch_images))
            choices[:, batch] = votes.argmax(axis=2)
        progress(min(1.0, batch.stop / len(labels)), "test images")
    hits = (choices == labels).mean(axis=1)
    accuracies = {f"accuracy_layer{k}": float(hit) for k, hit in enumerate(hits, start=1)}
    return dict([accuracies.popitem()]) if variant == RELU else accuracies
