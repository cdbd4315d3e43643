"""Samples of the shared tasks, the same for every method that is set one.

What a task fixes stands in `declared/shared_tasks.yaml` and comes as parameters of the experiment.
Seed of the data is the seed of the training: networks of different methods, and controls, are
compared pairwise on equal data. The Yin-Yang set is published and the same for all seeds.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params, Split, Stimulus, Task
from whyspiking.datasets import randman, recall, two_ears, yinyang

RANDMAN = 2033
"""What the seeds of its data begin with."""
STREAMS = {
    "span_recall": lambda rng, n, step_ms: recall.on_steps(rng, n, recall.SPAN, step_ms),
    "volley_recall": lambda rng, n, step_ms: recall.on_steps(rng, n, recall.VOLLEY, step_ms),
    "sound": lambda rng, n, step_ms: two_ears.on_steps(rng, n),
}
"""Task with time -> what draws a number of its trials on steps, that of sound being its own."""
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Latencies:
    """Samples in which every input fires once.

    Attributes:
        times_ms: Time of every input within the window of the task, (sample, input).
        features: The same in 0..1, (sample, input).
        classes: (sample,).
    """

    times_ms: NDArray[np.float64]
    features: NDArray[np.float64]
    classes: NDArray[np.int64]


def latencies(params: Params, split: Split) -> Latencies | None:
    """Samples of a task whose inputs fire once each; None of a split that does not exist.

    Args:
        params: `shared_task` and what that task fixes; the seed.
        split: "fresh" does not exist.
    """
    if split not in SPLITS:
        return None
    if params.shared_task == "yinyang":
        values, classes = _yinyang(split)
        limit = getattr(params, f"n_{split}")
        values, classes = values[:limit], classes[:limit]
        return Latencies(values * params.window_ms, values, classes)
    sizes = [getattr(params, f"n_{name}") for name in SPLITS]
    settings = randman.Settings(
        n_inputs=params.n_input,
        n_classes=params.n_output,
        dimension=params.dimension,
        alpha=params.smoothness,
        span_ms=params.window_ms,
        jitter_ms=params.jitter_ms,
    )
    times, classes = _randman(params.seed, -(-sum(sizes) // params.n_output), settings)
    first = sum(sizes[: SPLITS.index(split)])
    chosen = slice(first, first + sizes[SPLITS.index(split)])
    return Latencies(times[chosen], times[chosen] / params.window_ms, classes[chosen])


@functools.lru_cache(maxsize=4)
def _yinyang(split: Split) -> tuple[NDArray, NDArray]:
    return yinyang.generate(*yinyang.PUBLISHED[split])


@functools.lru_cache(maxsize=2)
def _randman(seed: int, per_class: int, settings: randman.Settings) -> tuple[NDArray, NDArray]:
    return randman.generate(np.random.SeedSequence([RANDMAN, seed]), per_class, settings)


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
    part = part_of(params, epoch) if split == "train" else 0
    rng = Streams(params.seed).rng(f"{params.shared_task}-{split}-{part}")
    draw = STREAMS[params.shared_task]
    fired, classes = draw(rng, getattr(params, f"n_{split}"), params.step_ms)
    return Spikes.from_raster(fired, params.step_ms), classes


def takes_part(params: Params) -> bool:
    """Whether an experiment is set a shared task."""
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
    drawn = latencies(params, split)
    if drawn is None:
        return None
    end_ms = early_ms + params.window_ms if late_ms is None else late_ms
    times = early_ms + drawn.features * (end_ms - early_ms)
    bias = np.broadcast_to(np.asarray(bias_ms, float), (len(times), len(bias_ms)))
    spikes = Spikes.from_first_spikes(np.hstack([times, bias]), trial_ms)
    return Task(Stimulus({"input": spikes}), drawn.classes, params.n_output, drawn.features)


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
    if params.shared_task in STREAMS:
        drawn = stream(params, split, epoch)
        return drawn and Task(Stimulus({name: drawn[0]}), drawn[1], params.n_output)
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
