"""A random network of Izhikevich neurons that input spikes drive, simulated in C++.

What `model.py` is to oscillators, this is to the shared tasks: the same neurons, filters and random
weights, with input spikes in place of a clock, and every trial from the same state. Units as there;
equation numbers are those of the talk's README.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes, distinct
from whyspiking.contract.types import Params
from whyspiking.talks.clopath.force import model
from whyspiking.tasks import generators

SOURCES = (Path(__file__).with_name("reservoir.cpp"),)
STATES = ("v", "u", "current", "h", "r", "h_r")
NUMBERS = ("dt_ms", *model.CONSTANTS, "tau_read")
_INT = ctypes.c_int32


def answer_ms(params: Params) -> tuple[float, float]:
    """From when the answer counts, and the end of the trial."""
    if generators.is_stream(params.shared_task):
        return params.trial_ms - params.answer_ms, params.trial_ms
    return params.window_ms, params.window_ms + params.read_ms


def read_steps(params: Params) -> NDArray[np.int64]:
    """Steps after which filtered spikes are read: every `rls_ms` of the answer window."""
    start, end = answer_ms(params)
    times = np.arange(start, end - 1e-6, params.rls_ms)
    return np.rint(times / params.dt_ms).astype(np.int64)


def wire(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Draw the fixed random part (Eqs. 5, 6 and 24).

    Args:
        params: As for `model.wire`, with n_hidden for n_neurons; n_input, n_output, input_gain.
        streams: The streams "wiring" and "input wiring" are used.

    Returns:
        As `model.wire`, and `w_in`, weights of the inputs in pA ms, (input, neuron).
    """
    neuron_params = replace(params, values={**params.values, "n_neurons": params.n_hidden})
    unit_weights = streams.rng("input wiring").uniform(-1, 1, (params.n_input, params.n_hidden))
    scale = params.input_gain / np.sqrt(params.n_input)
    return {**model.wire(neuron_params, params.n_output, streams), "w_in": scale * unit_weights}


class Trials:
    """Trials under way, each from the same state.

    Attributes:
        rates: r of all trials, (trial, neuron), in 1/ms; changes in place.
        counts: Spikes so far, (trial, neuron).
    """

    def __init__(self, params: Params, arrays: dict[str, NDArray], spikes: Spikes) -> None:
        """Start all trials.

        Args:
            params: Numbers of the neuron.
            arrays: Of `wire`.
            spikes: Of the inputs.
        """
        n = arrays["v_start"].size
        jump = 1.0 / (params.tau_r * params.tau_d)
        self._numbers = np.array([getattr(params, name) for name in NUMBERS], float)
        self._omega, self._w_in = model.static_weights(arrays) * jump, arrays["w_in"] * jump
        self._events = _bin_events(spikes, params.dt_ms)
        self._state = np.zeros((spikes.n_trials, len(STATES), n))
        self._state[:, STATES.index("v")] = arrays["v_start"]
        self._done = np.zeros(spikes.n_trials, int)
        self.rates = self._state[:, STATES.index("r")]
        self.counts = np.zeros((spikes.n_trials, n), np.int32)

    def advance(self, until: int, trial: int | None = None) -> None:
        """Simulate as far as step `until`, which is left out.

        Args:
            until: For the trials that have come less far.
            trial: Only this one; None: all, which must have come equally far.
        """
        first_trial, stop_trial = (0, len(self._done)) if trial is None else (trial, trial + 1)
        _load_library().advance(
            self._numbers, len(self._omega), self._omega, self._w_in, *self._events,
            first_trial, stop_trial, int(self._done[first_trial]), until, self._state, self.counts,
        )  # fmt: skip
        self._done[first_trial:stop_trial] = until


def responses(
    params: Params, arrays: dict[str, NDArray], spikes: Spikes
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Filtered spikes in the answer window, and spikes of whole trials, of a trained network.

    Returns:
        r (trial, reading, neuron) in 1/ms; counts (trial, neuron).
    """
    trials, readings = Trials(params, arrays, spikes), []
    for step in read_steps(params):
        trials.advance(int(step) + 1)
        readings.append(trials.rates.copy())
    trials.advance(round(answer_ms(params)[1] / params.dt_ms))
    return np.stack(readings, axis=1), trials.counts


def _bin_events(spikes: Spikes, dt_ms: float) -> tuple[NDArray, NDArray, NDArray]:
    """Start of each trial in the other two, (trial + 1,); steps and inputs of all spikes.

    A spike acts in the nearest step, and two of an input in one step are one, as in Brian2.
    """
    steps = np.floor(spikes.times_ms / dt_ms + 0.5).astype(np.int64)
    n_steps = int(steps.max(initial=0)) + 1
    event_keys = distinct(
        (spikes.trials * np.int64(n_steps) + steps) * spikes.n_units + spikes.units
    )
    step, unit = np.divmod(event_keys, spikes.n_units)
    starts = np.searchsorted(step, np.arange(spikes.n_trials + 1) * n_steps)
    return starts, (step % n_steps).astype(np.int32), unit.astype(np.int32)


@functools.cache
def _load_library() -> ctypes.CDLL:
    library = libraries.load("reservoir", SOURCES)
    library.advance.argtypes = [
        Array, _INT, *[Array] * 5, *[_INT] * 4, Array, Array,
    ]  # fmt: skip
    library.advance.restype = None
    return library
