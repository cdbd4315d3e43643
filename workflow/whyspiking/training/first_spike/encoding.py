"""The latency code of images that all first-spike talks share: bright pixels fire early."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import ExperimentParameters, Stimulus, Task, Trials

BACKGROUND = 0.0
"""Brightness of a pixel from which nothing has come: where all fire, the background comes last."""


def latencies(
    brightness: NDArray, early: float, late: float, *, background: bool, whole: bool = False
) -> NDArray[np.float64]:
    """Spike times of pixels, linear in their brightness.

    Args:
        brightness: 0 (background) to 1, any shape.
        early: Time of a pixel of brightness 1.
        late: Time of a pixel of brightness 0.
        background: Whether pixels of brightness 0 fire too, at `late`; else they stay silent (inf).
        whole: Whether times are rounded down, for neurons that count in whole units.

    Returns:
        Times in the unit of `early` and `late`, shape of `brightness`.
    """
    values = np.asarray(brightness, np.float64)
    times = early + (1 - values) * (late - early)
    if whole:
        # What is whole but for rounding stays: 19.999999999999996 is 20.
        times = np.floor(times + 1e-9)
    return np.where(background | (values > 0), times, np.inf)


def as_task(
    first_ms: NDArray, features: NDArray, targets: NDArray, *, trial_ms: float, n_classes: int
) -> Task:
    """A classification in which every input channel fires at most once.

    Args:
        first_ms: Spike times, inf where a channel stays silent; (trial, channel).
        features: The same input for a non-spiking control, (trial, feature).
        targets: Classes, (trial,).
        trial_ms: Length of a trial.
        n_classes: Number of classes.
    """
    spikes = Spikes.from_first_spikes(first_ms, trial_ms)
    return Task(Stimulus(spikes={"input": spikes}), targets, n_classes, features)


def decide(first: NDArray, task: Task, unit_ms: float) -> Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision.

    Args:
        first: First output spikes, inf where silent; (trial, class).
        task: The trials.
        unit_ms: Unit of these times in ms.
    """
    earliest = first.min(axis=1)
    choices = np.where(np.isfinite(earliest), first.argmin(axis=1), -1)
    return Trials(
        targets=np.asarray(task.targets, np.int64),
        choices=choices.astype(np.int64),
        decision_ms=np.asarray(earliest, float) * unit_ms,
        n_classes=task.n_classes,
    )


def arrived(task: Task, t_ms: float) -> NDArray[np.bool_]:
    """Which features of a task from `as_task` are known at a time, (trial, feature).

    Args:
        task: Its channel k carries feature k; further channels, e.g. bias, carry none.
        t_ms: Time of asking; a spike at that time has arrived.

    Raises:
        ValueError: If the task has no features.
    """
    if task.features is None:
        raise ValueError("the task has no features, so its features cannot be described")
    first_ms = task.stimulus.spikes["input"].first_ms()
    return first_ms[:, : task.features.shape[1]] <= t_ms


def features_until(params: ExperimentParameters, task: Task, t_ms: float) -> NDArray:
    """Pixels whose spikes have arrived, all others as background; (trial, pixel).

    Args:
        params: Not needed; the contract of a talk gives them.
        task: From `as_task`, its features the brightness of pixels.
        t_ms: Time of asking.
    """
    features = np.asarray(task.features)
    return np.where(arrived(task, t_ms), features, features.dtype.type(BACKGROUND))
