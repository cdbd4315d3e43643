"""The neuron: its potential in closed form, and as Brian2 integrates it (README, section 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel, Group, Quantity, Synapses
from whyspiking.contract.types import Binding, Layer, Params, Task, Trials

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
    """V at every step of a trial (Eq. 1), (time,).

    Args:
        params: Time constants, `trial_ms`, `dt_ms`.
        w: Weights, (input,).
        times_ms: One spike per input in ms, inf for none; (input,).
    """
    grid = params.dt_ms * np.arange(round(params.trial_ms / params.dt_ms))
    there = np.isfinite(times_ms)
    return kernel(params, grid[:, None] - times_ms[there]) @ w[there]


def first_spikes(params: Params, w: NDArray, times_ms: NDArray) -> NDArray[np.float64]:
    """First time on the grid at which V has reached 1 in ms, inf if it never does; (trial,)."""
    found = np.full(len(times_ms), np.inf)
    for trial, times in enumerate(times_ms):
        above = np.flatnonzero(potentials(params, w, times) >= 1.0)
        if above.size:
            found[trial] = above[0] * params.dt_ms
    return found


def decide(params: Params, first_ms: NDArray, task: Task) -> Trials:
    """A spike means class 1, at once; silence means class 0, known at the end of the trial."""
    fired = np.isfinite(first_ms)
    return Trials.of(task, fired, np.where(fired, first_ms, params.trial_ms))


def brian_model(params: Params) -> BrianModel:
    """The structure in Brian2; weights and constants come with `bind`."""
    neuron = Group(
        name="output",
        size=1,
        equations=NEURON,
        threshold="v >= v_th and fired == 0",
        reset="fired = 1",
        method="exact",
        start={"tau_m": Quantity(1, "ms"), "tau_s": Quantity(1, "ms")},
    )
    return BrianModel(
        name="tempotron",
        groups=[neuron],
        synapses=[Synapses("s_output", "input", "output", on_pre="x_post += w")],
        inputs={"input": params.n_input},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
        reset={"output": "v = 0; x = 0; fired = 0"},
        record_spikes=("output",),
    )


def bind(params: Params, w: NDArray) -> Binding:
    """Place weights (input,) and time constants into the structure, in base units."""
    weights = np.asarray(w, float)[:, None]
    return Binding(
        values={
            "s_output.w": weights,
            "output.tau_m": params.tau_m * 1e-3,
            "output.tau_s": params.tau_s * 1e-3,
            "output.g": _peak_scale(params) * (params.tau_m - params.tau_s) / params.tau_s,
            "output.v_th": 1.0,
        },
        layers={"s_output.w": Layer("input", "output", weights, "readout")},
    )


def _peak_scale(params: Params) -> float:
    """V_0: one over the largest value of the difference of exponentials."""
    tau_m, tau_s = params.tau_m, params.tau_s
    peak = tau_m * tau_s / (tau_m - tau_s) * np.log(tau_m / tau_s)
    return float(1 / (np.exp(-peak / tau_m) - np.exp(-peak / tau_s)))
