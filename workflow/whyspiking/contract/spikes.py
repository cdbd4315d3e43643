"""The one spike-train type: all spikes of all trials of one population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


def narrow(numbers: NDArray, below: int) -> NDArray:
    """Integers from 0 to `below` - 1 as keys to sort by: NumPy is fastest with 16 bits.

    Numbers that do not fit are left as they are, for `Spikes` to find those out of range.
    """
    numbers = np.asarray(numbers)
    fit = below <= 2**16 and numbers.size and numbers.min() >= 0 and numbers.max() < below
    return numbers.astype(np.uint16) if fit else numbers


def distinct(numbers: NDArray) -> NDArray:
    """The distinct ones of many integers, rising: `np.unique`, 100 times faster for millions."""
    rising = np.sort(numbers, axis=None)
    first = np.ones(rising.size, bool)
    np.not_equal(rising[1:], rising[:-1], out=first[1:])
    return rising[first]


@dataclass(frozen=True)
class Spikes:
    """Spike trains of `n_units` neurons over several trials of equal duration.

    Attributes:
        times_ms: Spike times within their trial, in ms; shape (spike,), float64.
        units: Neuron of each spike; shape (spike,), int32.
        trials: Trial of each spike, non-decreasing; shape (spike,), int32. Within a trial the
            spikes are sorted by time, then by unit.
        n_trials: Number of trials, silent ones included.
        n_units: Number of neurons, silent ones included.
        duration_ms: Length of every trial in ms; all times lie in [0, duration_ms].
    """

    times_ms: NDArray[np.float64]
    units: NDArray[np.int32]
    trials: NDArray[np.int32]
    n_trials: int
    n_units: int
    duration_ms: float

    def __post_init__(self) -> None:
        if not (self.times_ms.shape == self.units.shape == self.trials.shape):
            raise ValueError("times_ms, units and trials must have one entry per spike")
        if self.times_ms.size == 0:
            return
        if self.times_ms.min() < 0 or self.times_ms.max() > self.duration_ms:
            raise ValueError(
                f"spike times must lie in [0, {self.duration_ms}] ms; found "
                f"{self.times_ms.min()} to {self.times_ms.max()}"
            )
        if self.units.min() < 0 or self.units.max() >= self.n_units:
            raise ValueError(f"units must lie in [0, {self.n_units})")
        if self.trials.min() < 0 or self.trials.max() >= self.n_trials:
            raise ValueError(f"trials must lie in [0, {self.n_trials})")

    @classmethod
    def sorted(
        cls,
        times_ms: NDArray,
        units: NDArray,
        trials: NDArray,
        *,
        n_trials: int,
        n_units: int,
        duration_ms: float,
    ) -> Spikes:
        """Build from spikes in any order."""
        order = np.lexsort((narrow(units, n_units), times_ms, narrow(trials, n_trials)))
        return cls(
            np.asarray(times_ms, float)[order],
            np.asarray(units, np.int32)[order],
            np.asarray(trials, np.int32)[order],
            n_trials,
            n_units,
            float(duration_ms),
        )

    @classmethod
    def from_first_spikes(cls, first_ms: NDArray, duration_ms: float) -> Spikes:
        """Build from first-spike times of shape (trial, unit); inf or nan means no spike.

        Spikes later than `duration_ms` are dropped, as a simulation of that length would.
        """
        first_ms = np.asarray(first_ms, float)
        trials, units = np.nonzero(np.isfinite(first_ms) & (first_ms <= duration_ms))
        return cls.sorted(
            first_ms[trials, units],
            units,
            trials,
            n_trials=first_ms.shape[0],
            n_units=first_ms.shape[1],
            duration_ms=duration_ms,
        )

    @classmethod
    def from_raster(cls, raster: NDArray, step_ms: float) -> Spikes:
        """Build from what is active in each step, (trial, step, unit); spikes begin the steps."""
        n_trials, n_steps, n_units = raster.shape
        # As np.nonzero of three axes, in a third of the time.
        places, units = np.divmod(np.flatnonzero(raster), n_units)
        trials, steps = np.divmod(places, n_steps)
        return cls(
            steps.astype(np.float64) * float(step_ms),
            units.astype(np.int32),
            trials.astype(np.int32),
            n_trials,
            n_units,
            n_steps * float(step_ms),
        )

    def __len__(self) -> int:
        return int(self.times_ms.size)

    def counts(self) -> NDArray[np.int64]:
        """Spike counts, shape (trial, unit)."""
        flat = self.trials.astype(np.int64) * self.n_units + self.units
        return np.bincount(flat, minlength=self.n_trials * self.n_units).reshape(
            self.n_trials, self.n_units
        )

    def raster(self, steps: NDArray, n_steps: int) -> NDArray[np.bool_]:
        """Who is active in each step, (trial, step, unit), by the step of each spike, (spike,)."""
        inside = (steps >= 0) & (steps < n_steps)
        found = np.zeros((self.n_trials, n_steps, self.n_units), bool)
        found[self.trials[inside], steps[inside], self.units[inside]] = True
        return found

    def steps(self, step_ms: float) -> NDArray[np.int64]:
        """Step of each spike, (spike,); a spike on the very start of a step belongs to it."""
        # What is on the grid but for rounding stays on it: 0.3 / 0.1 is 3.
        return np.floor(self.times_ms / step_ms + 1e-9).astype(np.int64)

    def first_ms(self) -> NDArray[np.float64]:
        """Time of each neuron's first spike in ms, inf if silent; shape (trial, unit)."""
        first = np.full((self.n_trials, self.n_units), np.inf)
        np.minimum.at(first, (self.trials, self.units), self.times_ms)
        return first

    def keep(self, kept: NDArray[np.bool_]) -> Spikes:
        """Some of the spikes, all neurons and trials; `kept` has one entry per spike."""
        left = {name: getattr(self, name)[kept] for name in ("times_ms", "units", "trials")}
        return replace(self, **left)

    def select_trials(self, chosen: Sequence[int] | NDArray) -> Spikes:
        """The given trials, renumbered 0, 1, ... in the given order (repeats allowed)."""
        chosen = np.asarray(chosen, int)
        start = np.searchsorted(self.trials, np.arange(self.n_trials + 1))
        pieces = [np.arange(int(start[c]), int(start[c + 1])) for c in chosen]
        index = np.concatenate(pieces) if pieces else np.zeros(0, int)
        renumbered = np.repeat(np.arange(chosen.size), [piece.size for piece in pieces])
        return Spikes(
            self.times_ms[index],
            self.units[index],
            renumbered.astype(np.int32),
            int(chosen.size),
            self.n_units,
            self.duration_ms,
        )


def gaps_of_first_spikes(ours: NDArray, theirs: NDArray, end: float) -> NDArray[np.float64]:
    """How far apart first spikes (inf: silent) of two engines are, all (trial, neuron).

    A neuron that is silent, or later, counts as firing at the end of the trial, so that a spike
    which one side lacks is an error and not left out.
    """
    return np.abs(np.minimum(ours, end) - np.minimum(theirs, end))
