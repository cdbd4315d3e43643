"""Where the spikes come from: digits of MNIST and shared tasks, as latencies on whole ticks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Split, Task
from whyspiking.datasets import mnist
from whyspiking.errors import UserError
from whyspiking.talks.masquelier.network import Events, order_spikes
from whyspiking.tasks import task_data
from whyspiking.training.first_spike import encoding

WHITE = 255


def ticks(images: NDArray, t_max: int) -> NDArray[np.uint16]:
    """Spike times of pixels in ticks (README, Eq. 1); black ones never fire: Tmax.

    Args:
        images: Brightness 0 to 255, uint8, any shape.
        t_max: Length of a trial in ticks.
    """
    levels = encoding.latencies(
        np.arange(WHITE + 1) / WHITE, 0, t_max, background=False, is_whole=True
    )
    return np.minimum(levels, t_max).astype(np.uint16)[images]


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The inputs and targets of one split, the same for all seeds; "fresh" does not exist.

    Raises:
        UserError: If the images have another size than the network.
    """
    if split == "fresh":
        return None
    values, labels = samples(params, split)
    first = first_ticks(params, values).astype(float)
    first[first >= params.t_max] = np.inf
    return encoding.as_task(
        first * params.tick_ms,
        features(params, values),
        labels,
        trial_ms=params.t_max * params.tick_ms,
        n_classes=params.n_output,
    )


def samples(params: Params, split: Split) -> tuple[NDArray, NDArray[np.int64]]:
    """Samples (sample, input) and classes (sample,) of one split, before they become spikes.

    Returns:
        Images as brightness 0 to 255, uint8; of a shared task its times as shares of the window.

    Raises:
        UserError: If the images have another size than the network.
    """
    if task_data.takes_part(params):
        drawn = task_data.latencies(params, split)
        assert drawn is not None
        return drawn.features, drawn.classes
    return mnist.samples(params, split, n_held_out=n_held_out(params))


def n_held_out(params: Params) -> int:
    """How many images of the training file are for validation: none if the last epoch is kept.

    Raises:
        UserError: If there is no such way to choose the epoch.
    """
    if params.keep_epoch not in ("best", "last"):
        raise UserError(
            f"Parameter 'keep_epoch' of talk '{params.talk}' is {params.keep_epoch!r}. It must be "
            "'best' or 'last'. Correct it in talk.yaml."
        )
    return params.n_held_out if params.keep_epoch == "best" else 0


def features(params: Params, values: NDArray) -> NDArray:
    """Samples as non-spiking controls see them, from 0 to 1."""
    return values if task_data.takes_part(params) else values.astype(np.float32) / np.float32(WHITE)


def first_ticks(params: Params, values: NDArray) -> NDArray[np.uint16]:
    """Spike times of samples in ticks; the window of a shared task ends at `last_tick`."""
    if not task_data.takes_part(params):
        return ticks(values, params.t_max)
    # What is whole but for rounding stays, as in the code of images.
    return np.floor(values * params.last_tick + 1e-9).astype(np.uint16)


def events(params: Params, values: NDArray) -> Events:
    """The spikes of samples in the order in which the engines read them."""
    return order_spikes(first_ticks(params, values), params.t_max)


def events_of(params: Params, task: Task) -> Events:
    """The same from a task, whose spikes may have been moved; a tick is the nearest one."""
    first = task.stimulus.spikes["input"].first_ms() / params.tick_ms
    whole = np.where(first < params.t_max - 0.5, np.floor(first + 0.5), params.t_max)
    return order_spikes(whole.astype(np.uint16), params.t_max)
