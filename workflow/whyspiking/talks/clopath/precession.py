"""Phase precession: within its time field a cell fires ever earlier in the septal theta cycle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes

FEWEST_SPIKES = 10
"""Cells with fewer spikes have no slope."""
STEEPEST = 1.5
"""Slopes are looked for up to here, in theta cycles per beat cycle."""
GRID = 301


def precession(
    spikes: Spikes, trial: int, span_ms: tuple[float, float], beat_hz: float, septum_hz: float
) -> tuple[float, float]:
    """Median over cells of the circular-linear regression of theta phase on place in the field.

    The place is the phase of the beat relative to the cell's own mean, in cycles from -1/2 to 1/2;
    the slope is that at which the residual phases are most concentrated (Kempter et al. 2012).

    Args:
        spikes: Excitatory spikes.
        trial: Which trial.
        span_ms: Start and stop.
        beat_hz: Frequency of the sequence.
        septum_hz: Frequency of septal theta.

    Returns:
        Slope in theta cycles per beat cycle (negative: precession), and length of the mean residual
        vector; nan where no cell has enough spikes.
    """
    inside = (
        (spikes.trials == trial) & (spikes.times_ms >= span_ms[0]) & (spikes.times_ms < span_ms[1])
    )
    seconds, units = spikes.times_ms[inside] / 1000.0, spikes.units[inside]
    found = []
    for unit in np.flatnonzero(np.bincount(units, minlength=1) >= FEWEST_SPIKES):
        own = seconds[units == unit]
        found.append(regress(_place(beat_hz * own), np.mod(septum_hz * own, 1.0)))
    if not found or not np.isfinite([beat_hz, septum_hz]).all():
        return np.nan, np.nan
    slope, strength = np.median(found, axis=0)
    return float(slope), float(strength)


def regress(place: NDArray, theta: NDArray) -> tuple[float, float]:
    """Slope and strength of theta phase (spike,) on place (spike,), both in cycles."""
    slopes = np.linspace(-STEEPEST, STEEPEST, GRID)
    strength = np.abs(np.exp(2j * np.pi * (theta - slopes[:, None] * place)).mean(axis=1))
    best = int(np.argmax(strength))
    return float(slopes[best]), float(strength[best])


def _place(beats: NDArray) -> NDArray:
    """Phases in cycles, relative to their mean, from -1/2 to 1/2."""
    middle = np.angle(np.exp(2j * np.pi * beats).mean()) / (2 * np.pi)
    return np.mod(beats - middle + 0.5, 1.0) - 0.5


def unpaired(
    spikes: Spikes, span_ms: tuple[float, float], septum_hz: float, rng: np.random.Generator
) -> Spikes:
    """The same spikes with the theta phases of each cell's spikes permuted among its theta cycles.

    Time fields and preferred phases stay, but which phase belongs to which place in the field is
    lost: the control of precession.
    """
    period = 1000.0 / septum_hz
    cycle, phase = np.divmod(spikes.times_ms, period)
    shuffled = phase.copy()
    # Whole cycles only, so that no spike leaves the span.
    last = np.floor(span_ms[1] / period) - 1
    inside = (cycle >= np.ceil(span_ms[0] / period)) & (cycle <= last)
    for unit, trial in set(zip(spikes.units[inside], spikes.trials[inside], strict=True)):
        own = np.flatnonzero((spikes.units == unit) & (spikes.trials == trial) & inside)
        shuffled[own] = phase[rng.permutation(own)]
    return Spikes.sorted(
        cycle * period + shuffled,
        spikes.units,
        spikes.trials,
        n_trials=spikes.n_trials,
        n_units=spikes.n_units,
        duration_ms=spikes.duration_ms,
    )
