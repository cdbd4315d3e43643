"""Accuracies of the memoryless baselines on a task, as rows of the metrics table."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.ground import tasks
from whyspiking.talks.ground.protocol import protocol
from whyspiking.tasks import memoryless


def table(params: ct.Params, streams: Streams, progress: ct.Progress) -> ct.Network:
    """Return all memoryless baselines of a task as rows of the metrics table, and their excess."""
    data: dict[str, memoryless.Split] = {}
    for split in ("train", "validation", "test"):
        task = tasks.make_task(params, split, streams)
        assert task is not None
        data[split] = (tasks.raster(params, task), task.targets)
    accuracies: dict[str, float] = {}
    baselines = memoryless.floors(params, streams.rng("floors"))
    for name, (readings, fit) in baselines.items():
        accuracies[name] = memoryless.accuracy(readings, fit, data, params.n_output)
        progress(len(accuracies) / len(baselines), f"{name}: {100 * accuracies[name]:.1f} %")
    rows = {
        **{name: {"accuracy": share} for name, share in accuracies.items()},
        "veto": {"floor_excess": excess(params.experiment, accuracies)},
    }
    return ct.Network(
        {},
        {
            "engine": "numpy",
            "measured_at": [[name, 0, values, params.n_test] for name, values in rows.items()],
        },
    )


def excess(task: str, accuracies: Mapping[str, float]) -> float:
    """Return by how much the best baseline that may veto a task exceeds chance."""
    task_protocol = protocol().tasks[task]
    return (
        max(accuracies[name] for name in task_protocol.baseline_expectations.must_fail)
        - task_protocol.chance
    )
