"""The contract of a talk for all tasks: floors, and networks that nobody trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.talks.ground import floors, neurons, sound, span, tasks, volley
from whyspiking.talks.ground.neurons import bind
from whyspiking.talks.ground.tasks import make_task

__all__ = ["bind", "control_counts", "decode", "evaluate", "make_task", "to_brian", "train"]

BY_HAND = {"span_recall": span, "volley_recall": volley, "sound": sound}
"""Task -> module of its built networks."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """The floors of a task, or a built network."""
    if variant == "floors":
        return floors.table(params, streams, progress)
    module = BY_HAND[params.experiment]
    if variant in module.SPIKING:
        return module.SPIKING[variant](params, streams)
    return ct.Network({}, {"engine": "numpy", "weights": []})


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Trials | None:
    """A built network in NumPy; floors were scored where they were fitted."""
    if variant == "floors":
        return None
    x = tasks.raster(params, task)
    if variant not in BY_HAND[params.experiment].SPIKING:
        answer, _ = BY_HAND[params.experiment].NUMBERS[variant](x)
        return ct.Trials.of(task, answer.argmax(axis=1), params.trial_ms)
    sent, potential = neurons.run(network.arrays, x, params.dt_ms)
    late = -round(params.last_ms / params.dt_ms)
    counts = [spikes[:, late:].sum(axis=1) for spikes in sent.values()]
    return _decided(params, task, counts, potential)


def _decided(
    params: ct.Params, task: ct.Task, counts: Sequence[NDArray], potential: NDArray
) -> ct.Trials:
    """Who fires most in the answer, -1 where nobody does; of sound, the largest of the readout."""
    if params.experiment == "sound":
        return ct.Trials.of(task, potential.argmax(axis=1), params.trial_ms)
    spikes = np.sum(counts, axis=0)
    choices = np.where(spikes.any(axis=1), spikes.argmax(axis=1), -1)
    return ct.Trials.of(task, choices, params.trial_ms)


def to_brian(params: ct.Params) -> BrianModel:
    """Gates, and a memory or a readout unit a class."""
    return neurons.brian_model(params, n_gates=4, n_memories=params.n_output)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """As in NumPy."""
    counts = [
        x.keep(x.times_ms >= params.trial_ms - params.last_ms - 1e-6).counts()
        for x in recording.spikes.values()
    ]
    return _decided(params, task, counts, recording.traces["memory"][:, -1])


def control_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, float]:
    """Operations of a network that sends numbers."""
    return BY_HAND[params.experiment].NUMBERS[variant](tasks.raster(params, task))[1]
