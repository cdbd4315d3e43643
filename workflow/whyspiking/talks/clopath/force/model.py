"""The FORCE networks (NC17): neurons, random wiring. Izhikevich neurons unless one is named.

Symbols as in the paper; equation numbers are those of the talk's README. Time is in ms, current
in pA (LIF: mV; theta neurons: a plain number), voltage in mV (theta neurons: phase in rad),
filtered spike trains r in 1/ms; Brian2 sees plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.talks.clopath.force.learning import Plant

# Eq. 3. The names I, E and pi would be read as numbers by Brian2's exact integrators.
SYNAPTIC = """
dcurrent/dt = (h - current/tau_r)/ms : 1
dh/dt = -h/tau_d/ms : 1
"""
# Eq. 3 again, for the spike train itself: the state that the decoder reads.
FILTERED = """
dr/dt = (h_r - r/tau_r)/ms : 1
dh_r/dt = -h_r/tau_d/ms : 1
"""
# Eqs. 1-2.
IZHIKEVICH = (
    """
dv/dt = (k*(v - v_r)*(v - v_t) - u + current + drive + bias)/(capacitance*ms) : 1
du/dt = a*(b*(v - v_r) - u)/ms : 1
"""
    + SYNAPTIC
)
# Eq. 29.
LEAKY = "dv/dt = (-v + current + drive + bias)/(tau_m*ms) : 1 (unless refractory)" + SYNAPTIC
# Eq. 32.
THETA = "dv/dt = (1 - cos(v) + pi**2*(current + drive + bias)*(1 + cos(v)))/second : 1" + SYNAPTIC
RESET = "v = v_reset; u += d"
FILTER_RESET = "h_r += 1/(tau_r*tau_d)"

CONSTANTS = (
    "capacitance", "k", "v_r", "v_t", "v_peak", "v_reset", "a", "b", "d", "bias", "tau_r", "tau_d",
)  # fmt: skip
"""Parameters of the Izhikevich neuron in talk.yaml, by the names used in the equations."""


@dataclass(frozen=True)
class Neuron:
    """A kind of neuron, as training and the compiled program see it.

    Attributes:
        name: Of the kind.
        equations: Membrane and synaptic current.
        threshold: When it fires.
        reset: What a spike does to it.
        constants: Its parameters in talk.yaml.
        exchanged: Those that differ between experiments or silence the network.
        start: Between which two parameters voltages start.
        restart: What a trial starts with, beside its voltage.
        refractory: Whether it rests for `tau_ref` ms.
        balanced: Whether the static weights onto each neuron sum to 0.
    """

    name: str
    equations: str
    threshold: str
    reset: str
    constants: Sequence[str]
    exchanged: Sequence[str]
    start: tuple[str, str]
    restart: str = ""
    refractory: bool = False
    balanced: bool = False


NEURON = Neuron(
    "izhikevich", IZHIKEVICH, "v >= v_peak", RESET, CONSTANTS,
    ("a", "b", "d", "v_t", "bias"), ("v_r", "v_peak"), "u = 0; ",
)  # fmt: skip
NEURON_BY_EXPERIMENT = {
    "sine_lif": Neuron(
        "lif", LEAKY, "v >= v_th", "v = v_reset",
        ("tau_m", "v_th", "v_reset", "bias", "tau_r", "tau_d"), ("bias",), ("v_reset", "v_peak"),
        "lastspike = -10000*second; ", refractory=True, balanced=True,
    ),
    "sine_theta": Neuron(
        "theta", THETA, "v >= v_peak", "v = v_reset",
        ("v_peak", "v_reset", "bias", "tau_r", "tau_d"), ("bias",), ("v_reset", "v_peak"),
        balanced=True,
    ),
}  # fmt: skip
"""Experiments with another neuron."""


def neuron_of(params: Params) -> Neuron:
    """The neuron of an experiment."""
    return NEURON_BY_EXPERIMENT.get(params.experiment, NEURON)


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
    neuron = neuron_of(params)
    low, high = (getattr(params, name) for name in neuron.start)
    weights = scale * rng.standard_normal(pre.size)
    if neuron.balanced:
        weights -= (np.bincount(post, weights, n) / np.maximum(np.bincount(post, minlength=n), 1))[
            post
        ]
    return {
        "omega_pre": pre.astype(np.int32),
        "omega_post": post.astype(np.int32),
        "omega_w": weights,
        "encoders": params.feedback_gain * rng.uniform(-1, 1, (n, n_channels)),
        "clock_encoders": params.clock_gain * rng.uniform(-1, 1, (n, params.clock_components)),
        "v_start": low + (high - low) * rng.random(n),
    }


def static_weights(arrays: Mapping[str, NDArray]) -> NDArray[np.float64]:
    """Recurrent weights of `wire` in pA ms, (pre, post)."""
    n = arrays["v_start"].size
    omega = np.zeros((n, n))
    omega[arrays["omega_pre"], arrays["omega_post"]] = arrays["omega_w"]
    return omega


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

    neuron = neuron_of(params)
    group = brian2.NeuronGroup(
        params.n_neurons,
        neuron.equations + FILTERED + "drive : 1",
        threshold=neuron.threshold,
        reset=f"{neuron.reset}; {FILTER_RESET}",
        refractory=params.tau_ref * brian2.ms if neuron.refractory else False,
        method="euler",
        namespace={name: getattr(params, name) for name in neuron.constants},
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
            sample = ((step - 1) // steps_per_sample) % component.size
            drive[:] += clock[sample, 1] * clock_rows[component[sample]]

    return Plant([group, omega], rates, write_drive)
