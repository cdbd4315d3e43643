"""Where the spikes come from: digits of MNIST as spike latencies (README, Eq. 1)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import Params, Split, Stimulus, Task
from whyspiking.datasets import mnist
from whyspiking.errors import UserError
from whyspiking.first_spike import encoding
from whyspiking.randomness import Streams
from whyspiking.spikes import Spikes

CHUNK = 6000
"""Images that are encoded at a time; bounds the memory of the float64 in between."""


def pixel_times(brightness: NDArray, params: Params) -> NDArray[np.float32]:
    """Spike times of pixels in time units: bright ones early, the background silent (inf).

    Args:
        brightness: p/256, (sample, pixel).
        params: `t_window`, the width of the input window.
    """
    return np.concatenate(
        [
            encoding.latencies(part, 0.0, params.t_window, background=False).astype(np.float32)
            for part in np.array_split(brightness, max(1, len(brightness) // CHUNK))
        ]
    )


def samples(params: Params, split: Split, streams: Streams) -> tuple[NDArray, NDArray]:
    """Brightness p/256 and classes of one split.

    The training file is divided anew for every seed, as in the published program.

    Args:
        params: Sizes of the splits.
        split: "train", "validation" or "test".
        streams: Randomness: "split".

    Returns:
        Brightness (sample, pixel), float32, and classes (sample,).

    Raises:
        UserError: If the images have another number of pixels than the network has inputs, or
            there are fewer images than the splits ask for.
    """
    images, labels = _images(
        Path(params.data_dir) / "mnist", "test" if split == "test" else "train"
    )
    if images.shape[1] != params.n_input:
        raise UserError(
            f"images have {images.shape[1]} pixels; the network has {params.n_input} inputs; use "
            "images of 28 x 28 pixels"
        )
    if split == "test":
        return images[: params.n_test], labels[: params.n_test]
    needed = params.n_train + params.n_validation
    if needed > len(images):
        raise UserError(
            f"{params.n_train} training and {params.n_validation} validation images were asked "
            f"for, the file has {len(images)}; lower them in replications/{params.talk}/talk.yaml"
        )
    order = streams.rng("split").permutation(len(images))
    first, last = (0, params.n_train) if split == "train" else (params.n_train, needed)
    chosen = order[first:last]
    return images[chosen], labels[chosen]


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The inputs and targets of one split; "fresh" does not exist."""
    if split == "fresh":
        return None
    features, targets = samples(params, split, streams)
    times_ms = pixel_times(features, params) * np.float32(params.unit_ms)
    spikes = Spikes.from_first_spikes(times_ms, params.trial_ms)
    return Task(
        stimulus=Stimulus(spikes={"input": spikes}),
        targets=targets,
        n_classes=params.n_output,
        features=features,
    )


@functools.lru_cache(maxsize=2)
def _images(folder: Path, file: Literal["train", "test"]) -> tuple[NDArray, NDArray]:
    images, labels = mnist.load(folder, file)
    flat = images.reshape(len(images), -1).astype(np.float32)
    return flat / np.float32(256), labels.astype(np.int64)
