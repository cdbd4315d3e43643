"""Pairing protocols of one synapse, and the burst rule on their spikes as a closed recursion.

Equation numbers are those of this talk's README. Times are in ms here, rates in Hz.
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
        protocol: "burst", "poisson" or "periodic".
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
    found: list[Pairing] = []
    for rate in params.event_rates_hz:
        for p in params.burst_probabilities:
            found += [Pairing("burst", rate, p, params.p_start, rate)] * params.n_realisations
    for start in params.poisson_starts:
        for rate in params.poisson_rates_hz:
            pair = Pairing("poisson", rate, np.nan, start, params.event_start_hz)
            found += [pair] * params.n_realisations
    for rate in params.periodic_rates_hz:
        pair = Pairing("periodic", rate, np.nan, params.periodic_start, params.event_start_hz)
        found.append(pair)
    return found


def spikes(params: Params, rng: np.random.Generator) -> dict[str, Spikes]:
    """Pre- and postsynaptic spikes ("pre", "forced") of all synapses, one channel each."""
    trains: dict[str, list[NDArray]] = {"pre": [], "forced": []}
    for pairing in pairings(params):
        for side, rows in trains.items():
            rows.append(_train(params, pairing, side, rng))
    return {side: _gather(rows, params.trial_ms) for side, rows in trains.items()}


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
    intervals = _intervals(event_rate_hz, duration_ms, dead_ms, rng)
    delays = delay_ms + spread_ms * rng.random(intervals.size)
    delays *= rng.random(intervals.size) < p_burst
    second = np.cumsum(intervals + delays)
    events = second - delays
    times = np.sort(np.concatenate([events, second[delays > 0]]))
    return times[times < duration_ms]


def renewal(
    rate_hz: float, duration_ms: float, dead_ms: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A Poisson train with dead time: spike times in ms, sorted."""
    times = np.cumsum(_intervals(rate_hz, duration_ms, dead_ms, rng))
    return times[times < duration_ms]


def _intervals(
    rate_hz: float, duration_ms: float, dead_ms: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """More intervals than fit into the duration, in ms."""
    n = int(2 * rate_hz * duration_ms / 1000.0 + 50)
    return dead_ms + (1000.0 / rate_hz - dead_ms) * rng.standard_exponential(n)


def _train(
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
    if pairing.protocol == "poisson":
        return renewal(pairing.rate_hz, params.pairing_ms, params.poisson_refractory_ms, rng)
    period = 1000.0 / pairing.rate_hz
    every = params.periodic_pairs * period + params.periodic_pause_ms
    starts = every * np.arange(params.periodic_repeats)
    return np.add.outer(starts, period * np.arange(params.periodic_pairs)).ravel()


def _gather(rows: Sequence[NDArray], duration_ms: float) -> Spikes:
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


def recursion(
    params: Params, pre: Spikes, post: Spikes, start: dict[str, NDArray], sample_ms: float
) -> NDArray[np.float64]:
    """The rule (Eqs. 33-37) from spike to spike, for all synapses at once.

    Args:
        params: Time constants, window and rate of learning.
        pre: Presynaptic spikes, one channel per synapse.
        post: Postsynaptic spikes; one at the same time as a presynaptic one counts as later.
        start: `w`, and the running means `events` and `bursts` in Hz, (synapse,).
        sample_ms: Sampling of the result.

    Returns:
        Weights at the multiples of `sample_ms`, the ends excluded, (time, synapse).
    """
    n = pre.n_units
    samples = np.arange(0.0, pre.duration_ms, sample_ms)
    times, kinds = _in_order(pre, post, samples)
    w, e, b = (start[name].astype(float) for name in ("w", "events", "bursts"))
    x, pending = np.zeros(n), np.zeros(n)
    window = window_ms(params)
    last = {"pre": np.full(n, -1e7), "post": np.full(n, -1e7)}
    before = np.zeros(n)
    kept = np.zeros((samples.size, n))
    filled = np.zeros(n, int)
    for now, kind in zip(times.T, kinds.T, strict=True):
        going = kind > 0
        passed = np.where(going, now - before, 0.0)
        before = np.where(going, now, before)
        x *= np.exp(-passed / params.tau_pre)
        e *= np.exp(-passed / params.tau_mean)
        b *= np.exp(-passed / params.tau_mean)
        # A sample shows the weight as the spikes up to and including its time have left it.
        row = np.flatnonzero(kind == SAMPLE)
        kept[filled[row], row] = w[row]
        filled[row] += 1
        is_pre = kind == PRE
        x += is_pre & (now - last["pre"] > window)
        last["pre"] = np.where(is_pre, now, last["pre"])
        is_post = kind == POST
        silent = now - last["post"] > window
        event = is_post & silent
        burst = is_post & ~silent & (pending > 0)
        w += params.eta_pairing * x * (burst - event * np.clip(b / e, 0.0, 1.0))
        e += 1000.0 / params.tau_mean * event
        b += 1000.0 / params.tau_mean * burst
        pending = np.where(is_post, event, pending)
        last["post"] = np.where(is_post, now, last["post"])
    return kept


def window_ms(params: Params) -> float:
    """Silence before an event: on a grid, half a step more settles what equals the window."""
    return params.burst_window_ms + params.dt_ms / 2


PRE, POST, SAMPLE = 1, 2, 3
"""What happens at a moment, in the order of things that happen at once; 0: nothing any more."""


def _in_order(
    pre: Spikes, post: Spikes, samples: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Moments and kinds, (synapse, moment): padded with 0 behind each synapse's last."""
    n = pre.n_units
    times = np.concatenate([pre.times_ms, post.times_ms, np.tile(samples, n)])
    units = np.concatenate([pre.units, post.units, np.repeat(np.arange(n), samples.size)])
    sizes = (len(pre), len(post), n * samples.size)
    kinds = np.repeat([PRE, POST, SAMPLE], sizes)
    order = np.lexsort((kinds, times, units))
    units = units[order]
    position = np.arange(units.size) - np.searchsorted(units, units)
    table = np.zeros((n, int(position.max()) + 1))
    which = np.zeros(table.shape, int)
    table[units, position] = times[order]
    which[units, position] = kinds[order]
    return table, which


def mean_field(params: Params, times_ms: NDArray) -> NDArray[np.float64]:
    """Expected change of weight under the burst-Poisson protocol (Eq. 38), (time, curve).

    Curves: all burst probabilities of the first event rate, then those of the next.
    """
    grown = 1.0 - np.exp(-np.minimum(times_ms, params.pairing_ms) / params.tau_mean)
    curves = [
        params.eta_pairing
        * rate**2
        * params.tau_pre
        * params.tau_mean
        * 1e-6
        * (p - params.p_start)
        for rate in params.event_rates_hz
        for p in params.burst_probabilities
    ]
    return np.multiply.outer(grown, curves)
