"""Between the spike trains of the project and the event lists of `kernel`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.talks.scherr.kernel import Trials


def to_spikes(trials: Trials, dt_ms: float) -> Spikes:
    """The input of a batch as spike trains; step t is at time t dt."""
    return Spikes(
        times_ms=trials.steps.astype(float) * dt_ms,
        units=trials.channels,
        trials=np.repeat(np.arange(trials.n_trials), np.diff(trials.starts)).astype(np.int32),
        n_trials=trials.n_trials,
        n_units=trials.n_inputs,
        duration_ms=trials.n_steps * float(dt_ms),
    )


def from_spikes(
    spikes: Spikes,
    dt_ms: float,
    *,
    labels: NDArray | None = None,
    targets: NDArray | None = None,
    first_step: int = 0,
) -> Trials:
    """The inverse of `to_spikes`, with what is wanted of the network; times to the nearest step.

    As in Brian2, a spike that is nearer to the end than to the last step comes too late.
    """
    n_steps = round(spikes.duration_ms / dt_ms)
    steps = np.floor(spikes.times_ms / dt_ms + 0.5).astype(np.int32)
    kept = steps < n_steps
    return Trials(
        starts=np.searchsorted(spikes.trials[kept], np.arange(spikes.n_trials + 1)),
        steps=steps[kept],
        channels=spikes.units[kept],
        n_inputs=spikes.n_units,
        n_steps=n_steps,
        labels=labels,
        targets=targets,
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
