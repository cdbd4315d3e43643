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
    spike_order = np.lexsort((spikes.times_ms, spikes.units, spikes.trials))
    times, units, trials = (a[spike_order] for a in (spikes.times_ms, spikes.units, spikes.trials))
    is_following = (np.diff(units) == 0) & (np.diff(trials) == 0) & (np.diff(times) <= window_ms)
    is_event, is_burst = np.ones(times.size, bool), np.zeros(times.size, bool)
    is_event[1:] = ~is_following
    is_burst[:-1] = is_event[:-1] & is_following
    masks = np.zeros((2, times.size), bool)
    masks[:, spike_order] = is_event, is_burst
    return masks[0], masks[1]


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
    spike_order = np.lexsort((spikes.times_ms, spikes.units, spikes.trials))
    is_event = events(spikes, window_ms)[0][spike_order]
    times, units, trials = (a[spike_order] for a in (spikes.times_ms, spikes.units, spikes.trials))
    event_index = np.flatnonzero(is_event)
    n_further = np.diff(np.append(event_index, times.size)) - 1
    start = times[event_index]
    delays = times - np.repeat(start, n_further + 1)
    last_delays = np.where(n_further > 0, delays[np.append(event_index[1:], times.size) - 1], 0.0)
    is_same_neuron = (np.diff(units[event_index]) == 0) & (np.diff(trials[event_index]) == 0)
    free_ms = np.append(
        np.where(is_same_neuron, np.diff(start) - window_ms, spikes.duration_ms - start[:-1]),
        spikes.duration_ms - start[-1:],
    )
    # Which event's further spikes each event gets.
    source_event = np.arange(event_index.size).tolist()
    train_bounds = np.concatenate([[0], np.flatnonzero(~is_same_neuron) + 1, [event_index.size]])
    train_index = np.repeat(np.arange(train_bounds.size - 1), np.diff(train_bounds))
    free_by_event, delay_by_event = free_ms.tolist(), last_delays.tolist()
    bursts = np.flatnonzero(n_further > 0)
    for _ in range(EXCHANGES):
        low, high = train_bounds[train_index[bursts]], train_bounds[train_index[bursts] + 1]
        partners = rng.integers(low, high)
        for k in rng.permutation(bursts.size).tolist():
            event, partner = int(bursts[k]), int(partners[k])
            if (
                delay_by_event[source_event[event]] < free_by_event[partner]
                and delay_by_event[source_event[partner]] < free_by_event[event]
            ):
                source_event[event], source_event[partner] = (
                    source_event[partner],
                    source_event[event],
                )
    counts = n_further[source_event] + 1
    rank_in_event = np.arange(times.size) - np.repeat(np.cumsum(counts) - counts, counts)
    moved_times = (
        np.repeat(start, counts)
        + delays[np.repeat(event_index[source_event], counts) + rank_in_event]
    )
    return Spikes.sorted(
        moved_times,
        np.repeat(units[event_index], counts),
        np.repeat(trials[event_index], counts),
        n_trials=spikes.n_trials,
        n_units=spikes.n_units,
        duration_ms=spikes.duration_ms,
    )


def binned(
    spikes: Spikes, mask: NDArray, units: slice, *, start_ms: float, stop_ms: float, bin_ms: float
) -> NDArray[np.float64]:
    """Rate per neuron in Hz of the chosen spikes of some neurons, (trial, bin)."""
    n_bins = round((stop_ms - start_ms) / bin_ms)
    is_counted = mask & (spikes.units >= units.start) & (spikes.units < units.stop)
    position = np.floor((spikes.times_ms[is_counted] - start_ms) / bin_ms).astype(int)
    trials = spikes.trials[is_counted]
    is_inside = (position >= 0) & (position < n_bins)
    flat_index = trials[is_inside] * n_bins + position[is_inside]
    counts = np.bincount(flat_index, minlength=spikes.n_trials * n_bins)
    scale = 1000.0 / bin_ms / (units.stop - units.start)
    return scale * counts.reshape(spikes.n_trials, n_bins)


def share(bursts: NDArray, of_events: NDArray) -> NDArray[np.float64]:
    """Burst probability: bursts over events, 0 where there is no event."""
    return np.divide(bursts, of_events, out=np.zeros_like(bursts), where=of_events > 0)


def correlation(x: NDArray, y: NDArray) -> float:
    """Pearson correlation; nan where one of the two is constant."""
    if np.std(x) == 0 or np.std(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def standardised(values: NDArray) -> NDArray[np.float64]:
    """Mean 0 and standard deviation 1 along time, the second axis of (trial, time, channel)."""
    sd = values.std(axis=1, keepdims=True)
    return (values - values.mean(axis=1, keepdims=True)) / np.where(sd > 0, sd, 1.0)
