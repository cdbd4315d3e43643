"""Sound localisation by hand (equations: README of the shared benchmark).

- `leaky`: input j of an ear fires when wt + p_j + the ear's phase is near 90 degrees, so each spike
  is a measurement exp(-i (wt + p_j)) of that phase. A unit that turns by w in every step and adds
  exp(-i p_j) at a spike sums them, z = sum exp(iw (T - t) - i p_j), and its angle is the phase of
  the ear up to what both ears share. Two such units, and the angle of z_right z_left*, which is
  not counted. Near the ceiling: the angle of that sum is nearly all that Poisson spikes tell.
- `spiking`: a neuron adds a window of eight left inputs and subtracts one of eight right inputs,
  tau = 1.5 ms. Where the phase between the ears is the difference of the windows' phases, both come
  together and it is silent; the further off, the more it fires. Four neurons with differences of
  -57, -19, 19 and 57 degrees, and a linear readout of their counts, fitted to validation trials
  (means of the classes, one covariance). Windows, tau and threshold were chosen on data with seeds
  901 and 902. It subtracts: neurons that add both ears have 40 % (pilot), and Ghosh et al. 2025
  read the same from trained networks (basicmodel.md: a least preferred phase, cancellation).

The same with ReLU or gated units is not known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.tasks import gated_networks
from whyspiking.tasks.parameters import SharedTaskParameters
from whyspiking.tasks.sound import generator

STARTS = ((0, 12), (4, 8), (8, 4), (12, 0))
"""First input of the left and of the right window."""
WINDOW, TAU_GATE_MS, THETA_GATE = 8, 1.5, 1.5


def spiking(params: SharedTaskParameters, streams: Streams) -> ct.Network:
    """Four neurons and a readout of twelve units, which do not leak and start at their bias."""
    weights = np.zeros((2 * generator.PER_EAR, len(STARTS)))
    for gate, (left, right) in enumerate(STARTS):
        weights[left : left + WINDOW, gate] = 1
        weights[generator.PER_EAR + right :][:WINDOW, gate] = -1
    given = {"gate": weights, "tau_gate": TAU_GATE_MS, "theta_gate": THETA_GATE}
    sizes = (len(weights), len(STARTS), generator.CLASSES)
    fired, classes = generator.draw_on_steps(
        streams.rng("data-validation"), params.n_validation, params.dt_ms
    )
    gates = gated_networks.network(*sizes, **given)
    sent, _ = gated_networks.run(gates.arrays, fired.astype(np.float32), params.dt_ms)
    readout, bias = fitted(sent["gate"].sum(axis=1), classes)
    return gated_networks.network(*sizes, **given, keep=readout, start_memory=bias)


def fitted(counts: NDArray, classes: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """Weights (unit, class) and bias of the linear discriminant of normal classes."""
    means = np.stack([counts[classes == k].mean(axis=0) for k in range(generator.CLASSES)])
    off = counts - means[classes]
    weights = np.linalg.solve(off.T @ off / len(off), means.T)
    return weights, -(means * weights.T).sum(axis=1) / 2


def leaky(x: NDArray) -> gated_networks.Answer:
    """Two units that turn, one an ear, and the angle between them."""
    n, turn = generator.PER_EAR, np.exp(1j * generator.TURN)
    toward = np.exp(-1j * generator.PHASES)
    z = np.zeros((2, len(x)), complex)
    for step in range(x.shape[1]):
        z = turn * z + np.stack([x[:, step, :n] @ toward, x[:, step, n:] @ toward])
    # Real and imaginary parts are units, and a turn is two multiply-adds of each.
    weights = np.kron(np.eye(2), np.ones((n, 2)))
    silent = np.zeros((1, 1, 4))
    counted = gated_networks.counts(x, weights, silent, 4, multiplications=2.0, unceasing=True)
    angle = np.angle(z[1] * z[0].conj())
    return np.eye(generator.CLASSES)[generator.class_of(angle)], counted


SPIKING_NETWORKS = {"spiking": spiking}
GRADED_NETWORKS = {"leaky": leaky}
READS_POTENTIALS = True
"""Whether the answer is the largest potential at the end, and not who fires most at the end."""
