"""An epoch of `training.Training` in one call of `epoch.cpp`."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler.libraries import of_precision
from whyspiking.training.first_spike.epoch_library import Epoch, library
from whyspiking.training.first_spike.epoch_state import (
    BUMP_RULES,
    LOSSES,
    Diverged,
    Settings,
    Statistics,
    TrainingState,
    broken,
)
from whyspiking.training.first_spike.inputs import Inputs


def run(
    training: TrainingState,
    inputs: Inputs,
    targets: NDArray[np.int32],
    order: NDArray[np.int64],
    rate: float,
    pulse_rate: float,
) -> Statistics:
    """See `training.Training.epoch`, which checks the arguments."""
    settings = training.settings
    call = _make_call(settings)
    call.rate, call.pulse_rate = rate, pulse_rate
    if inputs.whole.shape[1] <= np.iinfo(np.uint16).max:
        call.offsets, call.sorted = (array.ctypes.data for array in inputs.sorted)
        times = inputs.whole
    else:
        times = inputs.times
    call.times, call.targets, call.order = (a.ctypes.data for a in (times, targets, order))
    n_layers = len(training.weights)
    silent = np.zeros(n_layers)
    by_layer: dict[str, Any] = {
        "tolerated": np.array(settings.tolerated, np.float64),
        "silent": silent,
        "n_neurons": np.array([w.shape[1] for w in training.weights], np.int32),
        "n_pulses": np.array([len(p) for p in training.pulses], np.int32),
    }
    changed: list[NDArray] = []
    for name, sets in (
        ("weights", (training.weights, *training.weight_moments)),
        ("pulses", (training.pulses, *training.pulse_moments)),
    ):
        for suffix, arrays in zip(("", "_m", "_v"), sets, strict=True):
            by_layer[f"{name}{suffix}"] = np.array([a.ctypes.data for a in arrays], np.uintp)
            changed += arrays
    for name, array in by_layer.items():
        setattr(call, name, array.ctypes.data)
    call.n_order, call.steps = len(order), training.steps
    call.n_in = inputs.whole.shape[1]
    call.n_layers = n_layers
    call.bump_layer, call.bump_amount = training.bump_layer, training.bump_amount
    # The kernel changes these arrays in place; a diverged epoch restores them.
    backups = [array.copy() for array in changed]
    of_precision(library(), "epoch", inputs.whole.dtype)(ctypes.byref(call))
    if call.failed_batch >= 0:
        names = broken(training.weights, training.pulses)
        for array, backup in zip(changed, backups, strict=True):
            array[...] = backup
        raise Diverged(call.steps, call.failed_batch, names)
    training.steps = call.steps
    training.bump_layer, training.bump_amount = call.bump_layer, call.bump_amount
    return Statistics(call.loss, call.accuracy, tuple(silent.tolist()), call.bumped)


def _make_call(settings: Settings) -> Epoch:
    call = Epoch()
    for name in (
        "threshold", "min_slope", "max_dw", "temperature", "push", "push_scale", "silent_loss",
        "silent_penalty", "epsilon", "epsilon_root", "bump", "batch", "tau_ratio",
        "frozen", "wrong_only",
    ):  # fmt: skip
        setattr(call, name, getattr(settings, name))
    call.beta1, call.beta2 = settings.betas
    call.loss_kind = LOSSES.index(settings.loss)
    call.bump_rule = BUMP_RULES.index(settings.bump_rule)
    return call
