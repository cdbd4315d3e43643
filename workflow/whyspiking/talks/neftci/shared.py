"""Tasks that all talks share, learned by one layer in steps (README, section 9)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets.recordings import Recordings
from whyspiking.talks.neftci import brian_network, digits, training
from whyspiking.talks.neftci import task as tasks
from whyspiking.tasks import generators, task_data


def own(params: ct.Params) -> ct.Params:
    """Parameters that the shared task fixes, under the names that the network has for them.

    The steps that count are the last `counted_ms`; on a task with time, those of its answer.
    Parameters of other experiments stay as they are.
    """
    if not task_data.takes_part(params):
        return params
    with_time = generators.is_stream(params.shared_task)
    task_values = {
        "hidden": [params.n_hidden],
        "n_classes": params.n_output,
        "n_frames": round(params.trial_ms / params.dt_ms),
        "burn_in_ms": params.trial_ms - (params.answer_ms if with_time else params.counted_ms),
    }
    return replace(params, values={**params.values, **task_values})


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The task, its spikes at the starts of the steps of the network."""
    return _make_samples(params, split)


def _make_samples(params: ct.Params, split: ct.Split, epoch: int = 0) -> ct.Task | None:
    trial_ms = own(params).n_frames * params.dt_ms
    return task_data.task_on_steps(
        params, split, step_ms=params.dt_ms, trial_ms=trial_ms, name=tasks.INPUT, epoch=epoch
    )


def rounds(params: ct.Params) -> training.Rounds:
    """Training data of every epoch."""

    def load_samples(split: ct.Split, epoch: int = 0) -> Recordings:
        task = _make_samples(params, split, epoch)
        assert task is not None
        input_spikes = task.stimulus.spikes[tasks.INPUT]
        raster = input_spikes.raster(input_spikes.steps(params.dt_ms), own(params).n_frames)
        return Recordings(task.targets, np.packbits(raster, axis=2), input_spikes.n_units, None)

    load_part = functools.lru_cache(maxsize=1)(functools.partial(load_samples, "train"))
    return training.Rounds(
        params.epochs,
        lambda epoch: load_part(task_data.part_of(params, epoch)),
        load_samples("validation"),
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant."""
    return training.fit(own(params), variant, streams, progress, rounds(params))


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Decisions in the engine of training."""
    return digits.evaluate(own(params), variant, network, task)


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spike counts in the engine of training."""
    return digits.reference_counts(own(params), variant, network, task)


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure in Brian2."""
    return brian_network.to_brian(own(params))


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into that structure."""
    return brian_network.bind(own(params), network)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """The class with the largest sum of the readout."""
    return brian_network.decode(own(params), recording, task)
