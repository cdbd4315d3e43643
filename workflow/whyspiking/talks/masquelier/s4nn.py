"""S4NN: one spike per neuron, on MNIST and shared tasks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Network,
    Params,
    Split,
    Stimulus,
    Task,
)
from whyspiking.talks.masquelier import model
from whyspiking.talks.masquelier import task as tasks
from whyspiking.talks.masquelier.brian_network import bind, decode, to_brian
from whyspiking.talks.masquelier.learning import train
from whyspiking.talks.masquelier.model import evaluate
from whyspiking.talks.masquelier.task import make_task
from whyspiking.training.first_spike.encoding import features_until

__all__ = [
    "bind", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def control_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The samples that the spiking network sees; none held out where its last epoch is kept."""
    if split == "validation" and not tasks.n_held_out(params):
        return None
    values, classes = tasks.samples(params, split)
    return Task(Stimulus(), classes, params.n_output, tasks.features(params, values))


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes of all layers in the engine of training."""
    firing = model.forward(params, network, tasks.events_of(params, task))
    return {
        name: np.where(ticks < params.t_max, ticks * float(params.tick_ms), np.inf)
        for name, ticks in model.first_ticks(firing, model.weights_of(network)).items()
    }
