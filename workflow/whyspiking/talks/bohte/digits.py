"""Spoken digits as spikes of an ear: one class per utterance (README, section 10)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Network,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.datasets import spoken
from whyspiking.errors import UserError
from whyspiking.talks.bohte import learning, simulation
from whyspiking.talks.bohte.decisions import outcome
from whyspiking.talks.bohte.learning import reference_counts
from whyspiking.talks.bohte.simulation import bind, to_brian
from whyspiking.talks.bohte.task import raster

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

TESTED_ON = {"spoken": "test_heldout", "spoken_seen": "test_seen"}
"""Experiment -> part of the data set that it is tested on; both are about the same networks."""
Part = Literal["train", "validation", "test_heldout", "test_seen"]


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Utterances of one split, at most one spike per channel and step, the same for all seeds.

    What generalises is the voice: the unit of a trial is who spoke.

    "test" are speakers, or further utterances, by experiment; "fresh" does not exist.

    Raises:
        UserError: If the data set has not been made.
    """
    if split == "fresh":
        return None
    if params.dataset_dir is None:
        raise UserError(f"talk '{params.talk}': no folder of spoken digits; run snakemake")
    part = TESTED_ON[params.experiment] if split == "test" else split
    step_ms, speakers = float(params.step_ms), tuple(params.validation_speakers)
    found = _frames(
        params.dataset_dir, part, params.n_input, params.n_steps * step_ms, step_ms, speakers
    )
    counts, labels, voices = (array[: params.n_most] for array in found)
    return Task(
        stimulus=Stimulus(spikes={"input": Spikes.from_raster(counts, params.step_ms)}),
        targets=labels,
        n_classes=params.n_output,
        # All that a classifier without time can know.
        features=counts.sum(axis=1).astype(np.float32),
        units=voices,
    )


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant."""
    prepared = learning.classes(
        params, variant, *(shown(params, s, streams) for s in ("train", "validation"))
    )
    return learning.train(params, variant, streams, progress, prepared)


def shown(params: Params, split: Split, streams: Streams) -> tuple[NDArray, NDArray]:
    """What the network is trained or validated on: (trial, time, channel), classes (trial,)."""
    part = make_task(params, split, streams)
    assert part is not None
    x = raster(params, part)
    return shifted(x, part.targets, params.shifts) if split == "train" else (x, part.targets)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Classify the trials of a task in the engine of training."""
    return outcome(params, learning.outputs(params, network, task), task)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """What the outputs say: a class for every trial."""
    return outcome(params, simulation.outputs(params, recording), task)


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


@functools.lru_cache(maxsize=3)
def _frames(
    folder: Path,
    part: Part,
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
