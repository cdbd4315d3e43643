"""The family of tasks of one-shot learning: smooth movements in a plane (README, section 7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.scherr.trials import from_raster, to_spikes

N_OUT = 2
"""Coordinates of a movement."""


def n_steps(params: ct.Params) -> int:
    """Steps of the demonstration, and of the test."""
    return round(params.trial_ms / params.dt_ms)


def decays(params: ct.Params) -> tuple[float, float]:
    """Decay per step of membranes and of the readout."""
    return float(np.exp(-params.dt_ms / params.tau_m)), float(
        np.exp(-params.dt_ms / params.tau_out)
    )


def clock(params: ct.Params) -> NDArray[np.bool_]:
    """Make the input of every trial, (step, channel); a channel fires in its own part only.

    The parts follow one another; within its part a channel fires in every other step.
    """
    steps = np.arange(n_steps(params))
    i_part = steps * params.n_in // n_steps(params)
    is_firing = steps % 2 == 0
    return (i_part[:, None] == np.arange(params.n_in)) & is_firing[:, None]


def draw(params: ct.Params, rng: np.random.Generator, n_tasks: int) -> NDArray[np.float64]:
    """Movements: two sums of sines of random amplitude and phase, (task, step, 2).

    Each coordinate begins at 0 and has 1 as its largest absolute value.
    """
    seconds = np.arange(n_steps(params)) * params.dt_ms / 1000
    hz = np.asarray(params.sine_hz, float)[:, None]
    low, high = params.amplitudes
    amplitudes = rng.uniform(low, high, (n_tasks, N_OUT, hz.size, 1))
    phases = rng.uniform(0, 2 * np.pi, (n_tasks, N_OUT, hz.size, 1))
    y = (amplitudes * np.sin(2 * np.pi * hz * seconds + phases)).sum(axis=2)
    y -= y[:, :, :1]
    y /= np.abs(y).max(axis=2, keepdims=True)
    return y.swapaxes(1, 2)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Tasks of a split: a demonstration, then the test, as one trial for Brian2.

    There is no `fresh` split, since every trial of `test` is fresh.
    """
    if split == "fresh":
        return None
    n_tasks = {
        "train": params.batch, "validation": params.n_validation, "test": params.n_test,
    }[split]  # fmt: skip
    targets = draw(params, streams.rng(f"tasks-{split}"), n_tasks)
    clock_spikes = to_spikes(from_raster(np.vstack([clock(params)] * 2)[None]), params.dt_ms)
    demonstration = np.concatenate([targets, np.zeros_like(targets)], axis=1)
    return ct.Task(
        stimulus=ct.Stimulus(
            {"input": clock_spikes.select_trials(np.zeros(n_tasks, int))}, {"shown": demonstration}
        ),
        targets=targets,
        n_classes=0,
        dt_ms=params.dt_ms,
    )


def nmse(outputs: NDArray, targets: NDArray) -> float:
    """Squared error over the variance of each movement in time, pooled over movements."""
    deviations = targets - targets.mean(axis=1, keepdims=True)
    return float(((outputs - targets) ** 2).sum() / (deviations**2).sum())
