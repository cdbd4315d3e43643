"""Digits as an event camera sees them (README, section 1)."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.datasets import nmnist, recordings
from whyspiking.datasets.nmnist import Grid
from whyspiking.datasets.recordings import Recordings
from whyspiking.errors import UserError

INPUT = "events"


def grid(params: ct.Params) -> Grid:
    """The 0/1 frames that the network sees."""
    return Grid(float(params.dt_ms), params.n_frames, params.pool)


def recordings_of(params: ct.Params, split: ct.Split) -> Recordings:
    """Frames and labels of one split, as many digits as the experiment asks for.

    Raises:
        UserError: If the data set is missing, has other frames, or too few digits.
    """
    if params.dataset_dir is None:
        raise UserError(
            f"talk '{params.talk}': its data set has no folder. Check 'data' in talk.yaml"
        )
    n = getattr(params, f"n_{split}")
    stored = _load(params.dataset_dir, split, grid(params))
    if n > len(stored.labels):
        raise UserError(
            f"talk '{params.talk}': 'n_{split}' is {n}, but the data set has {len(stored.labels)} "
            f"digits. Raise 'data.nmnist.{split}' in the config"
        )
    events = None if stored.events is None else nmnist.recordings(stored.events, 0, n)
    return Recordings(stored.labels[:n], stored.frames[:n], stored.n_channels, events)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Digits of one split; test digits with the exact times of events, others with frames only.

    Of several events of an input in one frame the first is given: the network sees no more.
    """
    if split == "fresh":
        return None
    data = recordings_of(params, split)
    spikes = {}
    if data.events is not None and params.dataset_dir is not None:
        spikes[INPUT] = _first_events(params.dataset_dir, split, grid(params), len(data.labels))
    return ct.Task(
        stimulus=ct.Stimulus(spikes),
        targets=data.labels,
        n_classes=params.n_classes,
        features=counts(data),
    )


def counts(data: Recordings) -> NDArray[np.float32]:
    """Frames in which each input is active, over a tenth of all frames, (trial, input)."""
    n_active = np.zeros((len(data.labels), data.n_channels), np.float32)
    for first_trial in range(0, len(n_active), 500):
        trials = slice(first_trial, first_trial + 500)
        n_active[trials] = np.unpackbits(data.frames[trials], axis=2, count=data.n_channels).sum(
            axis=1
        )
    return n_active * (10 / data.frames.shape[1])


def features_until(params: ct.Params, task: ct.Task, t_ms: float) -> NDArray[np.float32]:
    """`counts` of the events up to a time, over a tenth of the frames so far, (trial, input).

    Args:
        params: Parameters of the experiment.
        task: From `make_task`, with its events.
        t_ms: Time of asking. Frame k takes in what comes within half a step of k steps.
    """
    spikes = task.stimulus.spikes[INPUT]
    so_far = spikes.keep(spikes.times_ms <= t_ms)
    frames = min(t_ms / params.dt_ms + 0.5, params.n_frames)
    return so_far.counts().astype(np.float32) * (10 / frames)


def as_spikes(params: ct.Params, data: Recordings, digits: NDArray) -> ct.Task:
    """Some digits of which only frames are kept: spikes in the middle of what a frame takes in."""
    spikes = Spikes.from_raster(data.unpacked(digits).transpose(1, 0, 2), params.dt_ms)
    return ct.Task(ct.Stimulus({INPUT: spikes}), data.labels[digits], params.n_classes)


def frames_of(params: ct.Params, spikes: Spikes) -> NDArray[np.float32]:
    """0/1 frames (time, trial, input) of input spikes, binned as Brian2 does."""
    frame = np.floor(spikes.times_ms / params.dt_ms + 0.5).astype(int)
    raster = spikes.raster(frame, params.n_frames).transpose(1, 0, 2)
    return raster.astype(np.float32, order="C")


@functools.lru_cache(maxsize=4)
def _load(folder: Path, split: str, frames: Grid) -> Recordings:
    return recordings.load(folder, split, frames)


@functools.lru_cache(maxsize=1)
def _first_events(folder: Path, split: ct.Split, frames: Grid, n: int) -> Spikes:
    """The first event of every input in every frame, at its exact time; of n digits.

    Kept, for all networks of an experiment see the same digits, and sorting takes a second.
    """
    events = _load(folder, split, frames).events
    assert events is not None
    trial, channel, time_ms = nmnist.first_events(nmnist.recordings(events, 0, n), frames)
    duration_ms = frames.dt_ms * frames.n_frames
    return Spikes(time_ms, channel, trial, n, frames.n_channels, duration_ms)
