"""`epoch.cpp` through ctypes: an epoch of `training.Training` in one call."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries

if TYPE_CHECKING:
    from whyspiking.training.first_spike.training import Inputs, Statistics, Training

SOURCES = (Path(__file__).with_name("epoch.cpp"),)

_LOSSES = ("goeltz", "comsa")
_BUMP_RULES = ("none", "faithful", "soft")

_pointer, _pair_of_pointers = ctypes.c_void_p, ctypes.c_void_p * 2
_real, _long, _int = ctypes.c_double, ctypes.c_int64, ctypes.c_int32


class _Epoch(ctypes.Structure):
    """`struct Epoch` of epoch.cpp, field by field."""

    _fields_ = (
        *[(name, _pointer) for name in ("times", "offsets", "sorted", "targets", "order")],
        *[
            (name + part, _pair_of_pointers)
            for name in ("weights", "pulses")
            for part in ("", "_m", "_v")
        ],
        *[
            (name, _real)
            for name in (
                "threshold", "min_slope", "max_dw", "temperature", "push", "push_scale",
                "silent_loss", "silent_penalty", "noise_sd", "beta1", "beta2", "epsilon",
                "epsilon_root", "rate", "pulse_rate", "bump",
            )
        ],
        ("tolerated", _real * 2),
        ("bump_amount", _real),
        ("loss", _real),
        ("accuracy", _real),
        ("silent", _real * 2),
        ("bumped", _real),
        *[(name, _long) for name in ("n_order", "steps", "failed_batch")],
        ("noise_seed", ctypes.c_uint64),
        *[(name, _int) for name in ("n_in", "n_hidden", "n_out")],
        ("n_pulses", _int * 2),
        *[
            (name, _int)
            for name in ("batch", "tau_ratio", "loss_kind", "wrong_only", "bump_rule", "bump_layer")
        ],
    )  # fmt: skip


def run(
    training: Training,
    inputs: Inputs,
    targets: NDArray[np.int32],
    order: NDArray[np.int64],
    rate: float,
    pulse_rate: float,
    noise_seed: int,
) -> Statistics:
    """See `training.Training.epoch`, which checks the arguments."""
    from whyspiking.training.first_spike.training import Diverged, Statistics

    own = training.settings
    call = _Epoch()
    for name in (
        "threshold", "min_slope", "max_dw", "temperature", "push", "push_scale", "silent_loss",
        "silent_penalty", "noise_sd", "epsilon", "epsilon_root", "bump", "batch", "tau_ratio",
    ):  # fmt: skip
        setattr(call, name, getattr(own, name))
    call.beta1, call.beta2 = own.betas
    call.rate, call.pulse_rate, call.noise_seed = rate, pulse_rate, noise_seed
    call.tolerated[:] = own.tolerated
    call.loss_kind, call.bump_rule = _LOSSES.index(own.loss), _BUMP_RULES.index(own.bump_rule)
    call.wrong_only = own.wrong_only
    if own.noise_sd == 0 and inputs.whole.shape[1] <= np.iinfo(np.uint16).max:
        call.offsets, call.sorted = (array.ctypes.data for array in inputs.sorted)
        times = inputs.whole
    else:
        times = inputs.times
    call.times, call.targets, call.order = (a.ctypes.data for a in (times, targets, order))
    parts = ("", "_m", "_v")
    for part, pair in zip(parts, (training.weights, *training.weight_moments), strict=True):
        getattr(call, f"weights{part}")[:] = [array.ctypes.data for array in pair]
    for part, pair in zip(parts, (training.pulses, *training.pulse_moments), strict=True):
        getattr(call, f"pulses{part}")[:] = [array.ctypes.data for array in pair]
    call.n_order, call.steps = len(order), training.steps
    call.n_in = inputs.whole.shape[1]
    call.n_hidden, call.n_out = (w.shape[1] for w in training.weights)
    call.n_pulses[:] = [len(p) for p in training.pulses]
    call.bump_layer, call.bump_amount = training.bump_layer, training.bump_amount
    getattr(library(), f"epoch_{_suffix(inputs.whole)}")(ctypes.byref(call))
    if call.failed_batch >= 0:
        raise Diverged(call.steps, call.failed_batch)
    training.steps = call.steps
    training.bump_layer, training.bump_amount = call.bump_layer, call.bump_amount
    return Statistics(call.loss, call.accuracy, call.silent[0], call.silent[1], call.bumped)


def presort(times: NDArray) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Where each sample begins, and its finite inputs in the order of time.

    Args:
        times: (sample, input), float32 or float64.
    """
    offsets = np.concatenate([[0], np.cumsum(np.isfinite(times).sum(axis=1))]).astype(np.int64)
    found = np.empty(offsets[-1], np.uint16)
    getattr(library(), f"presort_{_suffix(times)}")(
        times.ctypes.data, *times.shape, offsets.ctypes.data, found.ctypes.data
    )
    return offsets, found


def noisy(times: NDArray, sd: float, seed: int) -> NDArray:
    """Input times as the samples of an epoch receive them, with the noise of `seed`.

    Args:
        times: In the order of the epoch, (sample, input), float32 or float64, contiguous.
        sd: Standard deviation, in units of tau_s.
        seed: As given to `Training.epoch`.
    """
    out = np.empty_like(times)
    getattr(library(), f"noisy_{_suffix(times)}")(
        times.ctypes.data, *times.shape, sd, seed, out.ctypes.data
    )
    return out


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled training; compiles it if no fitting one is stored.

    Raises:
        UserError: If there is no compiler or it fails.
    """
    found = libraries.load("first_spike_training", SOURCES)
    for suffix, real in (("f32", ctypes.c_float), ("f64", ctypes.c_double)):
        getattr(found, f"epoch_{suffix}").argtypes = [ctypes.POINTER(_Epoch)]
        getattr(found, f"presort_{suffix}").argtypes = [_pointer, _long, _int, _pointer, _pointer]
        getattr(found, f"noisy_{suffix}").argtypes = [
            _pointer, _long, _int, real, ctypes.c_uint64, _pointer,
        ]  # fmt: skip
        for name in ("epoch", "presort", "noisy"):
            getattr(found, f"{name}_{suffix}").restype = None
    return found


def _suffix(array: NDArray) -> str:
    return "f32" if array.dtype == np.float32 else "f64"
