"""The FORCE network of Izhikevich neurons (NC17): equations and random wiring.

Symbols as in the paper; equation numbers are those of this talk's README. Time is in ms, current
in pA, voltage in mV, filtered spike trains r in 1/ms; Brian2 sees plain numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.talks.clopath.learning import Plant

# Eqs. 1-3. The names I, E and pi would be read as numbers by Brian2's exact integrators.
IZHIKEVICH = """
dv/dt = (k*(v - v_r)*(v - v_t) - u + current + drive + bias)/(capacitance*ms) : 1
du/dt = a*(b*(v - v_r) - u)/ms : 1
dcurrent/dt = (h - current/tau_r)/ms : 1
dh/dt = -h/tau_d/ms : 1
"""
# Eq. 3 again, for the spike train itself: the state that the decoder reads.
FILTERED = """
dr/dt = (h_r - r/tau_r)/ms : 1
dh_r/dt = -h_r/tau_d/ms : 1
"""
RESET = "v = v_reset; u += d"
FILTER_RESET = "h_r += 1/(tau_r*tau_d)"

CONSTANTS = (
    "capacitance",
    "k",
    "v_r",
    "v_t",
    "v_peak",
    "v_reset",
    "a",
    "b",
    "d",
    "bias",
    "tau_r",
    "tau_d",
)
"""Parameters of the neuron in talk.yaml, by the names used in the equations."""


def wire(params: Params, n_channels: int, streams: Streams) -> dict[str, NDArray]:
    """Draw the fixed random part of the network (Eqs. 4-6).

    Args:
        params: Needs n_neurons, sparsity, gain, feedback_gain, clock_gain, clock_components.
        n_channels: Number K of outputs.
        streams: The stream "wiring" is used.

    Returns:
        `omega_pre`, `omega_post`, `omega_w`: static weights in pA ms; `encoders` (neuron, channel)
        and `clock_encoders` (neuron, component) in pA; `v_start` (neuron,) in mV.
    """
    rng = streams.rng("wiring")
    n = params.n_neurons
    present = rng.random((n, n)) < params.sparsity
    pre, post = np.nonzero(present)
    scale = params.gain / (params.sparsity * np.sqrt(n))
    return {
        "omega_pre": pre.astype(np.int32),
        "omega_post": post.astype(np.int32),
        "omega_w": scale * rng.standard_normal(pre.size),
        "encoders": params.feedback_gain * rng.uniform(-1, 1, (n, n_channels)),
        "clock_encoders": params.clock_gain * rng.uniform(-1, 1, (n, params.clock_components)),
        "v_start": params.v_r + (params.v_peak - params.v_r) * rng.random(n),
    }


def constants(params: Params) -> dict[str, Any]:
    """Values of the names in the equations, for Brian2's namespaces."""
    import brian2

    return {name: getattr(params, name) for name in CONSTANTS} | {"ms": brian2.ms}


def plant(params: Params, wiring: dict[str, NDArray], clock: NDArray, dt_ms: float) -> Plant:
    """The network for training, in Brian2's runtime mode.

    Args:
        params: Parameters of the experiment.
        wiring: From `wire`.
        clock: Index and value of the active clock component per ms, (time, 2), read cyclically;
            empty where there is no clock.
        dt_ms: Step.
    """
    import brian2

    group = brian2.NeuronGroup(
        params.n_neurons,
        IZHIKEVICH + FILTERED + "drive : 1",
        threshold="v >= v_peak",
        reset=f"{RESET}; {FILTER_RESET}",
        method="euler",
        namespace=constants(params),
        name="neurons",
    )
    group.v = wiring["v_start"]
    omega = brian2.Synapses(group, group, "w : 1", on_pre="h_post += w", name="omega")
    omega.connect(i=wiring["omega_pre"], j=wiring["omega_post"])
    omega.w = wiring["omega_w"] / (params.tau_r * params.tau_d)
    rates = group.variables["r"].get_value()
    drive = group.variables["drive"].get_value()
    encoders = wiring["encoders"]
    clock_rows = np.ascontiguousarray(wiring["clock_encoders"].T)
    component = clock[:, 0].astype(int)
    steps_per_sample = round(1.0 / dt_ms)

    def write_drive(decoders: NDArray, step: int) -> None:
        np.matmul(encoders, rates @ decoders, out=drive)
        if clock.size and step > 0:
            # A new sample acts from the step after it, as in the frozen network.
            now = ((step - 1) // steps_per_sample) % component.size
            drive[:] += clock[now, 1] * clock_rows[component[now]]

    return Plant([group, omega], rates, write_drive)
