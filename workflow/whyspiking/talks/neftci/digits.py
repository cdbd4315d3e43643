"""Networks that read digits of an event camera, and their controls (README, section 5)."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.neftci import decisions, gru, training
from whyspiking.talks.neftci import task as tasks
from whyspiking.talks.neftci.brian_network import bind, decode, to_brian
from whyspiking.talks.neftci.task import features_until, make_task

__all__ = [
    "bind", "decode", "evaluate", "features_until", "make_task",
    "reference_counts", "to_brian", "train",
]  # fmt: skip

GRU = "gru"


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant."""
    if variant == GRU:
        return gru.train(params, streams, progress)
    return training.train(params, variant, streams, progress)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run a network in the engine it was trained in."""
    if variant == GRU:
        return gru.evaluate(params, network, task)
    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    return decisions.decide(params, task.targets, training.read(params, network, frames)[-1])


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Spike counts of all layers in the engine of training."""
    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    return training.counts_of(params, network, frames)
