"""Sound localisation learned from few distinct trials: cells that differ in one thing (README, 7).

Every variant is a cell of protocol.yaml, `samples`. Its rows of the metrics table are its accuracy
on test trials, which each network is shown once; their strength is how many training trials differ.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.ground import references, tasks
from whyspiking.talks.ground.protocol import protocol
from whyspiking.training.reference import answering, learning

DISTINCT = "distinct_trials"
"""What rows call their perturbation."""


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of the task that the cells share."""
    return tasks.make_task(_of_task(params), split, streams)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """Its networks were scored where they were trained."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train a cell, once for every number of distinct trials.

    A scale with fewer trials than a part of the training shows them once.
    """
    described, own = protocol().samples, _of_task(params)
    cell, training = described.cells[variant], protocol().training[own.experiment]
    setting = cell.setting.given
    recipe = references.recipe(own.experiment, cell.family, cell.n_hidden, setting)
    size = min(training.chunk_size, params.n_train)
    few_of_all = replace(own, values={**own.values, "share": size / training.chunk_size})
    shape, drawn = references.shape(own), references.trials(few_of_all)
    n_parts = training.parts if size == training.chunk_size else 1
    test = make_task(params, "test", streams)
    assert test is not None
    x, rows, arrays, info = tasks.raster(own, test), [], {}, {}
    counts = described.n_distinct
    for k, n in enumerate(counts):

        def told(share: float, news: str, k: int = k, n: int = n) -> None:
            progress((k + share) / len(counts), f"{n} distinct trials, {news}")

        draw, seed = few(drawn, min(n, size), size), params.seed
        trained = learning.train(recipe, shape, draw, n_parts, [seed], progress=told, name=f"{n}-")
        (network,) = trained.values()
        choices, _ = answering.answer(recipe, shape, network.arrays, x)
        accuracy = float((choices == test.targets).mean())
        rows.append([DISTINCT, n, {"accuracy": accuracy}, len(choices)])
        arrays |= {f"{name}_{n}": values for name, values in network.arrays.items()}
        info = network.info
    return ct.Network(arrays, {**info, "measured_at": rows})


def few(draw: learning.Draw, n: int, size: int) -> learning.Draw:
    """Parts of a size in which the first n trials of each part are shown again and again.

    Args:
        draw: Gives parts of that size or more.
        n: Trials of a part that differ; divides the size, so that all are shown equally often.
        size: Trials of a part.
    """

    def told(seed: int, part: int) -> tuple[NDArray, NDArray]:
        raster, classes = draw(seed, part)
        again = np.arange(size) % n
        return raster[again], classes[again]

    return told


def _of_task(params: ct.Params) -> ct.Params:
    return replace(params, experiment=protocol().samples.task)
