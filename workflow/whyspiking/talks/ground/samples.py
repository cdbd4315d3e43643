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
    """Draw trials of the task that the cells share."""
    return tasks.make_task(_of_task(params), split, streams)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """Return nothing: the networks were scored where they were trained."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train a cell, once for every number of distinct trials.

    A scale with fewer trials than a part of the training shows them once.
    """
    experiment, task_params = protocol().samples, _of_task(params)
    cell, training = experiment.cells[variant], protocol().training[task_params.experiment]
    setting = cell.setting.given
    recipe = references.recipe(task_params.experiment, cell.family, cell.n_hidden, setting)
    size = min(training.chunk_size, params.n_train)
    chunk_params = replace(
        task_params, values={**task_params.values, "share": size / training.chunk_size}
    )
    shape, draw_all = references.shape(task_params), references.trials(chunk_params)
    # A scale with fewer trials than a part shows one part.
    n_parts = training.parts if size == training.chunk_size else 1
    test = make_task(params, "test", streams)
    assert test is not None
    raster, rows, arrays, info = tasks.raster(task_params, test), [], {}, {}
    counts = experiment.n_distinct
    for k, n in enumerate(counts):

        def report(share: float, news: str, k: int = k, n: int = n) -> None:
            progress((k + share) / len(counts), f"{n} distinct trials, {news}")

        draw, seed = few(draw_all, min(n, size), size), params.seed
        trained = learning.train(
            recipe, shape, draw, n_parts, [seed], progress=report, name=f"{n}-"
        )
        (network,) = trained.values()
        choices, _ = answering.answer(recipe, shape, network.arrays, raster)
        accuracy = float((choices == test.targets).mean())
        rows.append([DISTINCT, n, {"accuracy": accuracy}, len(choices)])
        arrays |= {f"{name}_{n}": values for name, values in network.arrays.items()}
        info = network.info
    return ct.Network(arrays, {**info, "measured_at": rows})


def few(draw: learning.Draw, n: int, size: int) -> learning.Draw:
    """Return a draw of parts in which the first n trials of each part are repeated.

    Args:
        draw: Gives parts of that size or more.
        n: Trials of a part that differ; divides the size, so that all are shown equally often.
        size: Trials of a part.
    """

    def draw_repeated(seed: int, i_part: int) -> tuple[NDArray, NDArray]:
        raster, classes = draw(seed, i_part)
        i_repeated = np.arange(size) % n
        return raster[i_repeated], classes[i_repeated]

    return draw_repeated


def _of_task(params: ct.Params) -> ct.Params:
    return replace(params, experiment=protocol().samples.task)
