"""The network of adaptive spiking neurons (README, Eqs. 1-5), in steps of dt.

With spikes s of all sources, inputs and neurons alike, and spikes z of the neurons:

    v_j(t) = alpha v_j(t-1) + gain sum_i W_ij s_i(t-1) - v_th z_j(t-1)         (1) membrane
    a_j(t) = rho a_j(t-1) + z_j(t-1)                                           (2) adaptation
    z_j(t) = v_j(t) > v_th + beta_j a_j(t), unless refractory                  (3) spike
    psi_j(t) = gamma / v_th max(0, 1 - |v_j - v_th - beta_j a_j| / v_th)       (4) for learning
    y_k(t) = kappa y_k(t-1) + (1 - kappa) sum_j W_out_jk z_j(t)                (5) readout

`kernel.hpp` (`neurons_forward`) runs them in C++, the strings below in Brian2; a spike of one step
acts at the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams

NEURON = """
v : 1
a : 1
drive : 1
fired : 1
wait : 1
beta : 1
alpha : 1 (shared)
rho : 1 (shared)
v_th : 1 (shared)
silence : 1 (shared)
gain : 1 (shared)
"""
# Eqs. 1 and 2; `wait` counts the steps until the neuron may fire again.
ADVANCE = """
v = alpha * v + gain * drive - v_th * fired
a = rho * a + fired
wait = clip(wait - 1, 0, inf)
drive = 0
fired = 0
"""
# Eq. 3
THRESHOLD = "v > v_th + beta * a and wait < 1"
AFTER_SPIKE = "fired = 1; wait = silence"
# Eq. 4 without adaptation, where neurons learn inside Brian2.
PSEUDO_DERIVATIVE = "psi = gamma / v_th * clip(1 - abs(v - v_th) / v_th, 0, inf) * int(wait < 1)\n"
# Eq. 5
READOUT = """
y : 1
kappa : 1 (shared)
"""
READOUT_DECAY = "y = kappa * y"
READOUT_INPUT = "y_post += (1 - kappa_post) * w"


@dataclass(frozen=True)
class Cell:
    """Neurons and readout: numbers per step (Eqs. 1-5).

    Attributes:
        alpha: Decay of the membrane per step.
        rho: Decay of the adaptation per step.
        kappa: Decay of the readout per step.
        v_th: Threshold without adaptation.
        gamma: Height of the pseudo-derivative times v_th.
        refractory: Least number of steps between two spikes of a neuron (0: none).
        beta: Threshold per unit of adaptation, (neuron,); 0 for LIF.
        gain: Factor of all synaptic input.
    """

    alpha: float
    rho: float
    kappa: float
    v_th: float
    gamma: float
    refractory: int
    beta: NDArray
    gain: float = 1.0


@dataclass(frozen=True)
class Weights:
    """w (input + neuron, neuron), w_out (neuron, output), both as the network uses them."""

    w: NDArray
    w_out: NDArray


def cell(params: ct.Params, n_lif: int, n_alif: int) -> Cell:
    """Neurons and readout: first those without adaptation, then those with it."""
    dt = params.dt_ms
    alpha, rho = np.exp(-dt / params.tau_m), np.exp(-dt / params.tau_a)
    # The heuristic of the authors' code: a spike raises the threshold by about the share of
    # beta that an equally strong input leaves behind.
    step = params.beta * (1 - rho) / (1 - alpha)
    return Cell(
        alpha=float(alpha),
        rho=float(rho),
        kappa=float(np.exp(-dt / params.tau_out)),
        v_th=params.v_th,
        gamma=params.gamma,
        refractory=round(params.refractory_ms / dt),
        beta=np.repeat([0.0, step], [n_lif, n_alif]),
    )


def initial(streams: Streams, n_in: int, n_rec: int, n_out: int) -> dict[str, NDArray]:
    """Weights and fixed feedback before training, float32, without autapses.

    Source weights are ~ N(0, 1 / number of sources of a kind), the readout's uniform (Glorot &
    Bengio 2010), the feedback's ~ N(0, 1).

    Args:
        streams: Randomness: "init".
        n_in: Input channels.
        n_rec: Neurons.
        n_out: Classes.
    """
    rng = streams.rng("init")
    limit = np.sqrt(6 / (n_rec + n_out))
    arrays = {
        "w": sources(rng, n_in, n_rec),
        "w_out": rng.uniform(-limit, limit, (n_rec, n_out)),
        "feedback": rng.normal(0, 1, (n_rec, n_out)),
    }
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def sources(
    rng: np.random.Generator, n_in: int, n_rec: int, gain: float = 1.0
) -> NDArray[np.float64]:
    """Weights ~ N(0, 1 / number of sources of a kind), no autapses; (input + neuron, neuron).

    Args:
        rng: Randomness.
        n_in: Inputs.
        n_rec: Neurons.
        gain: Factor of the standard deviation of the inputs' weights.
    """
    w_in = rng.normal(0, gain / np.sqrt(n_in), (n_in, n_rec))
    w_rec = rng.normal(0, 1 / np.sqrt(n_rec), (n_rec, n_rec))
    np.fill_diagonal(w_rec, 0.0)
    return np.concatenate([w_in, w_rec])
