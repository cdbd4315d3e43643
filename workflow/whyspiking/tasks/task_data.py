"""Samples of the shared tasks, the same for every method that is set one.

What a task fixes stands in `task.yaml` of its folder and comes as parameters of the experiment. The
seed of the data is the seed of the training, so that networks of different methods, and controls,
are compared pairwise on equal data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params, Split, Stimulus, Task
from whyspiking.tasks import generators
from whyspiking.tasks.generators import Latencies, is_stream

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def latencies(params: Params, split: Split) -> Latencies | None:
    """Samples of a task whose inputs fire once each; None of a split that does not exist.

    Args:
        params: `shared_task` and what that task fixes; the seed.
        split: "fresh" does not exist.
    """
    if split not in SPLITS:
        return None
    return generators.load_latencies(params.shared_task).draw_latencies(params, split)


def part_of(params: Params, epoch: int) -> int:
    """Which part of the training trials an epoch shows, from 0; a part is always the same."""
    return epoch % (params.values.get("n_distinct", params.n_train) // params.n_train)


def stream(params: Params, split: Split, epoch: int = 0) -> tuple[Spikes, NDArray[np.int64]] | None:
    """Trials of a task with time: spikes on its steps and classes, (trial,).

    None of a split that does not exist.

    Args:
        params: `shared_task` and what that task fixes; the seed.
        split: "fresh" does not exist.
        epoch: Of training.
    """
    if split not in SPLITS:
        return None
    i_part = part_of(params, epoch) if split == "train" else 0
    rng = Streams(params.seed).rng(f"{params.shared_task}-{split}-{i_part}")
    generator = generators.load_streams(params.shared_task)
    fired, classes = generator.draw_on_steps(rng, getattr(params, f"n_{split}"), params.step_ms)
    return Spikes.from_raster(fired, params.step_ms), classes


def takes_part(params: Params) -> bool:
    """Whether an experiment uses a shared task."""
    return "shared_task" in params.values


def latency_task(
    params: Params,
    split: Split,
    *,
    trial_ms: float,
    early_ms: float = 0.0,
    late_ms: float | None = None,
    bias_ms: tuple[float, ...] = (),
) -> Task | None:
    """The task of `latencies`, its window laid where a network wants it.

    Args:
        params: As for `latencies`.
        split: As there.
        trial_ms: Length of a trial of the network.
        early_ms: Time in it of the start of the task's window.
        late_ms: Time of its end; None: as far as the window is long.
        bias_ms: Times of further inputs that fire in every trial.
    """
    samples = latencies(params, split)
    if samples is None:
        return None
    end_ms = early_ms + params.window_ms if late_ms is None else late_ms
    times = early_ms + samples.features * (end_ms - early_ms)
    bias = np.broadcast_to(np.asarray(bias_ms, float), (len(times), len(bias_ms)))
    spikes = Spikes.from_first_spikes(np.hstack([times, bias]), trial_ms)
    return Task(Stimulus({"input": spikes}), samples.classes, params.n_output, samples.features)


def task_on_steps(
    params: Params,
    split: Split,
    *,
    step_ms: float,
    trial_ms: float,
    bias_ms: tuple[float, ...] = (),
    name: str = "input",
    epoch: int = 0,
) -> Task | None:
    """Draw the task of an experiment for networks that take time steps; see `on_steps`.

    Args:
        params: As for `latencies`.
        split: As there.
        step_ms: Step of the network.
        trial_ms: As in `latency_task`.
        bias_ms: As there.
        name: Of the input.
        epoch: Of training; a task with time has other trials in every one (`part_of`).
    """
    if is_stream(params.shared_task):
        trials = stream(params, split, epoch)
        return trials and Task(Stimulus({name: trials[0]}), trials[1], params.n_output)
    task = latency_task(params, split, trial_ms=trial_ms, bias_ms=bias_ms)
    if task is None:
        return None
    spikes = on_steps(task.stimulus.spikes["input"], step_ms)
    return replace(task, stimulus=Stimulus({name: spikes}))


def on_steps(spikes: Spikes, step_ms: float) -> Spikes:
    """Move spikes to the start of their step, one per channel and step.

    This is the temporal precision of the input of networks that take time steps.
    """
    n_steps = round(spikes.duration_ms / step_ms)
    return Spikes.from_raster(spikes.raster(spikes.steps(step_ms), n_steps), step_ms)
