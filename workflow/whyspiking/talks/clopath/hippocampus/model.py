"""The septal-hippocampal network SHOT-CA3 (NC19): equations, wiring, training plant, task.

Symbols as in the paper; equation numbers are those of this talk's README. Here time is in s, so
filtered spike trains r are in 1/s; voltages and currents are in mV. Brian2 sees plain numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Stimulus, Task
from whyspiking.talks.clopath.learning import Plant

SAMPLE_MS = 1.0
"""Sampling of the septal input and of the decoded oscillator."""
SEPTAL_MEAN = -1.0
"""Mean of the septal inhibition M over a cycle (Eq. 16)."""

# Eqs. 15-16. The leak and the filters are linear, so `exact` would do; Euler is what NC19 uses.
LEAKY = """
dv/dt = (-v + current + drive + bias)/(tau_m*second) : 1 (unless refractory)
dcurrent/dt = (h - current/tau_r)/second : 1
dh/dt = -h/tau_d/second : 1
"""
FILTERED = """
dr/dt = (h_r - r/tau_r)/second : 1
dh_r/dt = -h_r/tau_d/second : 1
"""
FILTER_RESET = "h_r += 1/(tau_r*tau_d)"


def constants(params: Params) -> dict[str, Any]:
    """Values of the names in the equations, for Brian2's namespaces."""
    import brian2

    seconds = {name: getattr(params, name) / 1000.0 for name in ("tau_m", "tau_r", "tau_d")}
    return seconds | {
        "v_th": params.v_th,
        "v_reset": params.v_reset,
        "ms": brian2.ms,
        "second": brian2.second,
    }


def wire(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Draw the fixed random part of the network (Eqs. 17-18).

    Args:
        params: Needs n_inhibitory, n_excitatory, in_degree, static_weight, n_oscillators.
        streams: The stream "wiring" is used.

    Returns:
        `sources` (neuron, in_degree): inhibitory partners of each neuron, inhibitory neurons
        first; `oscillator` (neuron,): which oscillator each neuron hears; `phases` of the
        oscillators in rad; `v_start` (neuron,) in mV.
    """
    rng = streams.rng("wiring")
    n = params.n_inhibitory + params.n_excitatory
    order = np.argsort(rng.random((n, params.n_inhibitory)), axis=1)
    return {
        "sources": np.sort(order[:, : params.in_degree], axis=1).astype(np.int32),
        "oscillator": rng.integers(params.n_oscillators, size=n).astype(np.int32),
        "phases": rng.uniform(0, 2 * np.pi, params.n_oscillators),
        "v_start": params.v_reset + (params.v_th - params.v_reset) * rng.random(n),
    }


def supervisor(params: Params, phases: NDArray, times_ms: NDArray) -> NDArray[np.float64]:
    """The oscillators that inhibition is trained to keep up, (time, oscillator) (Eq. 18)."""
    angle = 2 * np.pi * params.theta_internal * np.asarray(times_ms, float) / 1000.0
    return np.cos(angle[:, None] + phases)


def septum(frequency: float, times_ms: NDArray, phase: float = 0.0) -> NDArray[np.float64]:
    """Septal inhibition M between -2 and 0 (Eq. 16)."""
    seconds = np.asarray(times_ms, float) / 1000.0
    return -(1 + np.cos(2 * np.pi * frequency * seconds + phase))


def plant(params: Params, wiring: dict[str, NDArray], schedule_ms: float, dt_ms: float) -> Plant:
    """The inhibitory population for training, in Brian2's runtime mode.

    The excitatory neurons of NC19 are silent during training and project to no one, so leaving
    them out changes nothing.

    Args:
        params: Parameters of the experiment.
        wiring: From `wire`.
        schedule_ms: Length of the run.
        dt_ms: Step.
    """
    import brian2

    n = params.n_inhibitory
    group = brian2.NeuronGroup(
        n,
        LEAKY + FILTERED + "drive : 1",
        threshold="v >= v_th",
        reset=f"v = v_reset; {FILTER_RESET}",
        refractory=params.tau_ref * brian2.ms,
        method="euler",
        namespace=constants(params) | {"bias": params.bias_inhibitory},
        name="inhibitory",
    )
    group.v = wiring["v_start"][:n]
    static = brian2.Synapses(group, group, "w : 1 (shared)", on_pre="h_post += w", name="static")
    sources = wiring["sources"][:n]
    static.connect(i=sources.ravel(), j=np.repeat(np.arange(n), sources.shape[1]))
    static.w = static_weight(params) / (params.tau_r * params.tau_d * 1e-6)
    rates = group.variables["r"].get_value()
    drive = group.variables["drive"].get_value()
    heard = wiring["oscillator"][:n]
    inhibition = params.septal_weight * septum(
        params.theta_septum, dt_ms * np.arange(round(schedule_ms / dt_ms) + 1)
    )
    negative = np.zeros((n, params.n_oscillators))

    def write_drive(_: NDArray, step: int) -> None:
        np.take(rates @ negative, heard, out=drive)
        np.multiply(drive, params.feedback_weight, out=drive)
        np.add(drive, inhibition[step], out=drive)

    def when_learned(decoders: NDArray) -> None:
        # Dale's law: inhibitory neurons feed back through the negative part of phi only (Eq. 19).
        np.minimum(decoders, 0.0, out=negative)

    return Plant([group, static], rates, write_drive, when_learned)


def static_weight(params: Params) -> float:
    """Weight of a static inhibitory synapse in mV s (Eq. 17)."""
    return -params.static_gain / np.sqrt(params.in_degree)


def static_links(params: Params, wiring: dict[str, NDArray]) -> NDArray[np.bool_]:
    """Which static synapses exist, (inhibitory neuron, neuron) (Eq. 17)."""
    total = params.n_inhibitory + params.n_excitatory
    present = np.zeros((params.n_inhibitory, total), bool)
    present[wiring["sources"].ravel(), np.repeat(np.arange(total), params.in_degree)] = True
    return present


def learned_weights(
    params: Params, wiring: dict[str, NDArray], decoders: NDArray
) -> NDArray[np.float64]:
    """Learned inhibition, (inhibitory neuron, neuron), in mV s (Eq. 19)."""
    return params.feedback_weight * np.minimum(decoders, 0.0)[:, wiring["oscillator"]]


def reading(phases: NDArray, decoders: NDArray) -> NDArray[np.float64]:
    """Decoders (inhibitory neuron, 2) of the cosine and sine behind all oscillators (Eq. 20)."""
    basis = np.vstack([np.cos(phases), -np.sin(phases)])
    return decoders @ np.linalg.pinv(basis)


def make_task(params: Params, rng: np.random.Generator) -> Task:
    """Trials with the septum first on (warm-up included), then off; its phase is random."""
    times = np.arange(0.0, trial_ms(params), SAMPLE_MS)
    on = times < params.warmup_ms + params.on_ms
    septal = np.zeros((params.n_trials, times.size, 2))
    for trial in range(params.n_trials):
        phase = rng.uniform(0, 2 * np.pi)
        septal[trial, on, 0] = septum(params.theta_septum, times[on], phase)
        septal[trial, :, 1] = ~on
    angle = 2 * np.pi * params.theta_internal * times / 1000.0
    wanted = np.column_stack([np.cos(angle), np.sin(angle)])
    return Task(
        stimulus=Stimulus(arrays={"septum": septal}),
        targets=np.broadcast_to(wanted, (params.n_trials, *wanted.shape)).copy(),
        n_classes=0,
        dt_ms=SAMPLE_MS,
    )


def trial_ms(params: Params) -> float:
    """Length of a test trial."""
    return float(params.warmup_ms + params.on_ms + params.off_ms)
