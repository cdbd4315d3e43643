"""Where the spikes come from: digits of MNIST as spike latencies (README, Eq. 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Split, Task
from whyspiking.datasets import mnist
from whyspiking.training.first_spike import encoding

CHUNK = 200
"""Images that are encoded at a time; the float64 in between stays in the cache."""


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
        UserError: If the images do not fit the network, or there are too few.
    """
    images, classes = mnist.samples(params, split, n_held_out=params.n_validation, streams=streams)
    return images.astype(np.float32) / np.float32(256), classes


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The inputs and targets of one split; "fresh" does not exist."""
    if split == "fresh":
        return None
    features, targets = samples(params, split, streams)
    times_ms = pixel_times(features, params) * np.float32(params.unit_ms)
    return encoding.as_task(
        times_ms, features, targets, trial_ms=params.trial_ms, n_classes=params.n_output
    )
