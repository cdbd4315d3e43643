"""Perturbations of spike trains and of numbers: pure functions, the same for every talk.

Each takes its randomness as a generator and leaves its input as it is. At strength 0 every random
perturbation returns its input unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes

# fmt: off
ON_SPIKES = (
    "jitter", "shift", "shuffle", "shuffle_window", "swap_trials", "reverse", "delete", "insert",
)
# fmt: on
ON_NUMBERS = ("quantise", "clip", "mismatch")
ONCE = ("shift", "shuffle", "swap_trials", "reverse")
"""Perturbations without levels: one condition of strength 1."""
DETERMINISTIC = ("reverse", "quantise", "clip")
ORIGIN = {"clip": 1.0}
"""Strength that changes nothing, where it is not 0."""


EPSILON_CUT = 3.0
"""Relative deviations of `mismatch` are drawn again beyond this many standard deviations."""
MISMATCH_FLOOR = 0.05
"""Smallest factor of `mismatch`, so that a number keeps its sign."""

Window = tuple[float, float]
"""Start and stop in ms of the time in which a population may fire."""


def firing_window(spikes: Spikes) -> Window:
    """Time from the first to the last spike of a population over all trials, in ms.

    It stands for "when this population may fire"; a silent population may fire at any time.
    """
    if not len(spikes):
        return 0.0, spikes.duration_ms
    return float(spikes.times_ms.min()), float(spikes.times_ms.max())


def jitter(spikes: Spikes, sigma_ms: float, rng: Generator) -> Spikes:
    """Move every spike by Gaussian noise, keeping its neuron and trial.

    Times are reflected at the borders of the trial, so no spike is lost.

    Args:
        spikes: Trains to perturb; not modified.
        sigma_ms: Standard deviation in ms; 0 returns equal trains.
        rng: Source of the noise.

    Raises:
        ValueError: If `sigma_ms` is negative.
    """
    _check("sigma_ms", sigma_ms, 0, np.inf)
    if sigma_ms == 0 or not len(spikes):
        return spikes
    moved = spikes.times_ms + sigma_ms * rng.standard_normal(len(spikes))
    return _with_times(spikes, _reflect(moved, spikes.duration_ms))


def shift(spikes: Spikes, sigma_ms: float, rng: Generator) -> Spikes:
    """Move each neuron's whole train in a trial by one Gaussian draw.

    Times of different neurons lose their relation, those of one neuron keep it, but for spikes that
    would leave the trial: they are reflected at its borders as in `jitter`, so none is lost. Where
    no neuron fires twice it is `jitter`.

    Args:
        spikes: Trains to perturb; not modified.
        sigma_ms: Standard deviation in ms; 0 returns equal trains.
        rng: Source of the draws.

    Raises:
        ValueError: If `sigma_ms` is negative.

    Source: jitter per neuron of Yu, Sun, Akarca & Goodman, arXiv 2507.16043, who clip at the
    borders.
    """
    _check("sigma_ms", sigma_ms, 0, np.inf)
    if sigma_ms == 0 or not len(spikes):
        return spikes
    draws = sigma_ms * rng.standard_normal((spikes.n_trials, spikes.n_units))
    moved = spikes.times_ms + draws[spikes.trials, spikes.units]
    return _with_times(spikes, _reflect(moved, spikes.duration_ms))


def reverse(spikes: Spikes, window: Window | None = None) -> Spikes:
    """Mirror every trial in time: counts, intervals and coincidences stay, their order is turned.

    Args:
        spikes: Trains to perturb; not modified.
        window: The time that is mirrored, in ms; by default `firing_window` of the trains.

    Source: Yu, Sun, Akarca & Goodman, arXiv 2507.16043.
    """
    start, stop = firing_window(spikes) if window is None else window
    # Rounding of start + stop - time may leave the window by one unit in the last place.
    return _with_times(spikes, np.clip(start + stop - spikes.times_ms, start, stop))


def fires_once(spikes: Spikes) -> bool:
    """Whether no neuron fires twice in any trial."""
    return not len(spikes) or int(spikes.counts().max()) <= 1


def shuffle(spikes: Spikes, rng: Generator, window: Window | None = None) -> Spikes:
    """Redraw all spike times uniformly; each neuron's count in each trial is kept.

    Args:
        spikes: Trains to perturb; not modified.
        rng: Source of the new times.
        window: Where the new times may lie, in ms; by default `firing_window` of the trains.
    """
    start, stop = firing_window(spikes) if window is None else window
    return _with_times(spikes, _uniform(start, stop, len(spikes), rng))


def shuffle_window(
    spikes: Spikes, share: float, rng: Generator, window: Window | None = None
) -> Spikes:
    """Redraw spike times within consecutive windows, so slower rate changes are kept.

    Args:
        spikes: Trains to perturb; not modified.
        share: Width of a window over the length of `window`, in [0, 1]; 1 equals `shuffle`.
        rng: Source of the new times.
        window: The time that is cut into windows, in ms; by default `firing_window`.

    Raises:
        ValueError: If `share` lies outside [0, 1].
    """
    _check("share", share, 0, 1)
    start, stop = firing_window(spikes) if window is None else window
    width = share * (stop - start)
    # A window that is narrower than times are rounded moves nothing, and cannot be counted.
    if share <= np.finfo(float).eps or width == 0 or not len(spikes):
        return spikes
    # The last instant belongs to the last window, which may be shorter than the others.
    last = np.ceil((stop - start) / width - 1e-9) - 1
    index = np.clip(np.floor((spikes.times_ms - start) / width), 0, last)
    low = start + index * width
    high = np.minimum(low + width, stop)
    return _with_times(spikes, np.minimum(low + (high - low) * rng.random(len(spikes)), stop))


def swap_trials(spikes: Spikes, labels: NDArray, rng: Generator) -> Spikes:
    """Give each neuron its train from another trial of the same class.

    What a neuron tells about the class is kept; how neurons go together within a trial is not.
    Each neuron's trials are permuted in one random cycle, so no train stays where it was, unless
    its class has a single trial.

    Args:
        spikes: Trains to perturb; not modified.
        labels: Class of each trial, (trial,).
        rng: Source of the permutations.
    """
    labels = np.asarray(labels)
    recipient = np.repeat(np.arange(spikes.n_trials)[:, None], spikes.n_units, axis=1)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = members[np.argsort(rng.random((members.size, spikes.n_units)), axis=0)]
        recipient[np.roll(order, -1, axis=0), np.arange(spikes.n_units)] = order
    return ordered(
        spikes.times_ms, spikes.units, recipient[spikes.trials, spikes.units], like=spikes
    )


def delete(spikes: Spikes, probability: float, rng: Generator) -> Spikes:
    """Drop each spike independently.

    Args:
        spikes: Trains to perturb; not modified.
        probability: Share of spikes to lose, in [0, 1].
        rng: Source of the choice.

    Raises:
        ValueError: If `probability` lies outside [0, 1].
    """
    _check("probability", probability, 0, 1)
    if probability == 0:
        return spikes
    return spikes.keep(rng.random(len(spikes)) >= probability)


def insert(spikes: Spikes, fraction: float, rng: Generator, window: Window | None = None) -> Spikes:
    """Add Poisson spikes at `fraction` of the population's mean rate to every neuron.

    Args:
        spikes: Trains to perturb; not modified.
        fraction: Rate of the added spikes over the mean rate of the population.
        rng: Source of the spikes.
        window: Where they may lie, in ms; by default `firing_window` of the trains.

    Raises:
        ValueError: If `fraction` is negative.
    """
    _check("fraction", fraction, 0, np.inf)
    start, stop = firing_window(spikes) if window is None else window
    # Independent equal Poisson counts are one Poisson total spread evenly over neurons and trials.
    added = int(rng.poisson(fraction * len(spikes)))
    if added == 0:
        return spikes
    return ordered(
        np.concatenate([spikes.times_ms, _uniform(start, stop, added, rng)]),
        np.concatenate([spikes.units, rng.integers(spikes.n_units, size=added, dtype=np.int32)]),
        np.concatenate([spikes.trials, rng.integers(spikes.n_trials, size=added, dtype=np.int32)]),
        like=spikes,
    )


def earliest(spikes: Spikes) -> Spikes:
    """Keep the first spike of each neuron and trial, as a first-spike code reads it."""
    flat = spikes.trials.astype(np.int64) * spikes.n_units + spikes.units
    first = np.zeros(spikes.n_trials * spikes.n_units, np.int64)
    # Spikes of a trial come in order of time: written backwards, the earliest one stays.
    first[flat[::-1]] = np.arange(len(spikes))[::-1]
    return spikes.keep(first[flat] == np.arange(len(spikes)))


def concatenate(pieces: Sequence[Spikes]) -> Spikes:
    """The trials of all pieces one after the other; sizes and durations must agree."""
    shapes = {(piece.n_units, piece.duration_ms) for piece in pieces}
    if len(shapes) != 1:
        raise ValueError(
            "all pieces must have the same number of neurons and the same duration; found "
            f"{sorted(shapes)}"
        )
    offsets = np.cumsum([0, *(piece.n_trials for piece in pieces)])
    trials = [p.trials + np.int32(start) for p, start in zip(pieces, offsets, strict=False)]
    return replace(
        pieces[0],
        times_ms=np.concatenate([piece.times_ms for piece in pieces]),
        units=np.concatenate([piece.units for piece in pieces]),
        trials=np.concatenate(trials),
        n_trials=int(offsets[-1]),
    )


def quantise(weights: NDArray, bits: int) -> NDArray:
    """Round to the nearest of 2^bits - 1 evenly spaced values, symmetric about zero.

    Args:
        weights: One weight matrix (or vector); the largest magnitude sets its scale.
        bits: Word length with sign, at least 2.

    Raises:
        ValueError: If `bits` is not an integer of at least 2.
    """
    if bits != int(bits) or bits < 2:
        raise ValueError(f"bits must be an integer of at least 2; found {bits}")
    levels = 2 ** (int(bits) - 1) - 1
    weights = np.asarray(weights)
    peak = float(np.abs(weights).max(initial=0.0))
    if peak == 0:
        return weights
    return (np.round(weights * (levels / peak)) * peak / levels).astype(weights.dtype)


def clip(weights: NDArray, share: float) -> NDArray:
    """Limit magnitudes to `share` of the largest one; 1 changes nothing.

    Raises:
        ValueError: If `share` lies outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1]; found {share}")
    weights = np.asarray(weights)
    limit = share * float(np.abs(weights).max(initial=0.0))
    return np.clip(weights, -limit, limit)


def mismatch(values: NDArray, sigma: float, rng: Generator) -> NDArray:
    """Multiply every number by its own 1 + sigma * N(0, 1), the deviate cut at 3.

    Factors have a floor of 0.05, so signs are kept.

    Args:
        values: Weights, thresholds or time constants, any shape.
        sigma: Relative standard deviation.
        rng: Source of the deviations.

    Raises:
        ValueError: If `sigma` is negative.
    """
    _check("sigma", sigma, 0, np.inf)
    values = np.asarray(values)
    if sigma == 0:
        return values
    epsilon = rng.standard_normal(values.shape)
    while (far := np.abs(epsilon) > EPSILON_CUT).any():
        epsilon[far] = rng.standard_normal(int(far.sum()))
    factors = np.maximum(1 + sigma * epsilon, MISMATCH_FLOOR)
    return (values * factors).astype(np.result_type(values.dtype, np.float32))


def ordered(times_ms: NDArray, units: NDArray, trials: NDArray, *, like: Spikes) -> Spikes:
    """Build trains from spikes in any order, with the sizes of `like`.

    One sort by a joint key is eight times faster than `Spikes.sorted`; the full sort is the
    fallback where spikes of one trial tie in time.
    """
    key = trials * (2.0 * like.duration_ms) + times_ms
    order = np.argsort(key)
    times, chosen_units, chosen_trials = times_ms[order], units[order], trials[order]
    same = np.diff(chosen_trials) == 0
    step = np.diff(times)
    if (same & (step <= 0)).any() or (np.diff(chosen_trials) < 0).any():
        return Spikes.sorted(
            times_ms,
            units,
            trials,
            n_trials=like.n_trials,
            n_units=like.n_units,
            duration_ms=like.duration_ms,
        )
    return replace(
        like,
        times_ms=times,
        units=chosen_units.astype(np.int32, copy=False),
        trials=chosen_trials.astype(np.int32, copy=False),
    )


def _with_times(spikes: Spikes, times_ms: NDArray) -> Spikes:
    return ordered(times_ms, spikes.units, spikes.trials, like=spikes)


def _reflect(times_ms: NDArray, duration_ms: float) -> NDArray:
    folded = np.abs(times_ms) % (2 * duration_ms)
    return np.where(folded > duration_ms, 2 * duration_ms - folded, folded)


def _uniform(start: float, stop: float, size: int, rng: Generator) -> NDArray:
    # Rounding of start + (stop - start) may exceed stop by one unit in the last place.
    return np.minimum(start + (stop - start) * rng.random(size), stop)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        limits = f"in [{low}, {high}]" if np.isfinite(high) else f"at least {low}"
        raise ValueError(f"{name} must be {limits}; found {value}")
