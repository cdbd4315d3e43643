"""Sharp waves: how often they start, how long they last, and what is replayed in them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Params, Recording, Task

WINDOW_MS = 10
"""Spikes of the initiators are counted in windows of this length."""
LEAST_HZ = 50.0
"""A sharp wave lasts while an initiator fires more than this on average: 300 Hz in one, 1 without;
25 and 100 Hz find the same ones."""
FEWEST_SPIKES = 30
"""A sharp wave with fewer spikes of other excitatory neurons has no order."""
STEEPEST, GRID = 1.5, 301
"""Slopes are looked for up to here, in cycles per cycle, and how many."""


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """All measures of sharp waves after the warm-up (names: `glossary.GLOSSARY`).

    Rate and intervals are those of waves that start after it, all else is of waves that end after
    it: one that the random start sets off and that never ends is seen as such, and counts with
    what was seen of it.
    """
    spikes, cycle_position = recording.spikes["excitatory"], recording.final["excitatory.place"]
    n, cycle_ms = params.n_initiators, 1000.0 / params.theta_internal
    n_starts, intervals_ms, durations, replays = 0, [], [], []
    for trial in range(spikes.n_trials):
        spans = waves(spikes, trial, n)
        wave_starts = spans[spans[:, 0] >= params.warmup_ms, 0]
        n_starts, intervals_ms = n_starts + wave_starts.size, [*intervals_ms, *np.diff(wave_starts)]
        # A wave that the random start set off counts if it lasts beyond the warm-up.
        spans = spans[spans[:, 1] > params.warmup_ms]
        cosine, sine = recording.traces["oscillator"][trial].T
        wave_phases = np.unwrap(np.arctan2(sine, cosine))
        wave_phases = wave_phases[np.minimum(spans, wave_phases.size - 1)] / (2 * np.pi)
        durations += list(zip(np.diff(spans)[:, 0], np.diff(wave_phases)[:, 0], strict=True))
        replays += [replay(spikes, trial, span, n, cycle_position, cycle_ms) for span in spans]
    seconds = spikes.n_trials * (params.quiet_ms - params.warmup_ms) / 1000.0
    duration, cycles = _average_columns(durations, 2)
    speed, fit, active_share = _average_columns(replays, 3)
    has_several = len(intervals_ms) > 1
    return {
        "wave_rate": n_starts / seconds,
        "wave_interval": float(np.mean(intervals_ms)) if intervals_ms else np.nan,
        "wave_interval_cv": float(np.std(intervals_ms) / np.mean(intervals_ms))
        if has_several
        else np.nan,
        "wave_duration": duration,
        "wave_cycles": cycles,
        "wave_frequency": params.theta_internal * speed,
        "wave_fit": fit,
        "wave_share": active_share,
    }


def waves(spikes: Spikes, trial: int, n_initiators: int) -> NDArray[np.int64]:
    """Start and stop of every sharp wave of a trial in ms, (wave, 2); see `LEAST_HZ`."""
    is_initiator = (spikes.trials == trial) & (spikes.units < n_initiators)
    length = round(spikes.duration_ms)
    counts = np.bincount(spikes.times_ms[is_initiator].astype(int), minlength=length)[:length]
    rate = np.convolve(counts, np.full(WINDOW_MS, 1000.0 / WINDOW_MS / n_initiators), "same")
    is_wave = np.concatenate([[False], rate > LEAST_HZ, [False]])
    return np.flatnonzero(np.diff(is_wave)).reshape(-1, 2)


def replay(
    spikes: Spikes,
    trial: int,
    span_ms: NDArray,
    n_initiators: int,
    cycle_position: NDArray,
    cycle_ms: float,
) -> tuple[float, float, float]:
    """How excitatory neurons other than initiators follow the trained order in a sharp wave.

    Their places in the trained cycle are regressed on the times of their spikes (Eq. 37).

    Args:
        spikes: Excitatory spikes, initiators first.
        trial: Which trial.
        span_ms: Start and stop of the wave.
        n_initiators: How many neurons are left out.
        cycle_position: Of every excitatory neuron in the trained cycle, from 0 to 1.
        cycle_ms: Length of the trained cycle.

    Returns:
        Speed in trained cycles per trained cycle (negative: reversed) and strength of the fit, nan
        for fewer than `FEWEST_SPIKES` spikes; share of the neurons that fire.
    """
    start, stop = span_ms
    in_wave = (spikes.trials == trial) & (spikes.times_ms >= start) & (spikes.times_ms < stop)
    in_wave &= spikes.units >= n_initiators
    units = spikes.units[in_wave]
    active_share = np.unique(units).size / (spikes.n_units - n_initiators)
    if units.size < FEWEST_SPIKES:
        return np.nan, np.nan, active_share
    return (
        *regress((spikes.times_ms[in_wave] - start) / cycle_ms, cycle_position[units]),
        active_share,
    )


def regress(time: NDArray, cycle_position: NDArray) -> tuple[float, float]:
    """Circular-linear regression (Kempter et al. 2012) of place on time, both in cycles (Eq. 37).

    Args:
        time: Of spikes, in trained cycles, (spike,).
        cycle_position: In the trained cycle of the neurons that fired them, (spike,).

    Returns:
        The slope at which residuals are most concentrated, and their mean vector's length.
    """
    slopes = np.linspace(-STEEPEST, STEEPEST, GRID)
    strength = np.abs(np.exp(2j * np.pi * (cycle_position - slopes[:, None] * time)).mean(axis=1))
    best = int(np.argmax(strength))
    return float(slopes[best]), float(strength[best])


def _average_columns(rows: list, n: int) -> list[float]:
    """Mean of each of n columns over rows where it is finite; nan where it never is."""
    table = np.array(rows, float).reshape(-1, n)
    finite_columns = [column[np.isfinite(column)] for column in table.T]
    return [float(column.mean()) if column.size else np.nan for column in finite_columns]
