"""Digits as an event camera sees them (README, section 1), and what shared tasks fix."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params, Split, Stimulus, Task
from whyspiking.datasets import mnist, nmnist, recordings, shared
from whyspiking.datasets.nmnist import Grid
from whyspiking.datasets.recordings import Recordings
from whyspiking.errors import UserError

INPUT = "events"
IMAGES = "mnist"
"""Data set of an experiment that records its digits itself, in steps that the config has not."""
AT_ONCE = 1000
"""Training digits recorded at once."""


def own(params: Params) -> Params:
    """What the shared task fixes, under the names that the network has for it.

    The steps that count are those in which delayed XOR asks for the answer; of a task whose inputs
    fire once, the last `counted_ms`. Parameters of other experiments stay as they are.
    """
    if not shared.takes_part(params):
        return params
    if shared.delayed(params):
        settings = shared.settings_of(params)
        trial_ms, first_ms = settings.trial_ms, settings.go_ms
    else:
        trial_ms, first_ms = params.trial_ms, params.trial_ms - params.counted_ms
    named = {
        "hidden": [params.n_hidden],
        "n_classes": params.n_output,
        "n_frames": round(trial_ms / params.dt_ms),
        "burn_in_ms": first_ms,
    }
    return replace(params, values={**params.values, **named})


def grid(params: Params) -> Grid:
    """The 0/1 frames that the network sees."""
    return Grid(float(params.dt_ms), params.n_frames, params.pool)


def recordings_of(params: Params, split: Split) -> Recordings:
    """Frames and labels of one split, as many digits as the experiment asks for.

    Raises:
        UserError: If the data set is missing, has other frames, or too few digits.
    """
    if params.dataset_dir is None:
        raise UserError(
            f"talk '{params.talk}': its data set has no folder; check 'data' in talk.yaml"
        )
    n = getattr(params, f"n_{split}")
    if params.dataset_dir.name == IMAGES:
        return _record(params.dataset_dir, split, grid(params), n)
    found = _load(params.dataset_dir, split, grid(params))
    if n > len(found.labels):
        raise UserError(
            f"talk '{params.talk}': 'n_{split}' is {n}, but the data set has {len(found.labels)} "
            f"digits; raise 'data.nmnist.{split}' in the config"
        )
    events = found.events
    return Recordings(
        found.labels[:n],
        found.frames[:n],
        found.n_channels,
        None if events is None else nmnist.first_recordings(events, n),
    )


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Digits of one split; test digits with the exact times of events, others with frames only.

    Of several events of an input in one frame the first is given: the network sees no more.
    """
    if split == "fresh":
        return None
    data = recordings_of(params, split)
    spikes = {}
    if data.events is not None and params.dataset_dir is not None:
        spikes[INPUT] = _first_events(params.dataset_dir, split, grid(params), len(data.labels))
    return Task(
        stimulus=Stimulus(spikes),
        targets=data.labels,
        n_classes=params.n_classes,
        features=counts(data),
    )


def counts(data: Recordings) -> NDArray[np.float32]:
    """Frames in which each input is active, over a tenth of all frames, (trial, input)."""
    total = np.zeros((len(data.labels), data.n_channels), np.float32)
    for first in range(0, len(total), 500):
        part = slice(first, first + 500)
        total[part] = np.unpackbits(data.frames[part], axis=2, count=data.n_channels).sum(axis=1)
    return total * (10 / data.frames.shape[1])


def features_until(params: Params, task: Task, t_ms: float) -> NDArray[np.float32]:
    """`counts` of the events up to a time, over a tenth of the frames so far, (trial, input).

    Args:
        params: Parameters of the experiment.
        task: From `make_task`, with its events.
        t_ms: Time of asking. Frame k takes in what comes within half a step of k steps.
    """
    spikes = task.stimulus.spikes[INPUT]
    come = spikes.times_ms <= t_ms
    so_far = replace(
        spikes, times_ms=spikes.times_ms[come], units=spikes.units[come], trials=spikes.trials[come]
    )
    frames = min(t_ms / params.dt_ms + 0.5, params.n_frames)
    return so_far.counts().astype(np.float32) * (10 / frames)


def as_spikes(params: Params, data: Recordings, chosen: NDArray) -> Task:
    """Some digits of which only frames are kept: spikes in the middle of what a frame takes in."""
    spikes = Spikes.from_raster(data.unpacked(chosen).transpose(1, 0, 2), params.dt_ms)
    return Task(Stimulus({INPUT: spikes}), data.labels[chosen], params.n_classes)


def frames_of(params: Params, spikes: Spikes) -> NDArray[np.float32]:
    """0/1 frames (time, trial, input) of input spikes, binned as Brian2 does."""
    frame = np.floor(spikes.times_ms / params.dt_ms + 0.5).astype(int)
    found = spikes.raster(frame, params.n_frames).transpose(1, 0, 2)
    return found.astype(np.float32, order="C")


def duration_ms(params: Params) -> float:
    """Length of a trial in ms."""
    return float(params.dt_ms * params.n_frames)


@functools.lru_cache(maxsize=4)
def _load(folder: Path, split: str, frames: Grid) -> Recordings:
    return recordings.load(folder, split, frames)


@functools.lru_cache(maxsize=4)
def _record(folder: Path, split: Split, frames: Grid, n: int) -> Recordings:
    """The first n digits of a split, the same recordings as in the data set, in other frames."""
    part = recordings.SPLITS[split]
    images, labels = mnist.load(folder, part)
    first = recordings.HELD_OUT_FROM if split == "validation" else 0
    if first + n > len(labels):
        raise UserError(
            f"neftci: 'n_{split}' is {n}, but MNIST has {len(labels) - first} such digits; lower "
            "it (talk.yaml)"
        )
    events, packed = None, []
    # Test digits at once, since their events are kept.
    at_once = n if split == "test" else AT_ONCE
    for start in range(first, first + n, at_once):
        numbers = range(start, min(start + at_once, first + n))
        events = nmnist.simulate(images[numbers.start : numbers.stop], part, numbers)
        packed.append(np.packbits(nmnist.frames(events, frames), axis=2))
    return Recordings(
        labels[first : first + n].astype(np.int64),
        np.concatenate(packed),
        frames.n_channels,
        events if split == "test" else None,
    )


@functools.lru_cache(maxsize=1)
def _first_events(folder: Path, split: Split, frames: Grid, n: int) -> Spikes:
    """The first event of every input in every frame, at its exact time; of n digits.

    Kept, for all networks of an experiment see the same digits, and sorting takes a second.
    """
    own = folder.name == IMAGES
    events = (_record(folder, split, frames, n) if own else _load(folder, split, frames)).events
    assert events is not None
    trial, channel, time_ms = nmnist.first_events(nmnist.first_recordings(events, n), frames)
    return Spikes.sorted(
        time_ms, channel, trial,
        n_trials=n, n_units=frames.n_channels, duration_ms=frames.dt_ms * frames.n_frames,
    )  # fmt: skip
