"""The burst rule at one synapse (Eqs. 33-38): for Brian2, from spike to spike, and in the mean.

Equation numbers are those of this talk's README. Times are in ms here, rates in Hz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params

# The spike of a neuron that is told when to fire.
FORCED = """
driven : 1
w_seen : 1
"""
# Eqs. 33-34: trace of presynaptic events, running means of postsynaptic events and bursts.
TRACES = """
dx/dt = -x/tau_trace : 1 (event-driven)
devents/dt = -events/tau_mean : Hz (event-driven)
dbursts/dt = -bursts/tau_mean : Hz (event-driven)
w : 1
pending : 1
pre_spike : second
post_spike : second
"""
# Eq. 33.
ON_PRE = """
x += int(t - pre_spike > window)
pre_spike = t
"""
# Eqs. 34-37; the means are read before the present spike enters them.
ON_POST = """
event = int(t - post_spike > window)
burst = (1 - event)*pending
change = eta*x*(burst - event*clip(bursts/events, 0, 1))
w += change
w_seen_post += change
events += event/tau_mean
bursts += burst/tau_mean
pending = event
post_spike = t
"""


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
    times, kinds = _sort_moments(pre, post, samples)
    w, e, b = (start[name].astype(float) for name in ("w", "events", "bursts"))
    x, pending = np.zeros(n), np.zeros(n)
    window = window_ms(params)
    last_spike = {"pre": np.full(n, -1e7), "post": np.full(n, -1e7)}
    last_moment = np.zeros(n)
    sampled_weights = np.zeros((samples.size, n))
    n_filled = np.zeros(n, int)
    for moment, kind in zip(times.T, kinds.T, strict=True):
        is_running = kind > 0
        elapsed = np.where(is_running, moment - last_moment, 0.0)
        last_moment = np.where(is_running, moment, last_moment)
        x *= np.exp(-elapsed / params.tau_pre)
        e *= np.exp(-elapsed / params.tau_mean)
        b *= np.exp(-elapsed / params.tau_mean)
        # A sample shows the weight as the spikes up to and including its time have left it.
        row = np.flatnonzero(kind == SAMPLE)
        sampled_weights[n_filled[row], row] = w[row]
        n_filled[row] += 1
        is_pre = kind == PRE
        x += is_pre & (moment - last_spike["pre"] > window)
        last_spike["pre"] = np.where(is_pre, moment, last_spike["pre"])
        is_post = kind == POST
        is_silent = moment - last_spike["post"] > window
        event = is_post & is_silent
        burst = is_post & ~is_silent & (pending > 0)
        w += params.eta_pairing * x * (burst - event * np.clip(b / e, 0.0, 1.0))
        e += 1000.0 / params.tau_mean * event
        b += 1000.0 / params.tau_mean * burst
        pending = np.where(is_post, event, pending)
        last_spike["post"] = np.where(is_post, moment, last_spike["post"])
    return sampled_weights


def window_ms(params: Params) -> float:
    """Silence before an event: on a grid, half a step more settles what equals the window."""
    return params.burst_window_ms + params.dt_ms / 2


PRE, POST, SAMPLE = 1, 2, 3
"""Kinds of moments, in their order at equal times; 0: no moment any more."""


def _sort_moments(
    pre: Spikes, post: Spikes, samples: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Moments and kinds, (synapse, moment): padded with 0 behind each synapse's last."""
    n = pre.n_units
    times = np.concatenate([pre.times_ms, post.times_ms, np.tile(samples, n)])
    units = np.concatenate([pre.units, post.units, np.repeat(np.arange(n), samples.size)])
    n_by_kind = (len(pre), len(post), n * samples.size)
    kinds = np.repeat([PRE, POST, SAMPLE], n_by_kind)
    moment_order = np.lexsort((kinds, times, units))
    units = units[moment_order]
    position = np.arange(units.size) - np.searchsorted(units, units)
    time_table = np.zeros((n, int(position.max()) + 1))
    kind_table = np.zeros(time_table.shape, int)
    time_table[units, position] = times[moment_order]
    kind_table[units, position] = kinds[moment_order]
    return time_table, kind_table


def mean_field(params: Params, times_ms: NDArray) -> NDArray[np.float64]:
    """Expected change of weight under the burst-Poisson protocol (Eq. 38), (time, curve).

    Curves: all burst probabilities of the first event rate, then those of the next.
    """
    growth = 1.0 - np.exp(-np.minimum(times_ms, params.pairing_ms) / params.tau_mean)
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
    return np.multiply.outer(growth, curves)
