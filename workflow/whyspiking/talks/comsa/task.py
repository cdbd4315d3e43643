"""Input spikes of the tasks: digits of MNIST as latencies (README, Eq. 1), shared tasks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist
from whyspiking.tasks import task_data
from whyspiking.training.first_spike import encoding

CHUNK = 200
"""Images that are encoded at a time; the float64 in between stays in the cache."""


def input_times(features: NDArray, params: ct.Params) -> NDArray[np.float32]:
    """Encode inputs as spike times in time units.

    Args:
        features: p/256 of pixels: bright ones fire early, the background stays silent (inf); of a
            shared task its times in [0, 1]. (sample, input)
        params: `t_window`, the width of the input window.
    """
    if task_data.takes_part(params):
        return (features * params.t_window).astype(np.float32)
    return np.concatenate(
        [
            encoding.latencies(chunk, 0.0, params.t_window, background=False).astype(np.float32)
            for chunk in np.array_split(features, max(1, len(features) // CHUNK))
        ]
    )


def samples(params: ct.Params, split: ct.Split, streams: Streams) -> tuple[NDArray, NDArray]:
    """Features and classes of one split.

    The training file of MNIST is divided anew for every seed, as in the published program.

    Args:
        params: Sizes of the splits.
        split: "train", "validation" or "test".
        streams: Randomness: "split".

    Returns:
        Brightness p/256 (sample, pixel), float32, or of a shared task its times in [0, 1]; and
        classes (sample,).

    Raises:
        UserError: If the images do not fit the network, or there are too few.
    """
    if task_data.takes_part(params):
        shared_samples = task_data.latencies(params, split)
        assert shared_samples is not None  # only "fresh" does not exist
        return shared_samples.features, shared_samples.classes
    images, classes = mnist.samples(params, split, n_held_out=params.n_validation, streams=streams)
    return images.astype(np.float32) / np.float32(256), classes


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The inputs and targets of one split; "fresh" does not exist."""
    if split == "fresh":
        return None
    features, targets = samples(params, split, streams)
    times_ms = input_times(features, params) * np.float32(params.unit_ms)
    return encoding.as_task(
        times_ms, features, targets, trial_ms=params.trial_ms, n_classes=params.n_output
    )
