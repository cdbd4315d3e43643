"""Networks that read digits of an event camera, and their controls (README, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking import controls
from whyspiking.contract import Network, Outcome, Params, Progress, Task, Trials
from whyspiking.latency import Answers, settled
from whyspiking.randomness import Streams
from whyspiking.replications.neftci import gru, learning, model
from whyspiking.replications.neftci import task as tasks
from whyspiking.replications.neftci.model import bind, decode, to_brian
from whyspiking.replications.neftci.task import features_until, make_task

__all__ = [
    "bind", "control_decisions", "decode", "evaluate", "features_until", "make_task",
    "reference_counts", "to_brian", "train",
]  # fmt: skip

GRU = "gru"


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
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


def control_decisions(params: Params, variant: str, network: Network, task: Task) -> Trials | None:
    """When a control's vote is settled, by the rule for the spiking network.

    The GRU votes step by step; the others are asked after every frame that the vote counts.
    """
    if variant == GRU:
        return gru.evaluate(params, network, task)
    steps = np.arange(model.burn_in(params), params.n_frames)
    choices = []
    for step in steps:
        # A frame is complete half a step after the time at which Brian2 hands it on.
        so_far = features_until(params, task, (step + 0.5) * float(params.dt_ms))
        choices.append(controls.evaluate(network, replace(task, features=so_far)).choices)
    times_ms = steps * float(params.dt_ms)
    return settled(Answers(task.targets, np.stack(choices), times_ms, task.n_classes))


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spike counts of all layers in the engine of training."""
    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    counts = learning.counts_of(params, network, frames)
    return dict(zip(model.names(params), counts, strict=True))
