"""Spoken digits as spikes of an ear: one class per utterance (README, section 10)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import Params, Split, Stimulus, Task, Trials
from whyspiking.datasets import spoken
from whyspiking.errors import UserError
from whyspiking.spikes import Spikes

EXPERIMENTS = {"spoken": "test_heldout", "spoken_seen": "test_seen"}
"""Experiment -> part of the data set that it is tested on; both are about the same networks."""
Part = Literal["train", "validation", "test_heldout", "test_seen"]


def make_task(params: Params, split: Split) -> Task | None:
    """Utterances of one split, at most one spike per channel and step.

    Args:
        params: Sizes and the folder of the data set.
        split: "test" are speakers, or further utterances, by experiment; "fresh" does not exist.

    Raises:
        UserError: If the data set has not been made.
    """
    if split == "fresh":
        return None
    if params.dataset_dir is None:
        raise UserError(f"talk '{params.talk}': no folder of spoken digits; run snakemake")
    part = EXPERIMENTS[params.experiment] if split == "test" else split
    duration_ms = params.n_steps * float(params.step_ms)
    counts, labels = _frames(
        params.dataset_dir,
        part,
        params.n_input,
        duration_ms,
        float(params.step_ms),
        tuple(params.validation_speakers),
    )
    counts, labels = counts[: params.n_most], labels[: params.n_most]
    trials, steps, units = np.nonzero(counts)
    spikes = Spikes(
        steps.astype(np.float64) * float(params.step_ms),
        units.astype(np.int32),
        trials.astype(np.int32),
        len(counts),
        counts.shape[2],
        duration_ms,
    )
    return Task(
        stimulus=Stimulus(spikes={"input": spikes}),
        targets=labels,
        n_classes=params.n_output,
        # All that a classifier without time can know.
        features=counts.sum(axis=1).astype(np.float32),
    )


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


def outcome(params: Params, outputs: NDArray, task: Task) -> Trials:
    """The class whose softmax, summed over the trial, is largest (README, Eq. 16).

    The decision falls at the end of the step from which on the running sum names no other class.

    Args:
        params: Parameters of the experiment.
        outputs: (trial, time, class).
        task: The trials.
    """
    running = _summed(params, outputs).argmax(axis=2)
    other = running != running[:, -1:]
    # One after the last step that still names another class.
    step = np.where(other.any(axis=1), other.shape[1] - other[:, ::-1].argmax(axis=1), 0)
    step = np.maximum(step, params.n_unscored)
    return Trials(
        targets=np.asarray(task.targets, np.int64),
        choices=running[:, -1],
        decision_ms=(step + 1.0) * float(params.step_ms),
        n_classes=task.n_classes,
    )


def chosen(params: Params, outputs: NDArray) -> NDArray[np.int64]:
    """The class at the end of every trial, (trial,); arguments as for `outcome`."""
    return _summed(params, outputs)[:, -1].argmax(axis=1)


def _summed(params: Params, outputs: NDArray) -> NDArray:
    """Softmax summed up to every step, from the first scored one on."""
    shares = np.exp(outputs - outputs.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    shares[:, : params.n_unscored] = 0
    return shares.cumsum(axis=1)


@functools.lru_cache(maxsize=3)
def _frames(
    folder: Path,
    part: Part,
    n_channels: int,
    duration_ms: float,
    step_ms: float,
    validation_speakers: tuple[int, ...],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    found = spoken.load(
        folder,
        part,
        n_channels=n_channels,
        duration_ms=duration_ms,
        validation_speakers=validation_speakers,
    )
    return found.frames(step_ms) > 0, found.labels
