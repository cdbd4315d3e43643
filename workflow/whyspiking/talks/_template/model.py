"""The neurons: their potential in closed form, and as Brian2 integrates it (README, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel, Group, Quantity, Synapses
from whyspiking.contract.types import Binding, Layer, Params, Task, Trials
from whyspiking.tasks import task_data

# Eq. 2; time constants and gain are values of each run.
NEURON = """
dv/dt = (g * x - v) / tau_m : 1
dx/dt = -x / tau_s : 1
tau_m : second
tau_s : second
g : 1
v_th : 1
fired : 1
"""


def kernel(params: Params, elapsed_ms: NDArray) -> NDArray[np.float64]:
    """K of Eq. 1 at times since the spike in ms; 0 before it, largest value 1."""
    s = np.maximum(elapsed_ms, 0.0)
    return _peak_scale(params) * (np.exp(-s / params.tau_m) - np.exp(-s / params.tau_s))


def potentials(params: Params, w: NDArray, times_ms: NDArray) -> NDArray[np.float64]:
    """V at every step of a trial (Eq. 1), (time, neuron).

    Args:
        params: Time constants, `trial_ms`, `dt_ms`.
        w: Weights, (input, neuron).
        times_ms: One spike per input in ms, inf for none; (input,).
    """
    grid = params.dt_ms * np.arange(round(params.trial_ms / params.dt_ms))
    there = np.isfinite(times_ms)
    return kernel(params, grid[:, None] - times_ms[there]) @ w[there]


def first_spikes(params: Params, w: NDArray, times_ms: NDArray) -> NDArray[np.float64]:
    """First time on the grid at which V has reached 1 in ms, inf if never; (trial, neuron)."""
    found = np.full((len(times_ms), w.shape[1]), np.inf)
    for first, times in zip(found, times_ms, strict=True):
        above = potentials(params, w, times) >= 1.0
        fired = above.any(axis=0)
        first[fired] = above.argmax(axis=0)[fired] * params.dt_ms
    return found


def layers(params: Params) -> dict[str, int]:
    """Number of neurons in every layer, in order; the template's own task has a single neuron."""
    if task_data.takes_part(params):
        return {"hidden": params.n_hidden, "output": params.n_output}
    return {"output": 1}


def decide(params: Params, first_ms: NDArray, task: Task) -> Trials:
    """The class whose neuron fires first, at once; silence decides nothing.

    Of a single neuron a spike means class 1 and silence class 0, known at the end of the trial.
    """
    at_ms = first_ms.min(axis=1)
    if first_ms.shape[1] == 1:
        return Trials.of(task, np.isfinite(at_ms), np.minimum(at_ms, params.trial_ms))
    return Trials.of(task, np.where(np.isfinite(at_ms), first_ms.argmin(axis=1), -1), at_ms)


def brian_model(params: Params) -> BrianModel:
    """The structure in Brian2; weights and constants come with `bind`."""
    groups = [
        Group(
            name=name,
            size=size,
            equations=NEURON,
            threshold="v >= v_th and fired == 0",
            reset="fired = 1",
            method="exact",
            start={"tau_m": Quantity(1, "ms"), "tau_s": Quantity(1, "ms")},
        )
        for name, size in layers(params).items()
    ]
    names = tuple(layers(params))
    return BrianModel(
        name="tempotron",
        groups=groups,
        synapses=[
            Synapses(f"s_{post}", pre, post, on_pre="x_post += w")
            for pre, post in pairwise(("input", *names))
        ],
        inputs={"input": params.n_input},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
        reset=dict.fromkeys(names, "v = 0; x = 0; fired = 0"),
        record_spikes=names,
    )


def bind(params: Params, w: Mapping[str, NDArray]) -> Binding:
    """Place weights into each layer, (input, neuron), and constants, in base units."""
    gain = _peak_scale(params) * (params.tau_m - params.tau_s) / params.tau_s
    constants = {"tau_m": params.tau_m * 1e-3, "tau_s": params.tau_s * 1e-3, "g": gain, "v_th": 1.0}
    values = {f"{name}.{key}": value for name in w for key, value in constants.items()}
    return Binding(
        values={**values, **{f"s_{name}.w": weights for name, weights in w.items()}},
        layers={
            f"s_{post}.w": Layer(
                pre, post, w[post], "readout" if post == "output" else "feedforward"
            )
            for pre, post in pairwise(("input", *w))
        },
    )


def _peak_scale(params: Params) -> float:
    """V_0: one over the largest value of the difference of exponentials."""
    tau_m, tau_s = params.tau_m, params.tau_s
    peak = tau_m * tau_s / (tau_m - tau_s) * np.log(tau_m / tau_s)
    return float(1 / (np.exp(-peak / tau_m) - np.exp(-peak / tau_s)))
