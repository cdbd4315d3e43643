"""Samples of the shared tasks, the same for every method that is set one.

What a task fixes stands in `declared/shared_tasks.yaml` and comes as parameters of the experiment.
Seed of the data is the seed of the training: networks of different methods, and controls, are
compared pairwise on equal data. The Yin-Yang set is published and the same for all seeds.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params, Split, Stimulus, Task
from whyspiking.datasets import delayed_match, distinctness, randman, yinyang

RANDMAN = 2033
DISTINCTNESS = 2037
DELAYED_MATCH = 2035
"""What the seeds of these data begin with."""
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
CHUNK = 2000
"""Trials of delayed match that are drawn at once in training."""
STEP_MS = 5.0
"""Steps of the trials of delayed match as controls see them."""


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
    if params.shared_task == "distinctness":
        times, classes = _distinctness(params.seed, sum(sizes), params.n_input, params.window_ms)
    else:
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


@functools.lru_cache(maxsize=2)
def _distinctness(seed: int, n: int, n_inputs: int, window_ms: float) -> tuple[NDArray, NDArray]:
    rng = np.random.default_rng(np.random.SeedSequence([DISTINCTNESS, seed]))
    settings = distinctness.Settings(n_inputs, per_input_ms=window_ms / n_inputs)
    return distinctness.draw(settings, n, rng)


def takes_part(params: Params) -> bool:
    """Whether an experiment is set a shared task."""
    return "shared_task" in params.values


def delayed(params: Params) -> bool:
    """Whether the task is delayed match: fresh trials, each shown once."""
    return params.shared_task == "delayed_match"


def completed(params: Params, features: NDArray, known: NDArray) -> NDArray[np.float64]:
    """What a control makes of the inputs that have fired, (sample, input).

    Of Yin-Yang, one coordinate tells its mirror; elsewhere an input that has not fired is taken to
    fire last.

    Args:
        params: `shared_task`.
        features: Of `latencies`, (sample, input).
        known: Which inputs have fired, (sample, input).
    """
    if params.shared_task == "yinyang":
        return yinyang.completed(features, known)
    return np.where(known, features, 1.0)


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


def settings_of(params: Params) -> delayed_match.Settings:
    """How trials of delayed match are laid out."""
    return delayed_match.Settings(params.delay_ms)


def trials(
    params: Params, split: Split, n: int, chunk: int = 0
) -> tuple[Spikes, NDArray[np.int64]]:
    """Trials of delayed match: spikes of all inputs, and classes (trial,).

    Args:
        params: `delay_ms`; the seed.
        split: "train", "validation" or "test".
        n: Number of trials.
        chunk: Further draws of the same split.
    """
    seed = [DELAYED_MATCH, params.seed, SPLITS.index(split), chunk]
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    return delayed_match.generate(rng, n, settings_of(params))


def training_trials(params: Params, first: int = 0) -> Iterator[tuple[Spikes, NDArray[np.int64]]]:
    """All training trials of delayed match, `CHUNK` at a time, each trial once.

    Args:
        params: `n_train`, and as for `trials`.
        first: Chunk to begin with, where training goes on from a checkpoint.
    """
    for chunk in range(first, -(-params.n_train // CHUNK)):
        yield trials(params, "train", min(CHUNK, params.n_train - chunk * CHUNK), chunk)


def delay_task(params: Params, split: Split) -> Task | None:
    """The task of delayed match; of training, its first chunk.

    Its features are 1 where an input fires in a step of `STEP_MS`, (trial, step, input).
    """
    if split not in SPLITS:
        return None
    n = min(CHUNK, getattr(params, f"n_{split}"))
    spikes, classes = trials(params, split, n)
    n_steps = round(spikes.duration_ms / STEP_MS)
    raster = spikes.raster(spikes.steps(STEP_MS), n_steps).astype(np.float32)
    return Task(Stimulus({"input": spikes}), classes, params.n_output, raster)


def task_on_steps(
    params: Params,
    split: Split,
    *,
    step_ms: float,
    trial_ms: float,
    bias_ms: tuple[float, ...] = (),
    name: str = "input",
) -> Task | None:
    """The task of an experiment as networks that take steps are told it; see `on_steps`.

    Args:
        params: As for `latencies` or `trials`.
        split: "fresh" does not exist; of delayed match "train" is the first chunk.
        step_ms: Step of the network.
        trial_ms: As in `latency_task`; trials of delayed match have a length of their own.
        bias_ms: As in `latency_task`; delayed match has none.
        name: Of the input.
    """
    if delayed(params):
        found = delay_task(params, split)
    else:
        found = latency_task(params, split, trial_ms=trial_ms, bias_ms=bias_ms)
    if found is None:
        return None
    return replace(
        found, stimulus=Stimulus({name: on_steps(found.stimulus.spikes["input"], step_ms)})
    )


def on_steps(spikes: Spikes, step_ms: float) -> Spikes:
    """Spikes at the start of the step that they fall into, one per channel and step.

    This is the precision to which a task tells its times to whoever takes steps.
    """
    n_steps = round(spikes.duration_ms / step_ms)
    return Spikes.from_raster(spikes.raster(spikes.steps(step_ms), n_steps), step_ms)
