"""Electrocardiograms, every step labelled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Outcome, Params, Parents, Progress, Recording, Task
from whyspiking.talks.bohte import training, brian_network
from whyspiking.talks.bohte import network as networks
from whyspiking.talks.bohte import task as tasks
from whyspiking.talks.bohte.training import Prepared, reference_counts
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.task import make_task
from whyspiking.training import gradient
from whyspiking.training.gradient import Arrays
from whyspiking.training.history import NotFiniteError

__all__ = [
    "bind", "control_counts", "decode", "evaluate", "make_task", "reference_counts", "to_brian",
    "train",
]  # fmt: skip

PUBLISHED_RATE = "published_rate"


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant, and tell whose records it learned.

    At the published rate, which is nobody's best, a training may end in a gradient that is not
    finite: then there is no such network, and its `info["unavailable"]` says why.
    """
    facts = {"provenance": tasks.provenance(params)}
    prepared = _labels(params, variant, streams)
    try:
        found = training.train(params, variant, streams, progress, prepared)
    except NotFiniteError as ended:
        if params.experiment != PUBLISHED_RATE:
            raise
        return Network({}, {**facts, "engine": gradient.ENGINE, "unavailable": str(ended)})
    found.info.update(facts)
    return found


def _labels(params: Params, variant: str, streams: Streams) -> Prepared:
    cell = training.cell_of(variant)
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
    return tasks.outcome(params, training.outputs(params, network, task), task)


def control_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, float]:
    """Operations of the recurrent controls and of the linear one."""
    from whyspiking.talks.bohte import measures

    return measures.control_counts(params, network, task)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """What the outputs say: a label for every step."""
    return tasks.outcome(params, brian_network.outputs(params, recording), task)
