"""The network and its gradients in C++ (`kernel.hpp`, `kernel.cpp`), see `compiler.libraries`.

A spike of an input or of the network at step t acts at step t + 1; weights have one row per source,
inputs first. The tests compare all of it with automatic differentiation.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array
from whyspiking.contract.types import Params
from whyspiking.talks.scherr.model import Cell, Weights
from whyspiking.talks.scherr.trials import Trials, pieces
from whyspiking.training.history import require_finite

SOURCES = (Path(__file__).with_name("kernel.cpp"),)
CHUNK = 128
"""Steps between which e-prop carries its synaptic traces over; any number gives the same."""


@dataclass(frozen=True)
class RateCost:
    """cost / 2 * sum over neurons of (f - target)^2, f in spikes per step."""

    cost: float
    target: float

    @classmethod
    def of(cls, params: Params) -> RateCost:
        """The cost of rates that leave the target, which is in Hz in talk.yaml."""
        return cls(params.rate_cost, params.target_hz * params.dt_ms / 1000)


@dataclass(frozen=True)
class Gradient:
    """Loss of a batch, and its derivative by the weights.

    Attributes:
        loss: Loss.
        w: Derivative by `Weights.w`.
        w_out: Derivative by `Weights.w_out`.
        outputs: Mean output over the steps that count, (trial, output).
        rates: Spikes per step of each neuron, (neuron,).
        floats_kept: Numbers that the rule held in memory beside weights and states.
    """

    loss: float
    w: NDArray
    w_out: NDArray
    outputs: NDArray
    rates: NDArray[np.float64]
    floats_kept: int

    def require_finite(self, step_name: str, rate: float) -> None:
        """End a training at a step whose loss or gradient is not finite.

        Args:
            step_name: At which step, for the message.
            rate: Learning rate, for the message.

        Raises:
            UserError: Where that is so; names the arrays.
        """
        gradients = {"the gradient of w": self.w, "the gradient of w_out": self.w_out}
        require_finite({"the loss": self.loss, **gradients}, step_name, rate)


@dataclass(frozen=True)
class Run:
    """Result of a forward pass.

    Attributes:
        outputs: (trial, step, output).
        counts: Spikes of each neuron, (trial, neuron).
        spikes: Trial, step, neuron of each spike, (spike, 3); empty unless asked for.
        potentials: v, (trial, step, neuron), if asked for.
        adaptations: a, (trial, step, neuron), if asked for.
    """

    outputs: NDArray
    counts: NDArray[np.int32]
    spikes: NDArray[np.int32]
    potentials: NDArray | None = None
    adaptations: NDArray | None = None


class _Problem(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in (
            "n_in", "n_rec", "n_out", "steps", "trials", "refractory", "classify", "first_step",
        )),
        *((name, ctypes.c_double) for name in (
            "alpha", "rho", "kappa", "v_th", "gamma", "rate_cost", "target_rate",
        )),
    ]  # fmt: skip


class _Batch(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_void_p) for name in ("starts", "steps", "channels", "labels", "targets")
    ]


def forward(
    cell: Cell, weights: Weights, trials: Trials, *, spikes: bool = False, states: bool = False
) -> Run:
    """Run the network.

    Args:
        cell: Neurons and readout.
        weights: Their dtype, float32 or float64, is the precision of the run.
        trials: Input; what is wanted does not matter.
        spikes: Whether to keep all spikes.
        states: Whether to keep potentials and adaptations.
    """
    call = _Call(cell, weights, trials, RateCost(0.0, 0.0))
    n_rec = call.w.shape[1]
    shape = (trials.n_trials, trials.n_steps)
    outputs = np.empty((*shape, call.w_out.shape[1]), call.kind)
    states_of = [np.empty((*shape, n_rec), call.kind) if states else None for _ in range(2)]
    counts = np.zeros((trials.n_trials, n_rec), np.int32)
    spike_events = np.zeros((0, 3), np.int32)

    def run_kernel(spike_buffer: NDArray) -> int:
        """Return the number of spikes; as many are kept as the buffer holds."""
        counts[:] = 0
        return call.function("forward")(
            *call.problem_and_weights(), call.beta, *call.batch(), outputs, *states_of, counts,
            spike_buffer, spike_buffer.shape[0],
        )  # fmt: skip

    n_spikes = run_kernel(spike_events)
    if spikes:
        spike_events = np.empty((n_spikes, 3), np.int32)
        run_kernel(spike_events)
    return Run(outputs, counts, spike_events, *states_of)


def mean_outputs(
    cell: Cell, arrays: Mapping[str, NDArray], trials: Trials, batch_size: int = 64
) -> NDArray[np.float64]:
    """Compute the mean output over the steps that count, (trial, output).

    Args:
        cell: Neurons and readout.
        arrays: w and w_out.
        trials: Input.
        batch_size: Trials run together, so that outputs of every step need not be kept for all.
    """
    weights = Weights(arrays["w"], arrays["w_out"])
    runs = (forward(cell, weights, batch) for batch in pieces(trials, batch_size))
    return np.concatenate([run.outputs[:, trials.first_step :].mean(axis=1) for run in runs])


def eprop(
    cell: Cell,
    weights: Weights,
    feedback: NDArray,
    trials: Trials,
    rate_cost: RateCost,
    chunk: int = CHUNK,
) -> Gradient:
    """Gradient by e-prop (README, Eqs. 6-12).

    Args:
        cell: Neurons and readout.
        weights: Weights; their dtype is the precision.
        feedback: B, (neuron, output): `weights.w_out` for symmetric e-prop.
        trials: Input and what is wanted.
        rate_cost: Cost of firing rates.
        chunk: Steps computed together; memory grows with it, the result does not depend on it.
    """
    call = _Call(cell, weights, trials, rate_cost)
    feedback = np.ascontiguousarray(feedback, call.kind)
    if feedback.shape != call.w_out.shape:
        raise ValueError(
            f"feedback has shape {feedback.shape}, but w_out has shape {call.w_out.shape}"
        )
    chunk = min(int(chunk), trials.n_steps)
    if chunk < 1:
        raise ValueError(f"chunk is {chunk}; it must be at least 1")
    return call.gradient("eprop", feedback, call.beta, *call.batch(), chunk)


def bptt(cell: Cell, weights: Weights, trials: Trials, rate_cost: RateCost) -> Gradient:
    """Gradient by backpropagation through time; arguments as for `eprop`.

    The pseudo-derivative stands in for that of a spike.
    """
    call = _Call(cell, weights, trials, rate_cost)
    return call.gradient("bptt", call.beta, *call.batch())


def by_rule(
    rule: str, cell: Cell, arrays: Mapping[str, NDArray], trials: Trials, rate_cost: RateCost
) -> Gradient:
    """Compute the gradient of a batch by one of the rules; 0 for autapses, which do not exist.

    Args:
        rule: "symmetric" or "random" e-prop, or "bptt".
        cell: Neurons and readout.
        arrays: w, w_out and feedback.
        trials: Input and what is wanted.
        rate_cost: Cost of firing rates.
    """
    weights = Weights(arrays["w"], arrays["w_out"])
    if rule == "bptt":
        gradient = bptt(cell, weights, trials, rate_cost)
    else:
        feedback = arrays["w_out" if rule == "symmetric" else "feedback"]
        gradient = eprop(cell, weights, feedback, trials, rate_cost)
    i_neuron = np.arange(cell.beta.size)
    gradient.w[trials.n_inputs + i_neuron, i_neuron] = 0.0
    return gradient


class _Call:
    """Arrays of one call in the right type, kept alive until it is over."""

    def __init__(self, cell: Cell, weights: Weights, trials: Trials, rate_cost: RateCost) -> None:
        self.kind = np.dtype(np.float32 if weights.w.dtype == np.float32 else np.float64)
        self.w = np.ascontiguousarray(weights.w, self.kind)
        self.w_out = np.ascontiguousarray(weights.w_out, self.kind)
        self.beta = np.ascontiguousarray(cell.beta, self.kind)
        self.gain = cell.gain
        self.scaled = np.ascontiguousarray(self.w * self.kind.type(cell.gain))
        n_rec = self.beta.size
        if self.w.shape != (trials.n_inputs + n_rec, n_rec) or self.w_out.shape[0] != n_rec:
            raise ValueError(
                f"the shapes of w {self.w.shape} and w_out {self.w_out.shape} do not fit "
                f"{trials.n_inputs} inputs and {n_rec} neurons"
            )
        self.labels = None if trials.labels is None else np.ascontiguousarray(
            trials.labels, np.int32
        )  # fmt: skip
        self.targets = (
            None
            if trials.targets is None
            else np.ascontiguousarray(
                np.broadcast_to(trials.targets, (trials.n_trials, *trials.targets.shape[1:])),
                self.kind,
            )
        )
        self.events = [
            np.ascontiguousarray(array, kind)
            for array, kind in (
                (trials.starts, np.int64), (trials.steps, np.int32), (trials.channels, np.int32)
            )
        ]  # fmt: skip
        self.problem = _Problem(
            trials.n_inputs, n_rec, self.w_out.shape[1], trials.n_steps, trials.n_trials,
            cell.refractory, self.labels is not None, trials.first_step,
            cell.alpha, cell.rho, cell.kappa, cell.v_th, cell.gamma,
            rate_cost.cost, rate_cost.target,
        )  # fmt: skip

    def problem_and_weights(self) -> list[Any]:
        return [ctypes.byref(self.problem), self.scaled, self.w_out]

    def batch(self) -> list[Any]:
        arrays = (*self.events, self.labels, self.targets)
        return [ctypes.byref(_Batch(*(None if x is None else x.ctypes.data for x in arrays)))]

    def function(self, name: str) -> Any:
        return libraries.of_precision(load_library(), name, self.kind)

    def gradient(self, name: str, *arguments: Any) -> Gradient:
        if self.labels is None and self.targets is None:
            raise ValueError("a gradient needs labels or targets")
        w, w_out = np.empty_like(self.w), np.empty_like(self.w_out)
        means = np.zeros((self.problem.trials, self.problem.n_out), self.kind)
        rates = np.empty(self.beta.size)
        floats = ctypes.c_int64()
        loss = self.function(name)(
            *self.problem_and_weights(), *arguments,
            w, w_out, means, rates, ctypes.byref(floats),
        )  # fmt: skip
        return Gradient(loss, w * self.kind.type(self.gain), w_out, means, rates, floats.value)


@functools.cache
def load_library() -> ctypes.CDLL:
    """Load the compiled kernel.

    Raises:
        UserError: If it cannot be compiled.
    """
    loaded = libraries.load("scherr", SOURCES)
    problem, batch, long = ctypes.POINTER(_Problem), ctypes.POINTER(_Batch), ctypes.c_int64
    gradient = [*[Array] * 4, ctypes.POINTER(long)]
    libraries.declare(
        loaded, "forward", [problem, Array, Array, Array, batch, *[Array] * 5, long], long
    )
    libraries.declare(
        loaded, "eprop", [problem, *[Array] * 4, batch, ctypes.c_int, *gradient], ctypes.c_double
    )
    libraries.declare(loaded, "bptt", [problem, *[Array] * 3, batch, *gradient], ctypes.c_double)
    return loaded
