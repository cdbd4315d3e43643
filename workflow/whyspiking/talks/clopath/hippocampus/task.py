"""Rhythms and trials of the septal network. Equation numbers are those of the talk's README."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.clopath.force.task import SAMPLE_MS

SEPTAL_MEAN = -1.0
"""Mean of the septal inhibition M over a cycle (Eq. 16)."""


def supervisor(params: ct.Params, phases: NDArray, times_ms: NDArray) -> NDArray[np.float64]:
    """The oscillators that inhibition is trained to keep up, (time, oscillator) (Eq. 18)."""
    angle = 2 * np.pi * params.theta_internal * np.asarray(times_ms, float) / 1000.0
    return np.cos(angle[:, None] + phases)


def septum(frequency: float, times_ms: NDArray, phase: float = 0.0) -> NDArray[np.float64]:
    """Septal inhibition M between -2 and 0, (time,) (Eq. 16)."""
    seconds = np.asarray(times_ms, float) / 1000.0
    return -(1 + np.cos(2 * np.pi * frequency * seconds + phase))


def make_task(params: ct.Params, rng: np.random.Generator) -> ct.Task:
    """Trials with the septum first on (warm-up included), then off; its phase is random."""
    times = np.arange(0.0, trial_ms(params), SAMPLE_MS)
    is_on = times < params.warmup_ms + params.on_ms
    septal = np.zeros((params.n_trials, times.size, 2))
    for trial in range(params.n_trials):
        phase = rng.uniform(0, 2 * np.pi)
        septal[trial, is_on, 0] = septum(params.theta_septum, times[is_on], phase)
        septal[trial, :, 1] = ~is_on
    return rhythm_task(params, {"septum": septal}, times)


def rhythm_task(params: ct.Params, arrays: dict[str, NDArray], times_ms: NDArray) -> ct.Task:
    """Trials whose target is the trained rhythm, its cosine and its sine, (trial, time, 2).

    Args:
        params: Needs n_trials, theta_internal.
        arrays: The input of all trials.
        times_ms: Every `SAMPLE_MS` of a trial.
    """
    angle = 2 * np.pi * params.theta_internal * times_ms / 1000.0
    rhythm = np.column_stack([np.cos(angle), np.sin(angle)])
    targets = np.broadcast_to(rhythm, (params.n_trials, *rhythm.shape)).copy()
    return ct.Task(ct.Stimulus(arrays=arrays), targets, n_classes=0, dt_ms=SAMPLE_MS)


def trial_ms(params: ct.Params) -> float:
    """Length of a test trial."""
    return float(params.warmup_ms + params.on_ms + params.off_ms)
