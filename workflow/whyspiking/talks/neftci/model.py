"""The network of DECOLLE: Eqs. 1 to 5 in JAX and as Brian2 integrates them (README, section 2)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from whyspiking.contract import types as ct
from whyspiking.training.products import product
from whyspiking.training.surrogates import Surrogate, fast_sigmoid, spike

# Eqs. 1 to 3 in Brian2, with the traces of all inputs of a neuron summed up, which is the same as
# long as weights are constant: i_syn = sum W Q, v = sum W P.
NEURON = """
v : 1
i_syn : 1
r : 1
fired : 1
b : 1
v_th : 1
tau_m : second
tau_s : second
tau_r : second
alpha : 1
beta : 1
gamma : 1
"""
STEP = """
v = alpha * v + (1 - alpha) * i_syn
i_syn = beta * i_syn
r = gamma * r - (1 - gamma) * fired
fired = 0
"""
THRESHOLD = "v + b + r > v_th"
RESET = "fired = 1"
ON_SPIKE = "i_syn_post += (1 - beta_post) * w"
START = """
v = 0; i_syn = 0; r = 0; fired = 0
alpha = exp(-dt / tau_m); beta = exp(-dt / tau_s); gamma = exp(-dt / tau_r)
"""
# Eq. 4.
READ = "y_post += w"


class Constants(NamedTuple):
    """What is fixed in an experiment.

    Attributes:
        alpha: Decay of the membrane trace per step.
        beta: Decay of the synaptic trace per step.
        gamma: Decay of the refractory trace per step.
        burn_in: First step that counts.
        slope: Steepness of the surrogate (Eq. 5).
    """

    alpha: float
    beta: float
    gamma: float
    burn_in: int
    slope: float


class Weights(NamedTuple):
    """Per layer: weights (pre, post), biases (post,) for threshold 0, readouts (post, class)."""

    w: list
    b: list
    g: list


@functools.cache
def threshold(slope: float) -> Surrogate:
    """1 where U is positive, else 0 (Eq. 3), with the surrogate (Eq. 5) as its derivative."""
    return spike(fast_sigmoid(slope))


def trace(c: Constants, q: Array, p: Array, spikes: Array) -> tuple[Array, Array]:
    """Q and P of this step (Eq. 1): P takes up the Q of the step before."""
    return c.beta * q + (1 - c.beta) * spikes, c.alpha * p + (1 - c.alpha) * q


def emit(c: Constants, u: Array, r: Array) -> tuple[Array, Array]:
    """Spikes of this step (Eq. 3), and R of the next one (Eq. 2)."""
    s = threshold(c.slope)(u)
    return s, c.gamma * r - (1 - c.gamma) * s


def silent(weights: Weights, n_trials: int) -> list:
    """State before a trial: Q (trial, pre), P (trial, pre), R (trial, post) per layer."""
    return [
        tuple(jnp.zeros((n_trials, n), w.dtype) for n in (w.shape[0], *w.shape)) for w in weights.w
    ]


def step(c: Constants, weights: Weights, state: Sequence, spikes: Array) -> Any:
    """One time step of all layers (Eqs. 1 to 3), for weights that change from step to step.

    Args:
        c: Decays.
        weights: Of all layers.
        state: As from `silent`.
        spikes: Input spikes of this step, 0 or 1, (trial, input).

    Returns:
        The new state, and per layer spikes S, potentials U and traces P.
    """
    new_state, fired, potentials, traces = [], [], [], []
    for w, b, (q, p, r) in zip(weights.w, weights.b, state, strict=True):
        q, p = trace(c, q, p, spikes)
        u = product(p, w) + b + r
        spikes, r = emit(c, u, r)
        new_state.append((q, p, r))
        fired.append(spikes)
        potentials.append(u)
        traces.append(p)
    return new_state, fired, potentials, traces


def respond(c: Constants, w: Array, b: Array, spikes: Array) -> tuple[Array, Array, Array]:
    """One layer over a whole trial, while its weights stay as they are: one large matrix product.

    Args:
        c: Decays.
        w: Weights, (pre, post).
        b: Biases, (post,).
        spikes: Of the layer below, (time, trial, pre).

    Returns:
        Spikes S and potentials U (time, trial, post), traces P (time, trial, pre).
    """

    def follow(state: Any, spikes_now: Array) -> Any:
        q, p = state
        q, p = trace(c, q, p, spikes_now)
        return (q, p), p

    def fire(r: Array, drive: Array) -> Any:
        u = drive + r
        s, r = emit(c, u, r)
        return r, (s, u)

    zero = jnp.zeros_like(spikes[0])
    traces = jax.lax.scan(follow, (zero, zero), spikes)[1]
    drive = product(traces, w) + b
    fired, potentials = jax.lax.scan(fire, jnp.zeros_like(drive[0]), drive)[1]
    return fired, potentials, traces


@functools.partial(jax.jit, static_argnames="c")
def responses(weights: Weights, frames: Array, c: Constants) -> list[Array]:
    """Spikes of all layers, (time, trial, neuron) each."""
    spikes_by_layer, spikes = [], frames
    for w, b in zip(weights.w, weights.b, strict=True):
        spikes, _, _ = respond(c, w, b, spikes)
        spikes_by_layer.append(spikes)
    return spikes_by_layer


def taus(params: ct.Params) -> dict[str, float]:
    """Time constants in ms by the name that Brian2 uses."""
    return {"tau_m": params.tau_m, "tau_s": params.tau_s, "tau_r": params.tau_r}


def burn_in(params: ct.Params) -> int:
    """First step that counts."""
    return round(params.burn_in_ms / params.dt_ms)


def constants(params: ct.Params) -> Constants:
    """Decays, burn-in and surrogate of an experiment."""
    alpha, beta, gamma = (float(np.exp(-params.dt_ms / tau)) for tau in taus(params).values())
    return Constants(alpha, beta, gamma, burn_in(params), float(params.surrogate_slope))


def sizes(params: ct.Params) -> list[int]:
    """Neurons per layer, inputs first."""
    if "n_input" in params.values:
        return [params.n_input, *params.hidden]
    side = -(-params.sensor_side // params.pool)
    return [2 * side**2, *params.hidden]


def names(params: ct.Params) -> list[str]:
    """Populations of the hidden layers; a single one is just that."""
    if len(params.hidden) == 1:
        return ["hidden"]
    return [f"layer{index}" for index in range(1, len(params.hidden) + 1)]


def weights_of(network: ct.Network) -> Weights:
    """Weights, biases and readouts of all layers of a trained network, in NumPy."""
    n = sum(name.startswith("w") for name in network.arrays)
    return Weights(*([network.arrays[f"{kind}{k}"] for k in range(1, n + 1)] for kind in "wbg"))


def arrays_of(weights: Weights) -> dict[str, Any]:
    """Arrays of a network; see `weights_of`."""
    kinds = zip("wbg", weights, strict=True)
    return {
        f"{kind}{k}": np.asarray(x)
        for kind, layer_arrays in kinds
        for k, x in enumerate(layer_arrays, start=1)
    }
