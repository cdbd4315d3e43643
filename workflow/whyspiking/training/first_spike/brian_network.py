"""First-spike networks as Brian2 sees them: clocked, with thresholds interpolated.

The independent engine beside `layer`: it integrates the membrane equation step by step and knows
no closed form. Time constants, thresholds and weights are values of each run, so that networks of
equal size share one build.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel, Group, Quantity, Replay, Synapses
from whyspiking.contract.types import Binding, Layer

NEURON = """
dv/dt = (x - v) / tau_m : 1
dx/dt = -x / tau_s : 1
tau_m : second
tau_s : second
v_th : 1
rise : 1
bend : 1
fired : 1
lag : 1
keep_v : 1
keep_x : 1
gain : 1
per_step : 1
rate_m : 1
rate_s : 1
"""
"""Current-based LIF; `lag` is the time since the last spike at the end of its step, in ms."""

# Over a time d, with z = d (1/tau_s - 1/tau_m), the potential gains from x the share
# (d/tau_m) e^{-d/tau_m} (1 - e^{-z})/z. Within a step z is small, and the series of the last factor
# is exact to rounding even where tau_m = tau_s, where the usual formula divides by zero.
PROPAGATOR = """
keep_v = exp(-step / tau_m)
keep_x = exp(-step / tau_s)
rate_m = ms / tau_m
rate_s = ms / tau_s
per_step = step / tau_m
gain = per_step * keep_v * (1 - z / 2 * (1 - z / 3 * (1 - z / 4)))
"""
# Within a step, l steps before its end, V is v - rise l + bend l^2 up to third order in dt.
PROPAGATE = """
before = v
v = keep_v * v + gain * x
x = keep_x * x
rise = (x - v) * per_step
bend = before - v + rise
"""
CROSSING = """
fired == 0 and (v >= v_th or (rise < 0 and rise > 2 * bend and v - rise**2 / (4 * bend) >= v_th))
"""
"""V is above threshold at the end of the step, or its maximum within the step was."""
FIRE = """
above = v - v_th
fired = 1
reach = rise + sqrt(clip(rise**2 - 4 * bend * above, 0, inf))
on_curve = int(above * reach >= 0 and reach != 0)
lag = {dt_ms} * clip(on_curve * 2 * above / (reach + 1 - on_curve) + 1 - on_curve, 0, 2)
"""
"""The earlier of the times at which V was at threshold.

Inputs of the step before may have lifted V above threshold within that step: the curve then reaches
back into it, but not beyond. Where the curve was never at threshold they did so and pulled V down
again; the time is then that of the end of that step."""
ON_SPIKE = """
d_m = lag_pre * rate_m_post
d_s = lag_pre * rate_s_post
z = d_s - d_m
kept_m = 1 - d_m * (1 - d_m / 2 * (1 - d_m / 3 * (1 - d_m / 4)))
kept_s = 1 - d_s * (1 - d_s / 2 * (1 - d_s / 3 * (1 - d_s / 4)))
v_post += w * d_m * kept_m * (1 - z / 2 * (1 - z / 3 * (1 - z / 4)))
x_post += w * kept_s
"""
"""What an input changes, as it has become by the end of the step in which it arrived.

Exponentials as series too, and no division: lags are a hundredth of a time constant, and this runs
per synapse."""


POPULATIONS = ("hidden", "output")
"""Names of the groups of neurons."""


def network(
    name: str,
    *,
    n_input: int,
    n_hidden: int,
    n_output: int,
    direct: bool,
    dt_ms: float,
    trial_ms: float,
    max_trials: int,
) -> BrianModel:
    """The structure; all numbers come with `values`.

    Args:
        name: Short name, part of the build folder's name.
        n_input: Input channels, those of bias or pulses included.
        n_hidden: Hidden neurons.
        n_output: Output neurons.
        direct: Whether input channels reach the outputs too, as `s_direct.w` (input, output).
        dt_ms: Step of the simulation.
        trial_ms: Length of one trial.
        max_trials: Trials per run of the binary.
    """
    reset = (
        "v = 0; x = 0; fired = 0\n"
        f"step = {dt_ms} * ms\nz = step * (1 / tau_s - 1 / tau_m)\n{PROPAGATOR}"
    )
    synapses = [
        weighted("input", "hidden", "s_hidden"),
        weighted("hidden", "output", "s_output"),
        weighted("hidden_replay", "output", "s_replay"),
    ]
    if direct:
        synapses.append(weighted("input", "output", "s_direct"))
    return BrianModel(
        name=name,
        groups=[_group("hidden", n_hidden, dt_ms), _group("output", n_output, dt_ms)],
        synapses=synapses,
        inputs={"input": n_input, "hidden_replay": n_hidden},
        dt_ms=dt_ms,
        trial_ms=trial_ms,
        max_trials=max_trials,
        reset=dict.fromkeys(POPULATIONS, reset),
        record_spikes=POPULATIONS,
        replay={"hidden": Replay("hidden_replay", {"hidden.v_th": 1e9})},
        sub_step=True,
        lag_variable=dict.fromkeys(POPULATIONS, "lag"),
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def _group(name: str, size: int, dt_ms: float) -> Group:
    return Group(
        name=name,
        size=size,
        equations=NEURON,
        threshold=" ".join(CROSSING.split()),
        reset=FIRE.format(dt_ms=dt_ms),
        update=PROPAGATE,
        start={"tau_m": Quantity(1, "ms"), "tau_s": Quantity(1, "ms"), "v_th": 1.0},
    )


def weighted(source: str, target: str, name: str) -> Synapses:
    """Connections from all of a group or input to all of a group."""
    return Synapses(name, source, target, on_pre=ON_SPIKE)


def values(
    w_hidden: NDArray,
    w_output: NDArray,
    w_direct: NDArray | None,
    *,
    threshold: float,
    tau_m_ms: float,
    tau_s_ms: float,
) -> dict[str, NDArray | float]:
    """Weights and ideal neurons as values of `network`, in base units.

    Args:
        w_hidden: (input, hidden); zero where a channel does not reach the layer.
        w_output: (hidden, output).
        w_direct: (input, output), or None where the network has no such synapses.
        threshold: c = theta g_l (see `layer`).
        tau_m_ms: Membrane time constant of all neurons.
        tau_s_ms: Synaptic time constant of all neurons.
    """
    weights = [np.asarray(w, float) for w in (w_hidden, w_output)]
    values_by_name: dict[str, NDArray | float] = {
        "s_hidden.w": weights[0],
        "s_output.w": weights[1],
        "s_replay.w": weights[1],
    }
    if w_direct is not None:
        values_by_name["s_direct.w"] = np.asarray(w_direct, float)
    for name, n in zip(POPULATIONS, (w.shape[1] for w in weights), strict=True):
        values_by_name[f"{name}.v_th"] = np.full(n, threshold)
        values_by_name[f"{name}.tau_s"] = np.full(n, tau_s_ms * 1e-3)
        values_by_name[f"{name}.tau_m"] = np.full(n, tau_m_ms * 1e-3)
    return values_by_name


def bind(network_values: Mapping[str, NDArray | float]) -> Binding:
    """Bind the `values` of one network; its layers are named for counting and perturbing."""
    connections = {
        "s_hidden.w": ("input", "hidden", "feedforward"),
        "s_output.w": ("hidden", "output", "readout"),
        "s_direct.w": ("input", "output", "readout"),
    }
    layers = {
        key: Layer(pre, post, np.asarray(network_values[key]), kind)  # type: ignore[arg-type]
        for key, (pre, post, kind) in connections.items()
        if key in network_values
    }
    return Binding(values=network_values, layers=layers)
