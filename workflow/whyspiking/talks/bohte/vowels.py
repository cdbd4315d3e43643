"""Recorded vowels as events of their cepstral coefficients: who speaks (README, section 14)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import vowels
from whyspiking.errors import UserError
from whyspiking.talks.bohte import one_class, training
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.ecg import control_counts
from whyspiking.talks.bohte.network import reference_counts
from whyspiking.talks.bohte.one_class import decode, evaluate

__all__ = [
    "bind", "control_counts", "decode", "evaluate", "make_task", "reference_counts", "to_brian",
    "train",
]  # fmt: skip


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Utterances of one split, the same for all seeds; "fresh" does not exist.

    The nine speakers are the classes, so every trial stands for itself.
    """
    return None if split == "fresh" else one_class.task_of(params, *utterances(params, split))


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one variant."""
    return training.train_classes(
        params, variant, streams, progress, lambda split: utterances(params, split)
    )


def utterances(params: ct.Params, split: ct.Split) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Events (trial, time, channel) and speakers (trial,), as recorded.

    Args:
        params: `step_ms`, which divides a frame, `n_steps`, `level`; the last `n_validation`
            utterances of every speaker in the training file are for validation; at most `n_most` of
            a speaker in each split.
        split: "train", "validation" or "test".

    Raises:
        UserError: If the data set has not been fetched.
    """
    if params.dataset_dir is None:
        raise UserError(f"talk '{params.talk}': no folder of vowels; run snakemake")
    series, speakers = _standardised(params.dataset_dir, split, params.n_validation)
    chosen = np.flatnonzero(_rank(speakers) < params.n_most)
    shown, per_frame = [series[k] for k in chosen], round(vowels.FRAME_MS / params.step_ms)
    return crossings(shown, params.level, per_frame, params.n_steps), speakers[chosen]


def crossings(
    series: Sequence[NDArray], level: float, steps_per_frame: int, n_steps: int
) -> NDArray[np.bool_]:
    """Events "up" and "down" of every coefficient that moves by a level (README, Eq. 23).

    Args:
        series: Coefficients of each utterance, (frame, coefficient), linear between frames.
        level: Size of the steps of the reference, which starts at 0.
        steps_per_frame: Steps from one frame to the next; at most one event a coefficient in each.
        n_steps: Steps of a trial; there are no events after the last frame.

    Returns:
        (trial, time, 2 x coefficient), ups first.
    """
    longest = max(len(one) for one in series)
    frames = np.arange((longest - 1) * steps_per_frame + 1) / steps_per_frame
    # NaN where an utterance has ended: it crosses nothing.
    course = np.full((len(series), frames.size, series[0].shape[1]), np.nan)
    for own, one in zip(course, series, strict=True):
        spoken = frames <= len(one) - 1
        for k, values in enumerate(one.T):
            own[spoken, k] = np.interp(frames[spoken], np.arange(len(one)), values)
    found = np.zeros((len(series), n_steps, 2, course.shape[2]), bool)
    reference = np.zeros_like(course[:, 0])
    for step in range(frames.size):
        gap = course[:, step] - reference
        found[:, step, 0], found[:, step, 1] = gap >= level, gap <= -level
        reference += level * (found[:, step, 0].astype(float) - found[:, step, 1])
    return found.reshape(len(series), n_steps, -1)


def _rank(labels: NDArray) -> NDArray[np.int64]:
    """Of each utterance, how many of the same speaker stand before it."""
    before = labels[:, None] == labels
    return np.tril(before, -1).sum(axis=1)


@functools.lru_cache(maxsize=3)
def _standardised(
    folder: Path, split: ct.Split, n_validation: int
) -> tuple[list[NDArray], NDArray[np.int64]]:
    """Utterances of a split, in standard deviations of all frames that are learned from."""
    series, speakers = vowels.load(folder, "train")
    held_out = _rank(speakers) >= np.bincount(speakers)[speakers] - n_validation
    learned = np.concatenate([series[k] for k in np.flatnonzero(~held_out)])
    chosen = held_out == (split == "validation")
    if split == "test":
        series, speakers = vowels.load(folder, "test")
        chosen = np.full(len(series), True)
    mean, sd = learned.mean(axis=0), learned.std(axis=0)
    return [(series[k] - mean) / sd for k in np.flatnonzero(chosen)], speakers[chosen]
