"""Tasks that all talks share, learned by one layer in steps (README, section 10)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Binding,
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Task,
    Trials,
)
from whyspiking.datasets import shared
from whyspiking.datasets.recordings import Recordings
from whyspiking.talks.neftci import digits, learning, model
from whyspiking.talks.neftci import task as tasks


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The task, its spikes at the starts of the steps of the network."""
    trial_ms = tasks.own(params).n_frames * params.dt_ms
    return shared.task_on_steps(
        params, split, step_ms=params.dt_ms, trial_ms=trial_ms, name=tasks.INPUT
    )


def raster(params: Params, spikes: Spikes) -> NDArray[np.bool_]:
    """Who fires in each step, (trial, step, input)."""
    return spikes.raster(spikes.steps(params.dt_ms), tasks.own(params).n_frames)


def rounds(params: Params) -> learning.Rounds:
    """Training data: the same in every epoch, or fresh trials in every round."""

    def packed(spikes: Spikes, classes: NDArray) -> Recordings:
        frames = np.packbits(raster(params, spikes), axis=2)
        return Recordings(classes, frames, spikes.n_units, None)

    def of(split: Split) -> Recordings:
        found = make_task(params, split, Streams(params.seed))
        assert found is not None
        return packed(found.stimulus.spikes[tasks.INPUT], found.targets)

    def fresh(index: int) -> Recordings:
        n = min(shared.CHUNK, params.n_train - index * shared.CHUNK)
        return packed(*shared.trials(params, "train", n, index))

    if shared.delayed(params):
        return learning.Rounds(-(-params.n_train // shared.CHUNK), fresh, of("validation"))
    always = of("train")
    return learning.Rounds(params.epochs, lambda _: always, of("validation"))


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant."""
    return learning.fit(tasks.own(params), variant, streams, progress, rounds(params))


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Decisions in the engine of training."""
    return digits.evaluate(tasks.own(params), variant, network, task)


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spike counts in the engine of training."""
    return digits.reference_counts(tasks.own(params), variant, network, task)


def to_brian(params: Params) -> BrianModel:
    """As `model.to_brian`."""
    return model.to_brian(tasks.own(params))


def bind(params: Params, network: Network) -> Binding:
    """As `model.bind`."""
    return model.bind(tasks.own(params), network)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """As `model.decode`."""
    return model.decode(tasks.own(params), recording, task)
