"""S4NN: one spike per neuron, on MNIST."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Split,
    Stimulus,
    Task,
)
from whyspiking.talks.masquelier import model
from whyspiking.talks.masquelier import task as tasks
from whyspiking.talks.masquelier.model import bind, decode, to_brian
from whyspiking.talks.masquelier.task import make_task
from whyspiking.training.first_spike import encoding

__all__ = [
    "bind", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant; see `learning.py`."""
    from whyspiking.talks.masquelier import learning

    return learning.train(params, variant, streams, progress)


def control_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The images that the spiking network sees; none held out where its last epoch is kept."""
    if split == "validation" and not tasks.n_held_out(params):
        return None
    images, classes = tasks.samples(params, split)
    return Task(Stimulus(), classes, params.n_output, tasks.brightness(images))


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine of training."""
    return model.evaluate(params, network, task)


def features_until(params: Params, task: Task, t_ms: float) -> NDArray | None:
    """Brightness of the pixels that have fired by a time, all others black."""
    return encoding.brightness_until(task, t_ms)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes of both layers in the engine of training."""
    firing = model.forward(params, network, tasks.events_of(params, task))
    return {
        name: np.where(ticks < params.t_max, ticks * float(params.tick_ms), np.inf)
        for name, ticks in (("hidden", firing.hidden), ("output", firing.output))
    }
