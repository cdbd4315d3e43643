"""First-spike layers in JAX with the arguments of `compiled`, which is tested against them."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.training.first_spike.closed_form import derivatives, first_spikes
from whyspiking.training.first_spike.layer import LayerOutput


def forward(times: NDArray, weights: NDArray, threshold: float, tau_ratio: int) -> LayerOutput:
    """Exact first-spike times of one layer; arguments as in `compiled.forward`."""
    times = np.asarray(times)
    with jax.enable_x64(times.dtype == np.float64):
        kind = times.dtype if times.dtype == np.float32 else np.float64
        spikes, slopes = first_spikes(
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
) -> tuple[NDArray, NDArray]:
    """Gradients by weights and input times; arguments and results as in `compiled.backward`."""
    times = np.asarray(times)
    with jax.enable_x64(times.dtype == np.float64):
        kind = times.dtype if times.dtype == np.float32 else np.float64
        arrays = (times, weights, output.times, output.slopes, gradient)
        by_weight, by_time = derivatives(
            *(jnp.asarray(array, kind) for array in arrays),
            tau_ratio=tau_ratio,
            min_slope=min_slope,
            max_dw=max_dw,
        )
        return np.asarray(by_weight), np.asarray(by_time)


def kernel_slope(delay: NDArray, tau_ratio: int) -> NDArray:
    """Derivative k'(d) of `layer.kernel` for d > 0, and 0 before the input."""
    late = np.maximum(delay, 0)
    slope = (1 - late) * np.exp(-late) if tau_ratio == 1 else np.exp(-late) - np.exp(-late / 2) / 2
    return np.where(delay > 0, slope, 0)
