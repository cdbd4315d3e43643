"""One leaky neuron, event by event, and its graded counterpart (README, Eq. 4 to 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel, Group, Quantity, Synapses

SHARPNESS = 10.0
"""Of the surrogate derivative (Zenke & Ganguli 2018), per unit of potential."""

NEURON = """
dv/dt = -v / tau : 1
tau : second
v_th : 1
fired : 1
"""


def start(n: int, rng: np.random.Generator, tau_ms: float | None = None) -> dict[str, NDArray]:
    """Random weights and threshold, and a random or a given time constant."""
    drawn = np.exp(rng.uniform(np.log(1), np.log(30)))
    return {
        "w": rng.uniform(0, 1, n),
        "log_tau": np.asarray(np.log(drawn if tau_ms is None else tau_ms)),
        "theta": rng.uniform(0, 2, ()),
    }


def potential(arrays: Mapping[str, Any], times: Any) -> Any:
    """The greatest potential of a trial without a threshold, (trial,).

    It is reached right after an input spike (Eq. 4), if it is not negative throughout.

    Args:
        arrays: w (input,), log_tau of ms, theta.
        times: In ms, (trial, input).
    """
    order = jnp.argsort(times, axis=1)
    t, w = jnp.take_along_axis(times, order, 1), arrays["w"][order]
    decay = jnp.exp(-jnp.diff(t, axis=1) / jnp.exp(arrays["log_tau"]))
    v = greatest = w[:, 0]
    for place in range(1, t.shape[1]):
        v = v * decay[:, place - 1] + w[:, place]
        greatest = jnp.maximum(greatest, v)
    return greatest


@jax.custom_jvp
def spike(u: Any) -> Any:
    """1 where the potential has reached the threshold."""
    return (u >= 0).astype(u.dtype)


@spike.defjvp
def _surrogate(at: Any, along: Any) -> Any:
    (u,), (change,) = at, along
    return spike(u), change / (1 + SHARPNESS * jnp.abs(u)) ** 2


def fired(arrays: Mapping[str, Any], times: Any) -> Any:
    """Whether the neuron fires, (trial,)."""
    return spike(potential(arrays, times) - arrays["theta"])


def spike_loss(arrays: Mapping[str, Any], times: Any, classes: Any) -> Any:
    """Share of wrong decisions, learned from by the surrogate (Eq. 5)."""
    return jnp.mean((fired(arrays, times) - classes) ** 2)


def graded_loss(arrays: Mapping[str, Any], times: Any, classes: Any) -> Any:
    """Return the cross-entropy of the graded counterpart (Eq. 6).

    It sends its largest potential instead of a spike.
    """
    sent = arrays["gain"] * (potential(arrays, times) - arrays["theta"])
    return optax.sigmoid_binary_cross_entropy(sent, classes).mean()


def brian_model(params: ct.Params) -> BrianModel:
    """The neuron in Brian2; weights, time constant and threshold come with `bind`."""
    neuron = Group(
        name="output",
        size=1,
        equations=NEURON,
        threshold="v >= v_th and fired == 0",
        reset="fired = 1",
        method="exact",
        start={"tau": Quantity(1, "ms")},
    )
    return BrianModel(
        name="discussion-neuron",
        groups=[neuron],
        synapses=[Synapses("s_output", "input", "output", on_pre="v_post += w")],
        inputs={"input": params.n_input},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
        reset={"output": "v = 0; fired = 0"},
        record_spikes=("output",),
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained neuron into that structure, in base units."""
    weights = np.asarray(network.arrays["w"], float)[:, None]
    return ct.Binding(
        values={
            "s_output.w": weights,
            "output.tau": float(np.exp(network.arrays["log_tau"])) * 1e-3,
            "output.v_th": float(network.arrays["theta"]),
        },
        layers={"s_output.w": ct.Layer("input", "output", weights, "readout")},
    )
