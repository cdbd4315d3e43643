"""First-spike layers in JAX: the readable reference, and what JAX can differentiate.

The same mathematics as `kernel.cpp`, for whole batches: the inputs are walked through in the order
of time, and each neuron's first crossing is solved once, in closed form. The potential is kept
relative to the last event, so that float32 suffices. `spike_times` can be differentiated by
`jax.grad`.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import Array


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


def axis(times: Array, tau_ratio: int) -> tuple[Array, Array, Array]:
    """The time axis on which V is piecewise linear, its derivative, and the scale of V.

    With x(t) and r(t) as returned, k(t - t_i) = r(t) e^{t_i} (x(t) - x(t_i)), so V/r has the slope
    a = sum of w_i e^{t_i} over the inputs so far, and the threshold becomes the convex curve c/r.

    Args:
        times: In units of tau_s, any shape.
        tau_ratio: tau_m / tau_s, 1 or 2.

    Returns:
        x, dx/dt and r; (t, 1, e^{-t}) or (-e^{-t/2}, e^{-t/2}/2, e^{-t/2}).
    """
    if tau_ratio == 1:
        return times, jnp.ones_like(times), jnp.exp(-times)
    decay = jnp.exp(-times / 2)
    return -decay, decay / 2, decay


def _solve_crossing(d: Array, a: Array, t: Array, c: float, tau_ratio: int) -> tuple[Array, Array]:
    """Spike time and V' there, from V/r and its slope at the last event before (Eq. of `layer`)."""
    x, _, r = axis(t, tau_ratio)
    if tau_ratio == 1:
        u = lambert_u(jnp.log(c / (r * a)) - d / a)
        return t + u - d / a, c * (1 - u) / u
    a2 = d - a * x
    root = jnp.sqrt(jnp.maximum(a2**2 - 4 * a * c, 0))
    decay = (a2 + root) / (2 * a)
    return -2 * jnp.log(decay), root * decay / 2


@functools.partial(jax.jit, static_argnames=("threshold", "tau_ratio"))
def first_spikes(
    times: Array, weights: Array, threshold: float, tau_ratio: int
) -> tuple[Array, Array]:
    """Spike times and slopes there, (sample, neuron), of times (sample, input) and weights."""
    n_samples, _ = times.shape
    shape, dtype = (n_samples, weights.shape[1]), times.dtype
    order = jnp.argsort(times, axis=1)
    sorted_times = jnp.take_along_axis(times, order, axis=1)
    next_ordered = jnp.concatenate(
        [sorted_times[:, 1:], jnp.full((n_samples, 1), jnp.inf, dtype)], axis=1
    )
    is_finite, has_next = jnp.isfinite(sorted_times), jnp.isfinite(next_ordered)
    event_times = jnp.where(is_finite, sorted_times, 0)
    next_times = jnp.where(has_next, next_ordered, event_times)
    x, _, r = axis(event_times, tau_ratio)
    if tau_ratio == 1:  # written so that near events keep their distance exactly
        gap, end = next_times - event_times, jnp.inf
    else:
        gap, end = -r * jnp.expm1((event_times - next_times) / 2), 0.0
    columns = {
        "index": order,
        "time": event_times,
        "x": x,
        "gap": gap,
        "room": jnp.where(has_next, gap, end - x) * is_finite,  # how far the interval reaches
        "gain": jnp.where(is_finite, jnp.exp(event_times), 0),
        "h": threshold / r,
        "h_next": jnp.where(has_next, threshold / axis(next_times, tau_ratio)[2], jnp.inf),
    }

    def advance_event(
        state: tuple[Array, ...], column: dict[str, Array]
    ) -> tuple[tuple[Array, ...], None]:
        d, a, spike_d, spike_a, spike_t = state
        inputs = {name: value[:, None] for name, value in column.items() if name != "index"}
        a = a + weights[column["index"]] * inputs["gain"]
        next_d = d + a * inputs["gap"]
        rising = jnp.where(a > 0, a, 1)
        # Where the line d + a (x - x_now) comes closest to the curve, and whether it meets it.
        if tau_ratio == 1:
            delta = jnp.log(rising / inputs["h"])
            meets = d + a * (delta - 1) >= 0
        else:
            delta = -jnp.sqrt(threshold / rising) - inputs["x"]
            meets = d + a * delta >= jnp.sqrt(threshold * rising)
        touches = (delta > 0) & (delta < inputs["room"]) & meets
        is_first_spike = (a > 0) & (touches | (next_d >= inputs["h_next"])) & jnp.isinf(spike_t)
        spike_state = (spike_d, spike_a, spike_t)
        candidates = zip((d, a, jnp.broadcast_to(inputs["time"], shape)), spike_state, strict=True)
        return (
            next_d,
            a,
            *(jnp.where(is_first_spike, candidate, current) for candidate, current in candidates),
        ), None

    zeros, ones = jnp.zeros(shape, dtype), jnp.ones(shape, dtype)
    initial_state = (zeros, zeros, zeros, ones, jnp.full(shape, jnp.inf, dtype))
    (_, _, d, a, last_event), _ = jax.lax.scan(
        advance_event, initial_state, {k: v.T for k, v in columns.items()}
    )
    has_fired = jnp.isfinite(last_event)
    t = jnp.where(has_fired, last_event, 0)
    spikes, slopes = _solve_crossing(d, a, t, threshold, tau_ratio)
    return jnp.where(has_fired, jnp.maximum(spikes, t), jnp.inf), jnp.where(has_fired, slopes, 0)


@functools.partial(jax.jit, static_argnames=("tau_ratio",))
def derivatives(
    times: Array,
    weights: Array,
    spikes: Array,
    slopes: Array,
    gradient: Array,
    tau_ratio: int,
    min_slope: float,
    max_dw: float,
) -> tuple[Array, Array]:
    """Gradients by weights and by input times; see `compiled.backward`."""
    has_fired, is_finite = jnp.isfinite(spikes), jnp.isfinite(times)
    x_out, _, r_out = axis(jnp.where(has_fired, spikes, 0), tau_ratio)
    q = jnp.where(has_fired, gradient / jnp.maximum(slopes, min_slope) * r_out, 0)
    t_in = jnp.where(is_finite, times, 0)
    x_in, dx_in, _ = axis(t_in, tau_ratio)
    gain = jnp.where(is_finite, jnp.exp(t_in), 0)

    def add_sample(total: Array, sample: tuple[Array, ...]) -> tuple[Array, Array]:
        x, dx, e, x_spike, share = sample
        delay = x[:, None] - x_spike[None, :]  # negative for inputs before the spike
        by_weight = e[:, None] * jnp.minimum(delay, 0) * share[None, :]
        is_kept = jnp.max(jnp.abs(by_weight), axis=0) <= max_dw
        earlier_inputs = jnp.where(delay < 0, delay + dx[:, None], 0)
        by_time = e * jnp.sum(weights * earlier_inputs * share[None, :], axis=1)
        return total + jnp.where(is_kept[None, :], by_weight, 0), by_time

    samples = (x_in, dx_in, gain, x_out, q)
    return jax.lax.scan(add_sample, jnp.zeros_like(weights), samples)


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
    return first_spikes(times, weights, threshold, tau_ratio)[0]


def _spike_times_forward(times: Array, weights: Array, threshold: float, tau_ratio: int):
    spikes, slopes = first_spikes(times, weights, threshold, tau_ratio)
    return spikes, (times, weights, spikes, slopes)


def _spike_times_backward(threshold: float, tau_ratio: int, residuals, gradient: Array):
    times, weights, spikes, slopes = residuals
    by_weight, by_time = derivatives(
        times, weights, spikes, slopes, gradient, tau_ratio, 1e-12, jnp.inf
    )
    return by_time, by_weight


spike_times.defvjp(_spike_times_forward, _spike_times_backward)
