"""Electrocardiograms, every step labelled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.bohte import brian_network, training
from whyspiking.talks.bohte import network as networks
from whyspiking.talks.bohte import task as tasks
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.network import reference_counts
from whyspiking.talks.bohte.task import make_task
from whyspiking.training.gradient import Arrays

__all__ = [
    "bind", "control_counts", "decode", "evaluate", "make_task", "reference_counts",
    "to_brian", "train",
]  # fmt: skip


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one variant; its `info` says whose records it learned."""
    cell = training.cell_of(variant)
    provenance = tasks.provenance(params)
    training_records = tasks.records(params, "train", streams)
    validation_records = tasks.records(params, "validation", streams)
    assert training_records is not None and validation_records is not None
    # As in the published code, whose networks learn unlabelled steps as the first class.
    labels, validation_labels = (
        tasks.scored(params, split_records.labels, padded=True)
        for split_records in (training_records, validation_records)
    )

    def judge(arrays: Arrays) -> dict[str, float]:
        choices = networks.outputs(params, cell, arrays, validation_records.events).argmax(axis=2)
        return {
            "validation_accuracy": float(
                (choices == validation_labels)[validation_labels >= 0].mean()
            )
        }

    data = {"x": training_records.events, "labels": labels.astype(np.int8)}
    loss = training.label_loss(params, cell)
    trained = training.train(params, variant, streams, progress, (data, judge, loss))
    trained.info["provenance"] = provenance
    return trained


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Label the records of a task in the engine of training."""
    return tasks.outcome(params, networks.outputs_of(params, network, task), task)


def control_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, float]:
    """Operations of a control, and its accuracy as published (README, 1)."""
    from whyspiking.talks.bohte import measures

    operations = measures.control_counts(params, network, task)
    outputs = networks.outputs_of(params, network, task)
    return {**operations, "accuracy_padded": measures.as_published(params, outputs, task)}


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """A label for every step, from a recording of Brian2."""
    return tasks.outcome(params, brian_network.outputs(params, recording), task)
