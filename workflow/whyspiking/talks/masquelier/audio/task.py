"""Spoken words as frames of a mel spectrum (README, section 10)."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Split, Stimulus, Task
from whyspiking.datasets import words
from whyspiking.datasets.prepared import Part
from whyspiking.errors import UserError
from whyspiking.talks.masquelier.audio.model import lag_of, stacked

INPUT = "mel"
SMALLEST = 0.1
"""Smallest standard deviation that a band is divided by."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The words of one split, the same for all seeds; "fresh" does not exist.

    "test" is all that the held-out speakers say and a tenth of the rest; its units are the voices.
    """
    if split == "fresh":
        return None
    frames, labels, voices = _kept(params, split)
    # Brian2 gets the taps of the first layer side by side, and rows of zeros while layers lag.
    taps = stacked(frames, params.kernel, params.dilations[0])
    rows = np.zeros((len(taps), params.n_frames + lag_of(params), taps.shape[2]), np.float32)
    rows[:, : params.n_frames] = taps
    return Task(
        stimulus=Stimulus(arrays={INPUT: rows}),
        targets=labels,
        n_classes=params.n_words,
        features=frames,
        units=voices,
    )


def samples(params: Params, split: Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Frames (trial, time, band) and classes (trial,) of one split.

    Every band has mean 0 and standard deviation 1 over its clip (README, Eq. 8).

    Raises:
        UserError: If there is no data set, or it has other words than the network.
    """
    frames, labels, _ = _kept(params, split)
    return frames, labels


def _kept(params: Params, split: Split) -> tuple[NDArray, NDArray, NDArray]:
    """Frames, classes and voices (trial,) of the words that the network knows."""
    if params.dataset_dir is None:
        raise UserError(
            f"talk '{params.talk}': experiment '{params.experiment}' uses no data set. Correct "
            "the name of the experiment"
        )
    frames, labels, voices = _loaded(params.dataset_dir, split, tuple(params.validation_speakers))
    kept = labels < params.n_words
    if frames.shape[1:] != (params.n_frames, params.n_bands) or labels[kept].max() + 1 != (
        params.n_words
    ):
        raise UserError(
            f"talk '{params.talk}': words of {params.dataset_dir} have {frames.shape[1]} frames, "
            f"{frames.shape[2]} bands and {labels.max() + 1} classes; the network expects "
            f"{params.n_frames}, {params.n_bands} and {params.n_words}. Correct talk.yaml or "
            "'data.words' in the config"
        )
    return frames[kept], labels[kept], voices[kept]


@functools.lru_cache(maxsize=3)
def _loaded(
    folder: Path, split: Split, speakers: tuple[int, ...]
) -> tuple[NDArray, NDArray, NDArray]:
    if split == "test":
        parts = [words.load(folder, part) for part in ("test_seen", "test_heldout")]
    else:
        own: Part = "train" if split == "train" else "validation"
        parts = [words.load(folder, own, validation_speakers=speakers)]
    log_mel = np.concatenate([part.log_mel for part in parts])
    labels, voices = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "speakers")
    )
    mean, deviation = (f(log_mel, axis=1, keepdims=True) for f in (np.mean, np.std))
    frames = ((log_mel - mean) / np.maximum(deviation, SMALLEST)).astype(np.float32)
    return frames, labels, voices
