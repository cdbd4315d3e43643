"""Spoken digits as spikes of an ear: one class per utterance (README, section 10).

In `digits_counted` every channel fires equally often in all utterances.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import spoken
from whyspiking.errors import UserError
from whyspiking.talks.bohte import one_class, training
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.network import reference_counts
from whyspiking.talks.bohte.one_class import decode, evaluate

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

AT_ONCE = 256
"""Utterances whose spikes are drawn at once: memory, and with it the order of the draws."""


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Utterances of one split, at most one spike per channel and step.

    They are the same for all seeds; where counts are made equal, each seed draws its own spikes.
    What generalises is the voice: the unit of a trial is who spoke.

    "test" are speakers that no other split has; "fresh" does not exist.

    Raises:
        UserError: If the data set has not been made.
    """
    if split == "fresh":
        return None
    x, labels, voices = _utterances(params, split)
    x = equalised(params, x, streams.rng(f"counts {split}"))
    return one_class.task_of(params, x, labels, voices)


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one variant."""
    return training.train_classes(
        params, variant, streams, progress, lambda split: shown(params, split, streams)
    )


def shown(params: ct.Params, split: ct.Split, streams: Streams) -> tuple[NDArray, NDArray]:
    """What the network is trained or validated on: (trial, time, channel), classes (trial,)."""
    x, labels, _ = _utterances(params, split)
    if split == "train":
        x, labels = shifted(x, labels, params.shifts)
    return equalised(params, x, streams.rng(f"counts {split}")), labels


def equalised(
    params: ct.Params, x: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """The utterances, each channel as often as in the quantile `count_quantile` of training ones.

    Args:
        params: Of the experiment; most have no `count_quantile`, and their counts stay.
        x: (trial, time, channel).
        rng: See `with_counts`.
    """
    if "count_quantile" not in params.values:
        return x
    counts = _utterances(params, "train")[0].sum(axis=1)
    wanted = np.quantile(counts, params.count_quantile, axis=0, method="lower")
    return with_counts(x, wanted, rng)


def with_counts(
    x: NDArray[np.bool_], wanted: NDArray, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Every channel fires as often as wanted in each trial: counts tell nothing, times may.

    Of more spikes some are drawn; what is missing is added in steps drawn among those that are
    free. (The spikes that Yu, Sun, Akarca & Goodman, arXiv 2507.16043, draw are the fewest of a
    channel in any utterance: here that is none. They add none.)

    Args:
        x: (trial, time, channel).
        wanted: Spikes of each channel, at most as many as there are steps, (channel,).
        rng: Draws them.
    """
    found = np.empty_like(x)
    chosen = np.arange(x.shape[1])[:, None] < wanted
    for start in range(0, len(x), AT_ONCE):
        own = x[start : start + AT_ONCE]
        # In random order, with the spikes that are there before the free steps.
        order = (rng.random(own.shape) - own).argsort(axis=1)
        drawn = np.broadcast_to(chosen, own.shape)
        np.put_along_axis(found[start : start + AT_ONCE], order, drawn, axis=1)
    return found


def shifted(x: NDArray[np.bool_], labels: NDArray, shifts: list[int]) -> tuple[NDArray, NDArray]:
    """The utterances, and copies moved along the channels: other throats.

    Args:
        x: (trial, time, channel).
        labels: (trial,).
        shifts: Channels by which copies are moved; 0 is the utterance itself.
    """
    copies = []
    for shift in shifts:
        moved = np.roll(x, shift, axis=2)
        moved[:, :, :shift] &= shift <= 0
        if shift < 0:
            moved[:, :, shift:] = False
        copies.append(moved)
    return np.concatenate(copies), np.tile(labels, len(shifts))


def _utterances(params: ct.Params, split: ct.Split) -> tuple[NDArray, ...]:
    """Spikes (trial, time, channel), classes and speakers (trial,), as recorded."""
    if params.dataset_dir is None:
        raise UserError(f"talk '{params.talk}': no folder of spoken digits; run snakemake")
    step_ms = float(params.step_ms)
    found = _frames(
        params.dataset_dir, "test_heldout" if split == "test" else split, params.n_input,
        params.n_steps * step_ms, step_ms, tuple(params.validation_speakers),
    )  # fmt: skip
    return tuple(array[: params.n_most] for array in found)


@functools.lru_cache(maxsize=3)
def _frames(
    folder: Path,
    part: Literal["train", "validation", "test_heldout"],
    n_channels: int,
    duration_ms: float,
    step_ms: float,
    validation_speakers: tuple[int, ...],
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    found = spoken.load(
        folder,
        part,
        n_channels=n_channels,
        duration_ms=duration_ms,
        validation_speakers=validation_speakers,
    )
    return found.frames(step_ms) > 0, found.labels, found.speakers
