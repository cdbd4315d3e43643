"""The experiment `mnist_poisson` (README, section 10)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.neftci import decisions
from whyspiking.talks.neftci.mnist_poisson import end_to_end, model
from whyspiking.talks.neftci.mnist_poisson import task as tasks
from whyspiking.talks.neftci.mnist_poisson.brian_network import bind, decode, to_brian
from whyspiking.talks.neftci.mnist_poisson.task import make_task
from whyspiking.talks.neftci.mnist_poisson.training import RELU, train

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train"]


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run a network in the engine in which it was trained."""
    if variant == RELU:
        assert task.features is not None
        images = task.features.reshape(-1, params.side, params.side)
        return ct.Trials.of(task, end_to_end.choose(params, network.arrays, images), 0.0)
    steps, n = tasks.raster_of(params, task), len(task.targets)
    responses = model.present(params, network.arrays, steps, n)
    return decisions.decide(
        params, task.targets, np.stack([layers[-1][1] for layers in responses], 1)
    )


def reference_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Count the spikes of all layers in the engine of training."""
    names, n = model.populations(params), len(task.targets)
    counts = {
        name: np.zeros((n, shape.n_outputs), np.int64)
        for name, shape in zip(names, model.shapes(params), strict=True)
    }
    for layers in model.present(params, network.arrays, tasks.raster_of(params, task), n):
        for name, (response, _) in zip(names, layers, strict=True):
            counts[name] += response.maxima.reshape(n, -1) > 0
    return counts
