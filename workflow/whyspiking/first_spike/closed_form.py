"""First-spike layers in JAX: the readable reference, and the fallback without a compiler.

Everything is written as in the papers, with one change for accuracy: sums are kept relative to the
last event, so that float32 suffices. `spike_times` can be differentiated by `jax.grad`.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from whyspiking.first_spike.layer import LayerOutput, check_layer, kernel, kernel_slope

NAME = "jax"


def lambert_u(log_y: Array) -> Array:
    """The smaller solution u of u e^{-u} = y, i.e. -W0(-y) of Lambert's function.

    Args:
        log_y: log y <= -1; larger values are taken as -1, where u = 1.
    """
    d = jnp.minimum(log_y + 1, 0)
    p = jnp.sqrt(-2 * jnp.expm1(d))
    branch = 1 - p + p**2 / 3 - 11 / 72 * p**3 + 43 / 540 * p**4
    y = jnp.exp(log_y)
    u = jnp.where(p < 0.6, branch, y * (1 + y * (1 + 1.5 * y)))
    for _ in range(4):  # Halley's method on log u - u = log y
        f, f1 = jnp.log(u) - u - log_y, 1 / u - 1
        step = u - 2 * f * f1 / (2 * f1**2 + f / u**2)
        u = jnp.where((step > 0) & (step < 1) & (p > 0.01), step, u)
    return u


def _crossing(v: Array, a: Array, gap: Array, c: float, ratio: int) -> Array:
    """Time from an event to the threshold, if it lies before the next event; else inf.

    Args:
        v: Potential at the event, below threshold.
        a: sum of w_i e^{t_i - t} over the inputs up to and including the event at t.
        gap: Time to the next event.
        c: Threshold.
        ratio: tau_m / tau_s.
    """
    safe = jnp.where(a > 0, a, 1)
    if ratio == 1:  # V(d) = (v + a d) e^{-d}
        log_y = jnp.log(c / safe) - v / safe
        exists, delay = log_y <= -1, lambert_u(log_y) - v / safe
    else:  # V(d) = (v + a) e^{-d/2} - a e^{-d}
        square = (v + safe) ** 2 - 4 * safe * c
        exists = (square >= 0) & (v + safe > 0)
        root = jnp.sqrt(jnp.maximum(square, 0))
        delay = 2 * jnp.log(2 * safe / jnp.where(exists, v + safe + root, 1))
    return jnp.where((a > 0) & exists & (delay >= 0) & (delay <= gap), delay, jnp.inf)


@functools.partial(jax.jit, static_argnames=("threshold", "tau_ratio"))
def _forward(times: Array, weights: Array, threshold: float, tau_ratio: int) -> tuple[Array, Array]:
    n_samples, _ = times.shape
    shape = (n_samples, weights.shape[1])
    order = jnp.argsort(times, axis=1)
    ordered = jnp.take_along_axis(times, order, axis=1)
    following = jnp.concatenate([ordered[:, 1:], jnp.full((n_samples, 1), jnp.inf)], axis=1)

    def event(state: tuple[Array, Array, Array], column: tuple[Array, Array, Array]):
        v, a, spike = state
        index, now, then = column
        real = jnp.isfinite(now)[:, None]
        a = a + jnp.where(real, weights[index], 0)
        gap = jnp.where(jnp.isfinite(now), then - now, 0)[:, None]
        delay = _crossing(v, a, gap, threshold, tau_ratio)
        delay = jnp.where(real & jnp.isinf(spike), delay, jnp.inf)
        # With the state scaled to the time of the event the decay is applied here.
        spike = jnp.minimum(spike, jnp.where(real, now[:, None], 0) + delay)
        finite = jnp.where(jnp.isfinite(gap), gap, 0)
        if tau_ratio == 1:
            v = (v + a * finite) * jnp.exp(-finite)
        else:
            v = v * jnp.exp(-finite / 2) + a * (jnp.exp(-finite / 2) - jnp.exp(-finite))
        return (v, a * jnp.exp(-finite), spike), None

    start = (
        jnp.zeros(shape, times.dtype),
        jnp.zeros(shape, times.dtype),
        jnp.full(shape, jnp.inf, times.dtype),
    )
    (_, _, spikes), _ = jax.lax.scan(event, start, (order.T, ordered.T, following.T))

    def slope(sample: tuple[Array, Array]) -> Array:
        t, out = sample
        since = jnp.where(jnp.isfinite(out), out, 0)[None, :] - t[:, None]
        past = jnp.where(since > 0, jnp.exp(-jnp.maximum(since, 0)), 0)
        return jnp.sum(past * weights, axis=0) - threshold

    slopes = jax.lax.map(slope, (times, spikes)) / tau_ratio
    return spikes, jnp.where(jnp.isfinite(spikes), slopes, 0)


@functools.partial(jax.jit, static_argnames=("tau_ratio",))
def _backward(
    times: Array,
    weights: Array,
    spikes: Array,
    slopes: Array,
    gradient: Array,
    tau_ratio: int,
    min_slope: float,
    max_dw: float,
) -> tuple[Array, Array]:
    fired = jnp.isfinite(spikes)
    gains = jnp.where(fired, gradient / jnp.maximum(slopes, min_slope), 0)

    def add_sample(total: Array, sample: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        t, out, gain = sample
        since = jnp.where(jnp.isfinite(out), out, -jnp.inf)[None, :] - t[:, None]
        since = jnp.where(jnp.isfinite(since), since, -1)
        by_weight = -kernel(since, tau_ratio, jnp) * gain[None, :]
        kept = jnp.max(jnp.abs(by_weight), axis=0) <= max_dw
        by_time = jnp.sum(weights * kernel_slope(since, tau_ratio, jnp) * gain[None, :], axis=1)
        return total + jnp.where(kept[None, :], by_weight, 0), by_time

    return jax.lax.scan(add_sample, jnp.zeros_like(weights), (times, spikes, gains))


def forward(times: NDArray, weights: NDArray, threshold: float, tau_ratio: int) -> LayerOutput:
    """Exact first-spike times of one layer; arguments as in `compiled.forward`."""
    times = np.asarray(times)
    check_layer(times.shape, np.shape(weights), tau_ratio)
    with jax.enable_x64(times.dtype == np.float64):
        kind = times.dtype if times.dtype == np.float32 else np.float64
        spikes, slopes = _forward(
            jnp.asarray(times, kind), jnp.asarray(weights, kind), float(threshold), tau_ratio
        )
        return LayerOutput(np.asarray(spikes), np.asarray(slopes))


def backward(
    times: NDArray,
    weights: NDArray,
    output: LayerOutput,
    gradient: NDArray,
    tau_ratio: int,
    *,
    min_slope: float,
    max_dw: float = np.inf,
    first_time: int = 0,
) -> tuple[NDArray, NDArray]:
    """Gradients by weights and input times; arguments and results as in `compiled.backward`."""
    times = np.asarray(times)
    check_layer(times.shape, np.shape(weights), tau_ratio)
    with jax.enable_x64(times.dtype == np.float64):
        kind = times.dtype if times.dtype == np.float32 else np.float64
        arrays = (times, weights, output.times, output.slopes, gradient)
        by_weight, by_time = _backward(
            *(jnp.asarray(array, kind) for array in arrays),
            tau_ratio=tau_ratio,
            min_slope=min_slope,
            max_dw=max_dw,
        )
        by_time = np.array(by_time)
        by_time[:, :first_time] = 0
        return np.asarray(by_weight), by_time


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def spike_times(times: Array, weights: Array, threshold: float, tau_ratio: int) -> Array:
    """First-spike times as a differentiable JAX function.

    Args:
        times: Input times in units of tau_s, inf where silent; (sample, input).
        weights: (input, neuron).
        threshold: c = theta g_l.
        tau_ratio: tau_m / tau_s, 1 or 2.

    Returns:
        Output times, inf where silent; (sample, neuron). Derivatives as in `layer`.
    """
    return _forward(times, weights, threshold, tau_ratio)[0]


def _spike_times_forward(times: Array, weights: Array, threshold: float, tau_ratio: int):
    spikes, slopes = _forward(times, weights, threshold, tau_ratio)
    return spikes, (times, weights, spikes, slopes)


def _spike_times_backward(threshold: float, tau_ratio: int, kept, gradient: Array):
    times, weights, spikes, slopes = kept
    by_weight, by_time = _backward(
        times, weights, spikes, slopes, gradient, tau_ratio, 1e-12, jnp.inf
    )
    return by_time, by_weight


spike_times.defvjp(_spike_times_forward, _spike_times_backward)
