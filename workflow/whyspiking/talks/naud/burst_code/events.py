"""Events and bursts in spike trains, and what correlates with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes

EXCHANGES = 2
"""How often every burst is offered another event of its neuron."""


def events(spikes: Spikes, window_ms: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which spikes are events, and which events are the first spike of a burst (Eq. 31).

    An event is a spike after more than `window_ms` of silence; it is a burst if another spike of
    the neuron follows within the window.

    Args:
        spikes: Spikes of a population.
        window_ms: The window in ms.

    Returns:
        Two masks over `spikes`, (spike,).
    """
    order = np.lexsort((spikes.times_ms, spikes.units, spikes.trials))
    times, units, trials = (a[order] for a in (spikes.times_ms, spikes.units, spikes.trials))
    follows = (np.diff(units) == 0) & (np.diff(trials) == 0) & (np.diff(times) <= window_ms)
    is_event, is_burst = np.ones(times.size, bool), np.zeros(times.size, bool)
    is_event[1:] = ~follows
    is_burst[:-1] = is_event[:-1] & follows
    found = np.zeros((2, times.size), bool)
    found[:, order] = is_event, is_burst
    return found[0], found[1]


def other_bursts(spikes: Spikes, window_ms: float, rng: np.random.Generator) -> Spikes:
    """Redraw which events are bursts: every neuron keeps its events and its number of spikes.

    The further spikes of a burst move, with their delays, to another event of the same neuron in
    the same trial, by random exchanges; an exchange after which an event would no longer follow
    `window_ms` of silence is not made.

    Args:
        spikes: Spikes of a population.
        window_ms: Longest interval within a burst in ms.
        rng: Source of the exchanges.
    """
    order = np.lexsort((spikes.times_ms, spikes.units, spikes.trials))
    is_event = events(spikes, window_ms)[0][order]
    times, units, trials = (a[order] for a in (spikes.times_ms, spikes.units, spikes.trials))
    first = np.flatnonzero(is_event)
    sizes = np.diff(np.append(first, times.size)) - 1
    start = times[first]
    delays = times - np.repeat(start, sizes + 1)
    last = np.where(sizes > 0, delays[np.append(first[1:], times.size) - 1], 0.0)
    same = (np.diff(units[first]) == 0) & (np.diff(trials[first]) == 0)
    room = np.append(
        np.where(same, np.diff(start) - window_ms, spikes.duration_ms - start[:-1]),
        spikes.duration_ms - start[-1:],
    )
    # Which event's further spikes each event gets.
    given = np.arange(first.size).tolist()
    bounds = np.concatenate([[0], np.flatnonzero(~same) + 1, [first.size]])
    group = np.repeat(np.arange(bounds.size - 1), np.diff(bounds))
    space, reach = room.tolist(), last.tolist()
    bursts = np.flatnonzero(sizes > 0)
    for _ in range(EXCHANGES):
        low, high = bounds[group[bursts]], bounds[group[bursts] + 1]
        others = rng.integers(low, high)
        for k in rng.permutation(bursts.size).tolist():
            here, there = int(bursts[k]), int(others[k])
            if reach[given[here]] < space[there] and reach[given[there]] < space[here]:
                given[here], given[there] = given[there], given[here]
    counts = sizes[given] + 1
    within = np.arange(times.size) - np.repeat(np.cumsum(counts) - counts, counts)
    moved = np.repeat(start, counts) + delays[np.repeat(first[given], counts) + within]
    return Spikes.sorted(
        moved,
        np.repeat(units[first], counts),
        np.repeat(trials[first], counts),
        n_trials=spikes.n_trials,
        n_units=spikes.n_units,
        duration_ms=spikes.duration_ms,
    )


def binned(
    spikes: Spikes, chosen: NDArray, units: slice, *, start_ms: float, stop_ms: float, bin_ms: float
) -> NDArray[np.float64]:
    """Rate per neuron in Hz of the chosen spikes of some neurons, (trial, bin)."""
    n_bins = round((stop_ms - start_ms) / bin_ms)
    kept = chosen & (spikes.units >= units.start) & (spikes.units < units.stop)
    position = np.floor((spikes.times_ms[kept] - start_ms) / bin_ms).astype(int)
    trials = spikes.trials[kept]
    inside = (position >= 0) & (position < n_bins)
    flat = trials[inside] * n_bins + position[inside]
    counts = np.bincount(flat, minlength=spikes.n_trials * n_bins)
    scale = 1000.0 / bin_ms / (units.stop - units.start)
    return scale * counts.reshape(spikes.n_trials, n_bins)


def share(bursts: NDArray, of_events: NDArray) -> NDArray[np.float64]:
    """Burst probability: bursts over events, 0 where there is no event."""
    return np.divide(bursts, of_events, out=np.zeros_like(bursts), where=of_events > 0)


def correlation(first: NDArray, second: NDArray) -> float:
    """Pearson correlation; nan where one of the two is constant."""
    if np.std(first) == 0 or np.std(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def standardised(values: NDArray) -> NDArray[np.float64]:
    """Mean 0 and standard deviation 1 along time, the second axis of (trial, time, channel)."""
    spread = values.std(axis=1, keepdims=True)
    return (values - values.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
