"""The septal-hippocampal network SHOT-CA3 (NC19): equations, wiring, weights.

Symbols as in the paper; equation numbers are those of the talk's README. Here time is in s, so
filtered spike trains r are in 1/s; voltages and currents are in mV. Brian2 sees plain numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params

# Eqs. 15-16. The leak and the filters are linear, so `exact` would do; Euler is what NC19 uses.
LEAKY = """
dv/dt = (-v + current + drive + bias)/(tau_m*second) : 1 (unless refractory)
dcurrent/dt = (h - current/tau_r)/second : 1
dh/dt = -h/tau_d/second : 1
"""
# Eq. 34: the same with noise.
NOISY = LEAKY.replace("bias)/(tau_m*second)", "bias)/(tau_m*second) + noise*xi/sqrt(tau_m*second)")
FILTERED = """
dr/dt = (h_r - r/tau_r)/second : 1
dh_r/dt = -h_r/tau_d/second : 1
"""
FILTER_RESET = "h_r += 1/(tau_r*tau_d)"
THRESHOLD, RESET = "v >= v_th", "v = v_reset"
REST = "v = v_start; current = 0; h = 0; lastspike = -10000*second"
"""Statements at the start of a trial."""
SEPTAL = ("sources", "oscillator", "phases", "v_start", "phi")
"""Arrays of a trained septal network that others are built on."""


def constants(params: Params) -> dict[str, float]:
    """Values of the names in the equations."""
    return seconds(params, "tau_m", "tau_r", "tau_d") | {
        "v_th": params.v_th,
        "v_reset": params.v_reset,
    }


def seconds(params: Params, *names: str) -> dict[str, float]:
    """Parameters in ms as numbers in s."""
    return {name: getattr(params, name) / 1000.0 for name in names}


def per_spike(params: Params, tau_d: str = "tau_d") -> float:
    """What one spike adds to h through a synapse of weight 1, in 1/s^2 (Eq. 3).

    Args:
        params: Parameters of the experiment.
        tau_d: Name of the synapse's time of decay.
    """
    return 1.0 / (params.tau_r * getattr(params, tau_d) * 1e-6)


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
    random_order = np.argsort(rng.random((n, params.n_inhibitory)), axis=1)
    return {
        "sources": np.sort(random_order[:, : params.in_degree], axis=1).astype(np.int32),
        "oscillator": rng.integers(params.n_oscillators, size=n).astype(np.int32),
        "phases": rng.uniform(0, 2 * np.pi, params.n_oscillators),
        "v_start": voltages(params, rng, n),
    }


def voltages(params: Params, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Voltages in mV at the start of a trial, between reset and threshold, (neuron,)."""
    return params.v_reset + (params.v_th - params.v_reset) * rng.random(n)


def static_weight(params: Params) -> float:
    """Weight of a static inhibitory synapse in mV s (Eq. 17)."""
    return -params.static_gain / np.sqrt(params.in_degree)


def static_links(params: Params, wiring: Mapping[str, NDArray]) -> NDArray[np.bool_]:
    """Which static synapses exist, (inhibitory neuron, neuron) (Eq. 17)."""
    n_neurons = params.n_inhibitory + params.n_excitatory
    present = np.zeros((params.n_inhibitory, n_neurons), bool)
    present[wiring["sources"].ravel(), np.repeat(np.arange(n_neurons), params.in_degree)] = True
    return present


def learned_weights(
    params: Params, wiring: Mapping[str, NDArray], decoders: NDArray
) -> NDArray[np.float64]:
    """Learned inhibition, (inhibitory neuron, neuron), in mV s (Eq. 19)."""
    return params.feedback_weight * np.minimum(decoders, 0.0)[:, wiring["oscillator"]]


def reading(phases: NDArray, decoders: NDArray) -> NDArray[np.float64]:
    """Decoders (inhibitory neuron, 2) of the cosine and sine behind all oscillators (Eq. 20)."""
    basis = np.vstack([np.cos(phases), -np.sin(phases)])
    return decoders @ np.linalg.pinv(basis)
