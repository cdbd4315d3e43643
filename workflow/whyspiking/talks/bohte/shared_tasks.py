"""The tasks that all talks share, in steps, for one layer of adaptive neurons (README, 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import shared
from whyspiking.talks.bohte import graded, one_class, training
from whyspiking.talks.bohte import network as networks
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.network import reference_counts
from whyspiking.talks.bohte.one_class import decode, evaluate
from whyspiking.talks.bohte.task import raster
from whyspiking.talks.bohte.training import Labelled

__all__ = [
    "bind", "control_counts", "decode", "evaluate", "features_until", "make_task",
    "reference_counts", "to_brian", "train",
]  # fmt: skip


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of one split, their spikes at the start of the steps into which they fall.

    "fresh" does not exist; of delayed match "train" is the first chunk.
    """
    trial_ms = params.n_steps * float(params.step_ms)
    return shared.task_on_steps(params, split, step_ms=float(params.step_ms), trial_ms=trial_ms)


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train the network; on delayed match every trial is shown once, and a chunk is an epoch."""

    def labelled(split: ct.Split) -> Labelled:
        task = make_task(params, split, streams)
        assert task is not None
        return raster(params, task), task.targets

    if parents:
        (twin,) = parents.values()
        cell, (x, wanted) = twin.info["cell"], labelled("validation")
        (sent,) = networks.sent(params, cell, twin.arrays, x)

        def right(arrays: Mapping[str, NDArray]) -> float:
            found = one_class.chosen(params, networks.outputs(params, cell, arrays, x))
            return float((found == wanted).mean())

        return graded.coarser(twin, sent, params.message_bits, right)

    def chunk(epoch: int) -> Labelled:
        spikes, classes = next(shared.training_trials(params, epoch - 1))
        # At most one spike per input and step.
        return spikes.raster(spikes.steps(float(params.step_ms)), params.n_steps), classes

    if not shared.delayed(params):
        return training.train_classes(params, variant, streams, progress, labelled)
    own = replace(params, values={**params.values, "epochs": -(-params.n_train // shared.CHUNK)})
    return training.train_classes(own, variant, streams, progress, labelled, chunk)


def control_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, float]:
    """Operations of the graded twin, and what its neurons send."""
    from whyspiking.talks.bohte import measures

    counts = measures.control_counts(params, network, task)
    bits = float(network.arrays.get("bits_0", measures.counting.WHOLE_BITS))
    (sent,) = networks.sent(params, network.info["cell"], network.arrays, raster(params, task))
    found = measures.counting.traffic(sent, bits)
    # What is 0 moves nothing, in the twin as among neurons that spike.
    fan_out = params.n_hidden + params.n_output
    counts["macs_effective"] = (
        raster(params, task).sum() / len(task.targets) * params.n_hidden
        + found["messages"] * fan_out
    )
    return counts | found


def features_until(params: ct.Params, task: ct.Task, t_ms: float) -> NDArray | None:
    """What a control makes of the inputs that have fired; see `shared.completed`."""
    if shared.delayed(params):
        return None
    fired = task.stimulus.spikes["input"].first_ms() <= t_ms
    return shared.completed(params, np.asarray(task.features), fired)
