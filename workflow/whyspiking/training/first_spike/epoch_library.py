"""`epoch.cpp` through ctypes: the structure of its arguments, and its small functions."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array, of_precision

SOURCES = (Path(__file__).with_name("epoch.cpp"),)

_pointer = ctypes.c_void_p
_real, _long, _int = ctypes.c_double, ctypes.c_int64, ctypes.c_int32


class Epoch(ctypes.Structure):
    """`struct Epoch` of epoch.cpp, field by field."""

    _fields_ = (
        *[(name, _pointer) for name in ("times", "offsets", "sorted", "targets", "order")],
        *[
            (name + part, _pointer)
            for name in ("weights", "pulses")
            for part in ("", "_m", "_v")
        ],
        *[(name, _pointer) for name in ("tolerated", "silent", "n_neurons", "n_pulses")],
        *[
            (name, _real)
            for name in (
                "threshold", "min_slope", "max_dw", "temperature", "push", "push_scale",
                "silent_loss", "silent_penalty", "beta1", "beta2", "epsilon",
                "epsilon_root", "rate", "pulse_rate", "bump",
            )
        ],
        *[(name, _real) for name in ("bump_amount", "loss", "accuracy", "bumped")],
        *[(name, _long) for name in ("n_order", "steps", "failed_batch")],
        *[
            (name, _int)
            for name in (
                "n_in", "n_layers", "batch", "tau_ratio", "loss_kind", "wrong_only", "bump_rule",
                "bump_layer", "frozen",
            )
        ],
    )  # fmt: skip


def presort(times: NDArray) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Where each sample begins, and its finite inputs in the order of time.

    Args:
        times: (sample, input), float32 or float64.
    """
    offsets = np.concatenate([[0], np.cumsum(np.isfinite(times).sum(axis=1))]).astype(np.int64)
    input_order = np.empty(offsets[-1], np.uint16)
    of_precision(library(), "presort", times.dtype)(times, *times.shape, offsets, input_order)
    return offsets, input_order


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled training; compiles it if no fitting one is stored.

    Raises:
        UserError: If there is no compiler or it fails.
    """
    kernel = libraries.load("first_spike_training", SOURCES)
    libraries.declare(kernel, "epoch", [ctypes.POINTER(Epoch)])
    libraries.declare(kernel, "presort", [Array, _long, _int, Array, Array])
    return kernel
