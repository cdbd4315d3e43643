"""Connections of the XOR network, and the values that a run sets: weights and currents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.talks.naud.xor.model import (
    FEEDBACK,
    INPUTS,
    OUTPUT,
    POPULATIONS,
    PROJECTIONS,
    bernoulli,
)

Kind = Literal["feedforward", "recurrent", "readout"]
SYNAPSES: Mapping[str, tuple[str, Kind]] = {
    "forward": ("neurons", "feedforward"),
    "inhibition": ("neurons", "feedforward"),
    "feedback_exc": ("neurons.burst", "recurrent"),
    "feedback_inh": ("neurons.burst", "recurrent"),
}
"""Synapses -> what they hear (events or bursts), and how they are counted."""


def per_neuron(params: Params, values: Sequence[float] | NDArray) -> NDArray[np.float64]:
    """One number per population, repeated for its neurons; (neuron,)."""
    return np.repeat(np.asarray(values, float), params.n_per_population)


def wire(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Draw all connections, each kind on its own.

    Args:
        params: Parameters of the experiment.
        streams: Randomness: one stream per kind of synapses.

    Returns:
        "<synapses>.i" and "<synapses>.j" (synapse,), by i, then j; for the fixed ones also
        "<synapses>.w".
    """
    n = params.n_per_population
    arrays: dict[str, NDArray] = {}
    for name, pairs, weights in (
        ("forward", PROJECTIONS, None),
        ("inhibition", PROJECTIONS, [params.w_inh] * len(PROJECTIONS)),
        ("feedback_exc", FEEDBACK, params.w_feedback_exc),
        ("feedback_inh", FEEDBACK, params.w_feedback_inh),
    ):
        rng = streams.rng(f"wiring-{name}")
        is_connected = {pair: rng.random((n, n)) < params.p_connect for pair in pairs}
        matrix = np.zeros((len(POPULATIONS) * n,) * 2, bool)
        strength = np.zeros((len(POPULATIONS),) * 2)
        for index, (pre, post) in enumerate(pairs):
            matrix[pre * n : (pre + 1) * n, post * n : (post + 1) * n] = is_connected[pre, post]
            strength[pre, post] = weights[index] if weights else 0.0
        i, j = np.nonzero(matrix)
        arrays |= {f"{name}.i": i.astype(np.int32), f"{name}.j": j.astype(np.int32)}
        if weights:
            arrays[f"{name}.w"] = strength[i // n, j // n]
    return arrays


def neuron_values(params: Params) -> dict[str, NDArray | float]:
    """Values of the neurons that differ between populations; plasticity as in an intact network."""
    is_input = np.isin(np.arange(len(POPULATIONS)), INPUTS)
    q_s, jump_e = bernoulli(
        np.array(params.noise_soma_hz), np.array(params.noise_soma_exc), params.dt_ms
    )
    _, jump_i = bernoulli(
        np.array(params.noise_soma_hz), np.array(params.noise_soma_inh), params.dt_ms
    )
    eta = [0.0, 0.0, params.eta_hidden, params.eta_hidden, params.eta_output]
    numbers = {
        "i_d": params.i_dendrite,
        "is_input": is_input,
        "input_of": [0, 1, 0, 0, 0],
        "is_output": np.arange(len(POPULATIONS)) == OUTPUT,
        "q_s": q_s,
        "jump_e": jump_e,
        "jump_i": jump_i,
        "eta": eta,
        "lift": ~is_input,
    }
    return {f"neurons.{key}": per_neuron(params, value) for key, value in numbers.items()}
