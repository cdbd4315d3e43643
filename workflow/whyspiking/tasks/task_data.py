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
from whyspiking.contract.types import ExperimentParameters, Split, Stimulus, Task
from whyspiking.tasks import generators
from whyspiking.tasks.generators import Latencies, is_stream
from whyspiking.tasks.parameters import SharedTaskParameters

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def latencies(params: ExperimentParameters, split: Split) -> Latencies | None:
    """Samples of a task whose inputs fire once each; None of a split that does not exist.

    Args:
        params: `shared_task` and what that task fixes; the seed.
        split: "fresh" does not exist.
    """
    if split not in SPLITS:
        return None
    task = SharedTaskParameters.of(params).shared_task
    return generators.load_latencies(task).draw_latencies(params, split)


def part_of(params: ExperimentParameters, epoch: int) -> int:
    """Which part of the training trials an epoch shows, from 0; a part is always the same."""
    sizes = SharedTaskParameters.of(params)
    return epoch % ((sizes.n_distinct or sizes.n_train) // sizes.n_train)


def stream(
    params: ExperimentParameters, split: Split, epoch: int = 0
) -> tuple[Spikes, NDArray[np.int64]] | None:
    """Trials of a task with time: spikes on its steps and classes, (trial,).

    None of a split that does not exist.

    Args:
        params: `shared_task` and what that task fixes; the seed.
        split: "fresh" does not exist.
        epoch: Of training.
    """
    if split not in SPLITS:
        return None
    part = part_of(params, epoch) if split == "train" else 0
    task = SharedTaskParameters.of(params)
    rng = Streams(params.seed).rng(f"{task.shared_task}-{split}-{part}")
    generator = generators.load_streams(task.shared_task)
    fired, classes = generator.draw_on_steps(rng, task.n_trials(split), task.step_ms)
    return Spikes.from_raster(fired, task.step_ms), classes


def takes_part(params: ExperimentParameters) -> bool:
    """Whether an experiment is set a shared task."""
    return "shared_task" in params.values


def latency_task(
    params: ExperimentParameters,
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
    drawn = latencies(params, split)
    if drawn is None:
        return None
    task = SharedTaskParameters.of(params)
    end_ms = early_ms + task.window_ms if late_ms is None else late_ms
    times = early_ms + drawn.features * (end_ms - early_ms)
    bias = np.broadcast_to(np.asarray(bias_ms, float), (len(times), len(bias_ms)))
    spikes = Spikes.from_first_spikes(np.hstack([times, bias]), trial_ms)
    return Task(Stimulus({"input": spikes}), drawn.classes, task.n_output, drawn.features)


def task_on_steps(
    params: ExperimentParameters,
    split: Split,
    *,
    step_ms: float,
    trial_ms: float,
    bias_ms: tuple[float, ...] = (),
    name: str = "input",
    epoch: int = 0,
) -> Task | None:
    """The task of an experiment as networks that take steps are told it; see `on_steps`.

    Args:
        params: As for `latencies`.
        split: As there.
        step_ms: Step of the network.
        trial_ms: As in `latency_task`.
        bias_ms: As there.
        name: Of the input.
        epoch: Of training; a task with time has other trials in every one (`part_of`).
    """
    task = SharedTaskParameters.of(params)
    if is_stream(task.shared_task):
        drawn = stream(params, split, epoch)
        return drawn and Task(Stimulus({name: drawn[0]}), drawn[1], task.n_output)
    found = latency_task(params, split, trial_ms=trial_ms, bias_ms=bias_ms)
    if found is None:
        return None
    spikes = on_steps(found.stimulus.spikes["input"], step_ms)
    return replace(found, stimulus=Stimulus({name: spikes}))


def on_steps(spikes: Spikes, step_ms: float) -> Spikes:
    """Spikes at the start of the step that they fall into, one per channel and step.

    This is the precision to which a task tells its times to whoever takes steps.
    """
    n_steps = round(spikes.duration_ms / step_ms)
    return Spikes.from_raster(spikes.raster(spikes.steps(step_ms), n_steps), step_ms)
