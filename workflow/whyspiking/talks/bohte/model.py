"""Adaptive spiking neurons and their leaky readout (README, section 2): in JAX, and for Brian2.

Arrays of JAX are time-major, (time, trial, neuron), float32 in training; time constants are in
steps. Brian2 integrates the differential equations exactly, which gives the same discrete ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from whyspiking.contract.types import Params
from whyspiking.training.products import product
from whyspiking.training.surrogates import Surrogate

type Array = Any


class Neuron(NamedTuple):
    """Constants of a neuron that are not learned.

    Attributes:
        threshold: At rest, b_0.
        surrogate: Derivative of a spike.
        limit: Largest derivative of the loss by a membrane that `plain_neuron` hands back in time.
    """

    threshold: float
    surrogate: Surrogate
    limit: float = float("inf")


class Course(NamedTuple):
    """What a layer did, each (time, trial, neuron); or its state, each (trial, neuron).

    Attributes:
        u: Membrane.
        eta: Adaptation.
        spikes: 0 or 1.
    """

    u: Array
    eta: Array
    spikes: Array


def fire_above_threshold(u: Array, theta: Array) -> Array:
    """Fire where a membrane is above its threshold (Eq. 4), without derivative."""
    return (u > theta).astype(u.dtype)


def step(
    neuron: Neuron,
    beta: Array,
    previous: Course,
    drive: Array,
    w_rec: Array,
    alpha: Array,
    rho: Array,
    fire: Callable[[Array, Array], Array] = fire_above_threshold,
) -> Course:
    """One step of a layer (README, Eqs. 1 to 4); arguments are those of `course`."""
    eta = rho * previous.eta + (1 - rho) * previous.spikes  # Eq. 1
    theta = neuron.threshold + beta * eta  # Eq. 2
    current = drive + product(previous.spikes, w_rec)
    u = alpha * previous.u + (1 - alpha) * current - theta * previous.spikes  # Eq. 3
    return Course(u, eta, fire(u, theta))  # Eq. 4


def course(
    neuron: Neuron,
    beta: Array,
    drive: Array,
    w_rec: Array,
    alpha: Array,
    rho: Array,
    start: Course | None = None,
    fire: Callable[[Array, Array], Array] = fire_above_threshold,
) -> Course:
    """Run a layer.

    Args:
        neuron: Constants.
        beta: Strength of the adaptation; 0 makes plain leaky integrate-and-fire neurons.
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
        rho: Decay of the adaptation per step, (neuron,).
        start: Before the first step, each (trial, neuron); else at rest.
        fire: Membrane and threshold -> spikes.
    """

    def advance(previous: Course, drive_now: Array) -> tuple[Course, Course]:
        state = step(neuron, beta, previous, drive_now, w_rec, alpha, rho, fire)
        return state, state

    return jax.lax.scan(advance, at_rest(neuron, drive[0]) if start is None else start, drive)[1]


def at_rest(neuron: Neuron, like: Array) -> Course:
    """Return a layer before the first step of a trial; `like` is any array (trial, neuron)."""
    zeros = jnp.zeros_like(like)
    # Published: the adaptation starts at the threshold.
    return Course(zeros, zeros + neuron.threshold, zeros)


def leaky(values: Array, kappa: Array, start: Array | None = None) -> Array:
    """Leaky integration o[t] = kappa o[t-1] + (1 - kappa) x[t] (README, Eq. 5).

    Args:
        values: (time, trial, unit).
        kappa: Decay per step, (unit,).
        start: Before the first step, (trial, unit); else 0.
    """

    def advance(o: Array, x: Array) -> tuple[Array, Array]:
        o = kappa * o + (1 - kappa) * x
        return o, o

    return jax.lax.scan(advance, jnp.zeros_like(values[0]) if start is None else start, values)[1]


def decay(log_tau: Array) -> Array:
    """Compute exp(-1 / tau) from the logarithm of a time constant in steps."""
    return jnp.exp(-jnp.exp(-log_tau))


def units(params: Params) -> list[int]:
    """List the numbers of neurons of the hidden layers; shared tasks have one layer."""
    n = params.n_hidden
    return list(n) if isinstance(n, list) else [n]


def hidden(k: int) -> str:
    """Name of a layer."""
    return f"hidden_{k}"


# Brian2: `current` is the input of a step, `age` the steps since the start of the trial; `kept` is
# 0 in neurons that begin at 0 after a spike (Eq. 20), else 1.
NEURON = """
du/dt = (current - u) / tau_mem : 1
deta/dt = -eta / tau_adapt : 1
current : 1
age : integer
bias : 1 (constant)
rest : 1 (constant)
beta : 1 (constant)
kept : 1 (constant)
tau_mem : second (constant)
tau_adapt : second (constant)
"""
THRESHOLD = "u > rest + beta * eta"
# What Eq. 3 subtracts in the next step, before the decay of that step.
RESET = """
eta += exp(dt / tau_adapt) - 1
u = kept * (u - (rest + beta * exp(-dt / tau_adapt) * eta) * exp(dt / tau_mem))
"""
READOUT = """
do/dt = (current - o) / tau_out : 1
current : 1
age : integer
bias : 1 (constant)
tau_out : second (constant)
"""
ON_SPIKE = "current_post += w"


def clear(lag: int) -> str:
    """Statements of Brian2 after a step: only the bias is left, from step `lag` of a trial on."""
    return f"age += 1\ncurrent = bias * int(age >= {lag})"


def start_of(lag: int) -> str:
    """Statements of Brian2 that bring neurons to the state `at_rest` `lag` steps later."""
    return f"u = 0\neta = rest * exp({lag} * dt / tau_adapt)\ncurrent = 0\nage = 0"


START_OF_READOUT = "o = 0\ncurrent = 0\nage = 0"
