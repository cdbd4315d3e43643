"""Networks that read digits of an event camera, and their controls (README, section 5)."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Outcome, Params, Parents, Progress, Task
from whyspiking.talks.neftci import gru, learning, model
from whyspiking.talks.neftci import task as tasks
from whyspiking.talks.neftci.model import bind, decode, to_brian
from whyspiking.talks.neftci.task import features_until, make_task

__all__ = [
    "bind", "decode", "evaluate", "features_until", "make_task",
    "reference_counts", "to_brian", "train",
]  # fmt: skip

GRU = "gru"


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant."""
    if variant == GRU:
        return gru.train(params, streams, progress)
    return learning.train(params, variant, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    if variant == GRU:
        return gru.evaluate(params, network, task)
    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    return model.decide(params, task.targets, learning.read(params, network, frames)[-1])


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spike counts of all layers in the engine of training."""
    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    counts = learning.counts_of(params, network, frames)
    return dict(zip(model.names(params), counts, strict=True))
