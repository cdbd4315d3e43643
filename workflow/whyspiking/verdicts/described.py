"""What a talk says of the network behind each row, joined to the metrics once."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.records.tables import Table

NETWORK = ["talk", "experiment", "variant"]
TOLD = ["role", "kind", "trained_as", "share", "recovers", "task", "tau_ms", "task_ms"]


def described(metrics: Table, talks: Mapping[str, Talk]) -> Table:
    """Rows of the metrics table with what talk.yaml tells of their networks.

    Args:
        metrics: Rows of the metrics table.
        talks: By name.

    Returns:
        The rows of networks that the talks have, in order, with these columns more: `role` of the
        variant; `kind` of the experiment's answers; `trained_as`, the variant that the talk knows,
        `share` of its size and the number of `sizes` it is trained at; the variant that it
        `recovers`; the `task` that talks share, empty where there is none; `tau_ms`, the
        characteristic time of the talk, and `task_ms`, how many ms of the shared task a ms of its
        model is; `rank`, its place in the order of talks and of their talk.yaml.
    """
    rows = [
        (
            *(name, experiment.name, variant.name, variant.role, experiment.kind),
            *(variant.trained_as, variant.smaller[1] if variant.smaller else 1.0),
            *(variant.recovers or "", experiment.task or ""),
            *(talk.tau_char_ms, talk.task_ms(experiment)),
        )
        for name, talk in talks.items()
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
    ]
    told = pd.DataFrame(rows, columns=pd.Index([*NETWORK, *TOLD]))
    sizes = told.groupby(["talk", "experiment", "trained_as"])["variant"].transform("size")
    return metrics.merge(told.assign(rank=told.index, sizes=sizes), on=NETWORK)


def in_task_time(metrics: Table) -> Table:
    """Rows as `described`, the jitter that networks of shared tasks stand in ms of the task.

    A model that stretches the task's window measures it in ms of its own time. All are set the same
    task, so only the task's time is one in which they can be compared.
    """
    moved = metrics["metric"] == "sigma50"
    return metrics.assign(value=metrics["value"].mask(moved, metrics["value"] * metrics["task_ms"]))
