"""S4NN: one spike per neuron, on MNIST and shared tasks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Network, Params, Task
from whyspiking.talks.masquelier import model
from whyspiking.talks.masquelier import task as tasks
from whyspiking.talks.masquelier.brian_network import bind, decode, to_brian
from whyspiking.talks.masquelier.learning import train
from whyspiking.talks.masquelier.model import evaluate
from whyspiking.talks.masquelier.task import make_task

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes of both layers in the engine of training."""
    firing = model.forward(params, network, tasks.events_of(params, task))
    return {
        name: np.where(ticks < params.t_max, ticks * float(params.tick_ms), np.inf)
        for name, ticks in (("hidden", firing.hidden), ("output", firing.output))
    }
