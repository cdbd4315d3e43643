"""The contract of a talk for all tasks: floors, and networks that nobody trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.talks.ground import floors, tasks
from whyspiking.talks.ground.tasks import make_task
from whyspiking.tasks import gated_networks, generators
from whyspiking.tasks.gated_networks import bind
from whyspiking.tasks.parameters import SharedTaskParameters

__all__ = ["bind", "control_counts", "decode", "evaluate", "make_task", "to_brian", "train"]


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """The floors of a task, or a built network."""
    if variant == "floors":
        return floors.table(params, streams, progress)
    hand_designed = generators.load_module(params.experiment, "hand_designed")
    if variant in hand_designed.SPIKING_NETWORKS:
        return hand_designed.SPIKING_NETWORKS[variant](params, streams)
    return ct.Network({}, {"engine": "numpy", "weights": []})


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Trials | None:
    """A built network in NumPy; floors were scored where they were fitted."""
    if variant == "floors":
        return None
    x = tasks.raster(params, task)
    hand_designed = generators.load_module(params.experiment, "hand_designed")
    if variant not in hand_designed.SPIKING_NETWORKS:
        answer, _ = hand_designed.GRADED_NETWORKS[variant](x)
        return ct.Trials.of(task, answer.argmax(axis=1), params.trial_ms)
    sent, potential = gated_networks.run(network.arrays, x, params.dt_ms)
    late = -round(params.last_ms / params.dt_ms)
    counts = [spikes[:, late:].sum(axis=1) for spikes in sent.values()]
    return _decided(params, task, counts, potential)


def _decided(
    params: ct.Params, task: ct.Task, counts: Sequence[NDArray], potential: NDArray
) -> ct.Trials:
    """Who fires most in the answer, -1 where nobody does; or the largest potential at the end."""
    if generators.load_module(params.experiment, "hand_designed").READS_POTENTIALS:
        return ct.Trials.of(task, potential.argmax(axis=1), params.trial_ms)
    spikes = np.sum(counts, axis=0)
    choices = np.where(spikes.any(axis=1), spikes.argmax(axis=1), -1)
    return ct.Trials.of(task, choices, params.trial_ms)


def to_brian(params: ct.Params) -> BrianModel:
    """Gates, and a memory or a readout unit a class."""
    task = SharedTaskParameters.of(params)
    return gated_networks.brian_model(task, n_gates=4, n_memories=task.n_output)


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
    hand_designed = generators.load_module(params.experiment, "hand_designed")
    return hand_designed.GRADED_NETWORKS[variant](tasks.raster(params, task))[1]
