"""Electrocardiograms, every step labelled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Outcome, Params, Parents, Progress, Recording, Task
from whyspiking.talks.bohte import learning, simulation
from whyspiking.talks.bohte import network as networks
from whyspiking.talks.bohte import task as tasks
from whyspiking.talks.bohte.learning import Prepared, reference_counts
from whyspiking.talks.bohte.simulation import bind, to_brian
from whyspiking.talks.bohte.task import make_task
from whyspiking.training.gradient import Arrays

__all__ = [
    "bind", "control_counts", "decode", "evaluate", "make_task", "reference_counts", "to_brian",
    "train",
]  # fmt: skip


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant, and tell whose records it learned."""
    found = learning.train(params, variant, streams, progress, _labels(params, variant, streams))
    found.info["provenance"] = tasks.provenance(params)
    return found


def _labels(params: Params, variant: str, streams: Streams) -> Prepared:
    cell = learning.cell_of(variant)
    training = tasks.records(params, "train", streams)
    held_out = tasks.records(params, "validation", streams)
    assert training is not None and held_out is not None
    # As in the published code, whose networks learn unlabelled steps as the first class.
    labels, wanted = (
        tasks.scored(params, part.labels, padded=True) for part in (training, held_out)
    )

    def judge(arrays: Arrays) -> dict[str, float]:
        choices = networks.outputs(params, cell, arrays, held_out.events).argmax(axis=2)
        return {"validation_accuracy": float((choices == wanted)[wanted >= 0].mean())}

    data = {"x": training.events, "labels": labels.astype(np.int8)}
    return data, judge, networks.label_loss(params, cell)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Label the records of a task in the engine of training."""
    return tasks.outcome(params, learning.outputs(params, network, task), task)


def control_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, float]:
    """Operations of the recurrent controls and of the linear one."""
    from whyspiking.talks.bohte import measures

    return measures.control_counts(params, network, task)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """What the outputs say: a label for every step."""
    return tasks.outcome(params, simulation.outputs(params, recording), task)
