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
from whyspiking.training.first_spike.layer import LayerOutput, check_layer

SOURCES = tuple(Path(__file__).parent / name for name in ("kernel.cpp", "general_taus.cpp"))
NAME = "compiled"

_ARRAY = ctypes.c_void_p
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
    times, weights = _layer_arrays(times, weights, tau_ratio)
    n_samples, n_in = times.shape
    n_out = weights.shape[1]
    out = np.empty((n_samples, n_out), times.dtype)
    slopes = np.empty_like(out)
    function, real = _function("forward", times.dtype)
    function(
        tau_ratio, _at(times), _at(weights), n_samples, n_in, n_out, real(threshold),
        _at(out), _at(slopes),
    )  # fmt: skip
    return LayerOutput(out, slopes)


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
    times, weights = _layer_arrays(times, weights, tau_ratio)
    n_samples, n_in = times.shape
    n_out = weights.shape[1]
    kind = times.dtype
    t_out, slopes, gradient = (
        np.ascontiguousarray(array, kind) for array in (output.times, output.slopes, gradient)
    )
    if not t_out.shape == slopes.shape == gradient.shape == (n_samples, n_out):
        raise ValueError(f"output and gradient must have shape {(n_samples, n_out)}")
    by_weight = np.empty((n_in, n_out), kind)
    by_time = np.empty((n_samples, n_in), kind)
    function, real = _function("backward", kind)
    function(
        tau_ratio, _at(times), _at(weights), _at(t_out), _at(slopes), _at(gradient),
        n_samples, n_in, n_out, real(min_slope), real(max_dw), first_time,
        _at(by_weight), _at(by_time),
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
    times, weights = _layer_arrays(np.asarray(times, float), np.asarray(weights, float), 1)
    (n_samples, n_in), n_out = times.shape, weights.shape[1]
    tau_m, tau_s, threshold = (
        np.ascontiguousarray(np.broadcast_to(np.asarray(values, float), (n_out,)))
        for values in (tau_m, tau_s, threshold)
    )
    if min(tau_m.min(), tau_s.min()) <= 0:
        raise ValueError("time constants must be positive")
    out = np.empty((n_samples, n_out))
    library().forward_general(
        _at(times), _at(weights), _at(tau_m), _at(tau_s), _at(threshold),
        n_samples, n_in, n_out, _at(out),
    )  # fmt: skip
    return out


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled kernel; compiles it if no fitting one is stored.

    Raises:
        UserError: If there is no compiler or it fails.
    """
    found = libraries.load("first_spike", SOURCES)
    for suffix, real in (("f32", ctypes.c_float), ("f64", ctypes.c_double)):
        forward_ = getattr(found, f"forward_{suffix}")
        forward_.argtypes = [_INT, _ARRAY, _ARRAY, _INT, _INT, _INT, real, _ARRAY, _ARRAY]
        forward_.restype = None
        backward_ = getattr(found, f"backward_{suffix}")
        backward_.argtypes = [
            _INT, *[_ARRAY] * 5, _INT, _INT, _INT, real, real, _INT, _ARRAY, _ARRAY,
        ]  # fmt: skip
        backward_.restype = None
    found.forward_general.argtypes = [*[_ARRAY] * 5, _INT, _INT, _INT, _ARRAY]
    found.forward_general.restype = None
    return found


def _function(name: str, kind: np.dtype) -> tuple[ctypes._NamedFuncPointer, type]:  # type: ignore[name-defined]
    single = kind == np.float32
    real = ctypes.c_float if single else ctypes.c_double
    return getattr(library(), f"{name}_{'f32' if single else 'f64'}"), real


def _layer_arrays(times: NDArray, weights: NDArray, tau_ratio: int) -> tuple[NDArray, NDArray]:
    times = np.asarray(times)
    kind = np.float32 if times.dtype == np.float32 else np.float64
    times = np.ascontiguousarray(times, kind)
    weights = np.ascontiguousarray(weights, kind)
    check_layer(times.shape, weights.shape, tau_ratio)
    return times, weights


def _at(array: NDArray) -> int:
    return array.ctypes.data
