"""Pairing protocols of one synapse: burst-Poisson and Poisson trains (Eq. 32).

Times are in ms here, rates in Hz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params


@dataclass(frozen=True)
class Pairing:
    """One synapse under one protocol.

    Attributes:
        protocol: "burst" or "poisson".
        rate_hz: Rate of events ("burst") or of spikes.
        p_burst: Probability of a second spike; only for "burst".
        p_start: Burst probability that the running means stand for at the start.
        event_start_hz: Where the running mean of events starts.
    """

    protocol: str
    rate_hz: float
    p_burst: float
    p_start: float
    event_start_hz: float


def pairings(params: Params) -> list[Pairing]:
    """All synapses of the experiment, repetitions included, in the order of their channels."""
    synapses: list[Pairing] = []
    for rate in params.event_rates_hz:
        for p in params.burst_probabilities:
            synapses += [Pairing("burst", rate, p, params.p_start, rate)] * params.n_realisations
    for start in params.poisson_starts:
        for rate in params.poisson_rates_hz:
            pair = Pairing("poisson", rate, np.nan, start, params.event_start_hz)
            synapses += [pair] * params.n_realisations
    return synapses


def spikes(params: Params, rng: np.random.Generator) -> dict[str, Spikes]:
    """Pre- and postsynaptic spikes ("pre", "forced") of all synapses, one channel each."""
    trains: dict[str, list[NDArray]] = {"pre": [], "forced": []}
    for pairing in pairings(params):
        for side, rows in trains.items():
            rows.append(_draw_train(params, pairing, side, rng))
    return {side: _gather_spikes(rows, params.trial_ms) for side, rows in trains.items()}


def burst_poisson(
    event_rate_hz: float,
    p_burst: float,
    duration_ms: float,
    *,
    dead_ms: float,
    delay_ms: float,
    spread_ms: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Events with a dead time after every spike, each followed by a second spike or not (Eq. 32).

    Args:
        event_rate_hz: Rate of events without second spikes, the dead time included.
        p_burst: Probability of a second spike.
        duration_ms: Length of the train.
        dead_ms: Dead time of events after a spike of either kind.
        delay_ms: Earliest second spike after its event.
        spread_ms: Width of the uniform distribution of its delay.
        rng: Source of the train.

    Returns:
        Spike times in ms, sorted.
    """
    intervals = _draw_intervals(event_rate_hz, duration_ms, dead_ms, rng)
    delays = delay_ms + spread_ms * rng.random(intervals.size)
    delays *= rng.random(intervals.size) < p_burst
    second_times = np.cumsum(intervals + delays)
    events = second_times - delays
    times = np.sort(np.concatenate([events, second_times[delays > 0]]))
    return times[times < duration_ms]


def renewal(
    rate_hz: float, duration_ms: float, dead_ms: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A Poisson train with dead time: spike times in ms, sorted."""
    times = np.cumsum(_draw_intervals(rate_hz, duration_ms, dead_ms, rng))
    return times[times < duration_ms]


def _draw_intervals(
    rate_hz: float, duration_ms: float, dead_ms: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """More intervals than fit into the duration, in ms."""
    n = int(2 * rate_hz * duration_ms / 1000.0 + 50)
    return dead_ms + (1000.0 / rate_hz - dead_ms) * rng.standard_exponential(n)


def _draw_train(
    params: Params, pairing: Pairing, side: str, rng: np.random.Generator
) -> NDArray[np.float64]:
    if pairing.protocol == "burst":
        return burst_poisson(
            pairing.rate_hz,
            pairing.p_burst,
            params.pairing_ms,
            dead_ms=params.event_refractory_ms,
            delay_ms=params.second_delay_ms,
            spread_ms=params.second_spread_ms,
            rng=rng,
        )
    return renewal(pairing.rate_hz, params.pairing_ms, params.poisson_refractory_ms, rng)


def _gather_spikes(rows: Sequence[NDArray], duration_ms: float) -> Spikes:
    units = np.repeat(np.arange(len(rows)), [row.size for row in rows])
    times = np.concatenate(rows)
    return Spikes.sorted(
        times,
        units,
        np.zeros(times.size, int),
        n_trials=1,
        n_units=len(rows),
        duration_ms=duration_ms,
    )
