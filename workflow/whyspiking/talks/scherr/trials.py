"""A batch of trials as lists of input spikes, what `kernel` reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes


@dataclass(frozen=True)
class Trials:
    """A batch: input spikes and what is wanted.

    Attributes:
        starts: First input spike of each trial, (trial + 1,).
        steps: Step of each input spike, sorted within a trial, (spike,).
        channels: Input channel of each, (spike,).
        n_inputs: Number of input channels.
        n_steps: Steps per trial.
        labels: Classes, (trial,), or None.
        targets: Wanted output, (trial, step, output), or None.
        first_step: Errors count from this step on.
    """

    starts: NDArray[np.int64]
    steps: NDArray[np.int32]
    channels: NDArray[np.int32]
    n_inputs: int
    n_steps: int
    labels: NDArray | None = None
    targets: NDArray | None = None
    first_step: int = 0

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return self.starts.size - 1

    @property
    def of_spike(self) -> NDArray[np.int64]:
        """Trial of each input spike, (spike,)."""
        return np.repeat(np.arange(self.n_trials), np.diff(self.starts))


def to_spikes(trials: Trials, dt_ms: float) -> Spikes:
    """The input of a batch as spike trains; step t is at time t dt."""
    return Spikes(
        times_ms=trials.steps.astype(float) * dt_ms,
        units=trials.channels,
        trials=trials.of_spike.astype(np.int32),
        n_trials=trials.n_trials,
        n_units=trials.n_inputs,
        duration_ms=trials.n_steps * float(dt_ms),
    )


def from_spikes(
    spikes: Spikes, dt_ms: float, *, labels: NDArray | None = None, first_step: int = 0
) -> Trials:
    """The inverse of `to_spikes`, with what is wanted of the network; times to the nearest step.

    As in Brian2, a spike that is nearer to the end than to the last step comes too late.
    """
    n_steps = round(spikes.duration_ms / dt_ms)
    steps = np.floor(spikes.times_ms / dt_ms + 0.5).astype(np.int32)
    is_in_trial = steps < n_steps
    return Trials(
        starts=np.searchsorted(spikes.trials[is_in_trial], np.arange(spikes.n_trials + 1)),
        steps=steps[is_in_trial],
        channels=spikes.units[is_in_trial],
        n_inputs=spikes.n_units,
        n_steps=n_steps,
        labels=labels,
        first_step=first_step,
    )


def from_raster(raster: NDArray[np.bool_], targets: NDArray | None = None) -> Trials:
    """A batch from input spikes as a raster (trial, step, channel)."""
    trial, step, channel = np.nonzero(raster)
    n_trials, n_steps, n_inputs = raster.shape
    return Trials(
        starts=np.searchsorted(trial, np.arange(n_trials + 1)),
        steps=step.astype(np.int32),
        channels=channel.astype(np.int32),
        n_inputs=n_inputs,
        n_steps=n_steps,
        targets=targets,
    )


def to_raster(trials: Trials, dtype: Any = np.float64) -> NDArray:
    """Convert input spikes to zeros and ones of a dtype, (trial, step, channel)."""
    raster = np.zeros((trials.n_trials, trials.n_steps, trials.n_inputs), dtype)
    raster[trials.of_spike, trials.steps, trials.channels] = 1
    return raster


def pieces(trials: Trials, batch_size: int) -> list[Trials]:
    """Split the trials into batches, the last may be smaller; without targets of every step."""
    batches = []
    for start in range(0, trials.n_trials, batch_size):
        bounds = trials.starts[start : start + batch_size + 1]
        low, high = bounds[0], bounds[-1]
        batches.append(
            Trials(
                bounds - low, trials.steps[low:high], trials.channels[low:high],
                trials.n_inputs, trials.n_steps,
                None if trials.labels is None else trials.labels[start : start + batch_size],
                None, trials.first_step,
            )
        )  # fmt: skip
    return batches
