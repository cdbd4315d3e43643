"""The contract of a talk for all tasks: memoryless baselines, and hand-designed networks."""

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

__all__ = ["bind", "control_counts", "decode", "evaluate", "make_task", "to_brian", "train"]


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Fit the memoryless baselines of a task, or build a hand-designed network."""
    if variant == "floors":
        return floors.table(params, streams, progress)
    hand_designed = generators.load_module(params.experiment, "hand_designed")
    if variant in hand_designed.SPIKING_NETWORKS:
        return hand_designed.SPIKING_NETWORKS[variant](params, streams)
    return ct.Network({}, {"engine": "numpy", "weights": []})


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Trials | None:
    """Run a hand-designed network in NumPy; baselines were scored where they were fitted."""
    if variant == "floors":
        return None
    raster = tasks.raster(params, task)
    hand_designed = generators.load_module(params.experiment, "hand_designed")
    if variant not in hand_designed.SPIKING_NETWORKS:
        outputs, _ = hand_designed.GRADED_NETWORKS[variant](raster)
        return ct.Trials.of(task, outputs.argmax(axis=1), params.trial_ms)
    spikes_by_group, potential = gated_networks.run(network.arrays, raster, params.dt_ms)
    answer_start = -round(params.last_ms / params.dt_ms)
    counts = [spikes[:, answer_start:].sum(axis=1) for spikes in spikes_by_group.values()]
    return _decide_trials(params, task, counts, potential)


def _decide_trials(
    params: ct.Params, task: ct.Task, counts: Sequence[NDArray], potential: NDArray
) -> ct.Trials:
    """Choose the unit with most spikes in the answer, -1 without any; or the largest potential."""
    if generators.load_module(params.experiment, "hand_designed").READS_POTENTIALS:
        return ct.Trials.of(task, potential.argmax(axis=1), params.trial_ms)
    spikes = np.sum(counts, axis=0)
    choices = np.where(spikes.any(axis=1), spikes.argmax(axis=1), -1)
    return ct.Trials.of(task, choices, params.trial_ms)


def to_brian(params: ct.Params) -> BrianModel:
    """Gates, and a memory or a readout unit a class."""
    return gated_networks.brian_model(params, n_gates=4, n_memories=params.n_output)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """Decide as in NumPy."""
    counts = [
        x.keep(x.times_ms >= params.trial_ms - params.last_ms - 1e-6).counts()
        for x in recording.spikes.values()
    ]
    return _decide_trials(params, task, counts, recording.traces["memory"][:, -1])


def control_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, float]:
    """Count the operations of a network that sends numbers."""
    hand_designed = generators.load_module(params.experiment, "hand_designed")
    return hand_designed.GRADED_NETWORKS[variant](tasks.raster(params, task))[1]
