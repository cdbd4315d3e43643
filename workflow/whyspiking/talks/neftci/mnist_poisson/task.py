"""MNIST digits as Poisson spikes (README, section 10)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.datasets import mnist

INPUT = "pixels"
WHITE = 255


def read_images(params: ct.Params, split: ct.Split) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read `n_train` or `n_test` images (image, row, column), 0 to 255, and their classes."""
    pixels, labels = mnist.samples(params, split, n_held_out=0)
    return pixels.reshape(-1, params.side, params.side), labels


def brightness(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the brightness of pixels, 0 to 1, which the network without spikes receives."""
    return images.astype(np.float32) / np.float32(WHITE)


def draw_spikes(
    params: ct.Params, images: NDArray[np.uint8], n_steps: int, rng: np.random.Generator
) -> Iterator[NDArray[np.bool_]]:
    """Draw the input spikes of every step, (image, row, column).

    The rate of a pixel is a whole number of Hz, and the last step has no spike, as in the published
    code.

    Args:
        params: `gain_hz` and `dt_ms`.
        images: 0 to 255, (image, row, column).
        n_steps: Number of steps.
        rng: Source of randomness.
    """
    rates_hz = int(params.gain_hz) * images.astype(np.int64) // WHITE
    probability = (rates_hz * (params.dt_ms / 1000)).astype(np.float32)
    for _ in range(n_steps - 1):
        yield rng.random(images.shape, np.float32) < probability
    yield np.zeros(images.shape, bool)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Make the task of the first test images, which Brian2 simulates for a part of a trial.

    Brian2 needs seconds per image. Therefore the training job measures the accuracy on all
    `n_test` images, and this task has `n_simulated` of them. Randomness: "simulated".
    """
    if split != "test":
        return None
    images, labels = read_images(params, "test")
    simulated = slice(0, params.n_simulated)
    n_steps = params.simulated_steps
    steps = draw_spikes(params, images[simulated], n_steps, streams.rng("simulated"))
    raster = np.stack([step.reshape(len(step), -1) for step in steps], axis=1)
    return ct.Task(
        ct.Stimulus({INPUT: Spikes.from_raster(raster, params.dt_ms)}),
        labels[simulated],
        params.n_classes,
        features=brightness(images[simulated]).reshape(raster.shape[0], -1),
    )


def raster_of(params: ct.Params, task: ct.Task) -> NDArray[np.bool_]:
    """Return the input spikes of a task, (step, image, row, column)."""
    spikes = task.stimulus.spikes[INPUT]
    raster = spikes.raster(spikes.steps(params.dt_ms), params.simulated_steps)
    return raster.reshape(*raster.shape[:2], params.side, params.side).transpose(1, 0, 2, 3)
