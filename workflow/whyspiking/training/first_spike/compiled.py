"""First-spike layers in C++ (`kernel.cpp`), see `whyspiking.compiler.libraries`.

`closed_form` does the same in JAX.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import REAL, Array, of_precision
from whyspiking.training.first_spike.layer import LayerOutput, check_layer

SOURCES = tuple(Path(__file__).parent / name for name in ("kernel.cpp", "general_taus.cpp"))
NAME = "compiled"

_INT = ctypes.c_int


def forward(times: NDArray, weights: NDArray, threshold: float, tau_ratio: int) -> LayerOutput:
    """Exact first-spike times of one layer; see `layer.LayerOutput`.

    Args:
        times: Input spike times in units of tau_s, inf where silent; (sample, input), float32 or
            float64, which is also the precision of the computation.
        weights: (input, neuron).
        threshold: c = theta g_l; 1 for the published network with tau_m = tau_s.
        tau_ratio: tau_m / tau_s, 1 or 2.

    Raises:
        UserError: If the kernel cannot be compiled.
        ValueError: If shapes or the ratio do not fit.
    """
    times, weights = _prepare_arrays(times, weights, tau_ratio)
    n_samples, n_in = times.shape
    n_out = weights.shape[1]
    spike_times = np.empty((n_samples, n_out), times.dtype)
    slopes = np.empty_like(spike_times)
    of_precision(library(), "forward", times.dtype)(
        tau_ratio, times, weights, n_samples, n_in, n_out, threshold, spike_times, slopes
    )
    return LayerOutput(spike_times, slopes)


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
    """Gradients of a loss with respect to weights and input times; see `layer`.

    Args:
        times: As given to `forward`.
        weights: As given to `forward`.
        output: What `forward` returned, or measured times with their slopes.
        gradient: Derivative of the loss by each output time, (sample, neuron); silent neurons are
            ignored.
        tau_ratio: tau_m / tau_s, 1 or 2.
        min_slope: Smallest dV/dt at the spike that is used (grazing spikes), per tau_s.
        max_dw: A neuron whose largest weight derivative in one sample exceeds this gives no weight
            gradient for that sample.
        first_time: Derivatives by input times are computed for inputs from this index on; pass
            the number of inputs where none is needed.

    Returns:
        Weight gradient (input, neuron), summed over samples, and time gradient (sample, input).
    """
    times, weights = _prepare_arrays(times, weights, tau_ratio)
    n_samples, n_in = times.shape
    n_out = weights.shape[1]
    dtype = times.dtype
    t_out, slopes, gradient = (
        np.ascontiguousarray(array, dtype) for array in (output.times, output.slopes, gradient)
    )
    if not t_out.shape == slopes.shape == gradient.shape == (n_samples, n_out):
        raise ValueError(f"output and gradient must have shape {(n_samples, n_out)}")
    by_weight = np.empty((n_in, n_out), dtype)
    by_time = np.empty((n_samples, n_in), dtype)
    of_precision(library(), "backward", dtype)(
        tau_ratio, times, weights, t_out, slopes, gradient, n_samples, n_in, n_out,
        min_slope, max_dw, first_time, by_weight, by_time,
    )  # fmt: skip
    return by_weight, by_time


def forward_general(
    times: NDArray, weights: NDArray, tau_m: NDArray, tau_s: NDArray, threshold: NDArray
) -> NDArray[np.float64]:
    """First-spike times of neurons with arbitrary time constants of their own, numerically.

    Args:
        times: Input spike times, inf where silent; (sample, input).
        weights: (input, neuron); V of one input is w tau_s/(tau_m - tau_s) times the difference of
            the two exponentials.
        tau_m: Membrane time constants, (neuron,), in the unit of `times`.
        tau_s: Synaptic time constants, (neuron,).
        threshold: (neuron,).
    """
    times, weights = _prepare_arrays(np.asarray(times, float), np.asarray(weights, float), 1)
    (n_samples, n_in), n_out = times.shape, weights.shape[1]
    tau_m, tau_s, threshold = (
        np.ascontiguousarray(np.broadcast_to(np.asarray(values, float), (n_out,)))
        for values in (tau_m, tau_s, threshold)
    )
    if min(tau_m.min(), tau_s.min()) <= 0:
        raise ValueError("time constants must be positive")
    spike_times = np.empty((n_samples, n_out))
    library().forward_general(
        times, weights, tau_m, tau_s, threshold, n_samples, n_in, n_out, spike_times
    )
    return spike_times


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled kernel; compiles it if no fitting one is stored.

    Raises:
        UserError: If there is no compiler or it fails.
    """
    kernel = libraries.load("first_spike", SOURCES)
    sizes = [_INT] * 3
    libraries.declare(kernel, "forward", [_INT, *[Array] * 2, *sizes, REAL, *[Array] * 2])
    libraries.declare(
        kernel, "backward", [_INT, *[Array] * 5, *sizes, REAL, REAL, _INT, *[Array] * 2]
    )
    kernel.forward_general.argtypes = [*[Array] * 5, *sizes, Array]
    kernel.forward_general.restype = None
    return kernel


def _prepare_arrays(times: NDArray, weights: NDArray, tau_ratio: int) -> tuple[NDArray, NDArray]:
    times = np.asarray(times)
    dtype = np.float32 if times.dtype == np.float32 else np.float64
    times = np.ascontiguousarray(times, dtype)
    weights = np.ascontiguousarray(weights, dtype)
    check_layer(times.shape, weights.shape, tau_ratio)
    return times, weights
