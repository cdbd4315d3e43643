"""Accuracies of the memoryless baselines on a task, as rows of the metrics table."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.ground import tasks
from whyspiking.talks.ground.protocol import protocol
from whyspiking.tasks import memoryless


def table(params: ct.Params, streams: Streams, progress: ct.Progress) -> ct.Network:
    """All floors of a task as rows of the metrics table, and by how much one may decide it."""
    data: dict[str, memoryless.Split] = {}
    for split in ("train", "validation", "test"):
        task = tasks.make_task(params, split, streams)
        assert task is not None
        data[split] = (tasks.raster(params, task), task.targets)
    found: dict[str, float] = {}
    known = memoryless.floors(memoryless.BaselineParameters.of(params), streams.rng("floors"))
    for name, (readings, fit) in known.items():
        found[name] = memoryless.accuracy(readings, fit, data, params.n_output)
        progress(len(found) / len(known), f"{name}: {100 * found[name]:.1f} %")
    rows = {
        **{name: {"accuracy": share} for name, share in found.items()},
        "veto": {"floor_excess": excess(params.experiment, found)},
    }
    return ct.Network(
        {},
        {
            "engine": "numpy",
            "measured_at": [[name, 0, values, params.n_test] for name, values in rows.items()],
        },
    )


def excess(task: str, found: Mapping[str, float]) -> float:
    """By how much the best floor that may veto a task is above chance."""
    said = protocol().tasks[task]
    return max(found[name] for name in said.baseline_expectations.must_fail) - said.chance
