"""E-prop step by step, as one would write it down (README, Eqs. 6-9): for tests and figures.

`kernel.eprop` gives the same sums without a loop over synapses and steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.talks.scherr import kernel
from whyspiking.talks.scherr.reference import dense


@dataclass(frozen=True)
class Course:
    """One trial, seen by the learning rule.

    Attributes:
        psi: Pseudo-derivative, (step, neuron).
        eps_v: Presynaptic trace of every source, inputs first, (step, source).
        eligibility: e of the chosen synapses, (step, synapse).
        filtered: The same after the filter of the readout, (step, synapse).
    """

    psi: NDArray
    eps_v: NDArray
    eligibility: NDArray
    filtered: NDArray


def course(
    cell: kernel.Cell, weights: kernel.Weights, trial: kernel.Trials, pre: NDArray, post: NDArray
) -> Course:
    """Run one trial and follow the eligibility of some synapses.

    Args:
        cell: Neurons and readout.
        weights: Weights.
        trial: One trial.
        pre: Source of each synapse (inputs first), (synapse,).
        post: Neuron of each, (synapse,).
    """
    run = kernel.forward(cell, weights, trial, spikes=True, states=True)
    assert run.potentials is not None
    assert run.adaptations is not None
    n_rec, n_steps = cell.beta.size, trial.n_steps
    spikes = np.zeros((n_steps, n_rec))
    spikes[run.spikes[:, 1], run.spikes[:, 2]] = 1
    sources = np.hstack([dense(trial)[0], spikes])
    above = run.potentials[0] - (cell.v_th + cell.beta * run.adaptations[0])
    # No derivative while a neuron is refractory.
    since = np.full(n_rec, np.inf)
    psi = np.empty((n_steps, n_rec))
    for t in range(n_steps):
        since += 1
        height = np.maximum(0, 1 - np.abs(above[t]) / cell.v_th)
        psi[t] = cell.gamma / cell.v_th * np.where(since >= cell.refractory, height, 0.0)
        since[spikes[t] > 0] = 0
    eps_v = np.zeros(sources.shape)
    eps_a = np.zeros(len(pre))
    eligibility, filtered = np.zeros((n_steps, len(pre))), np.zeros((n_steps, len(pre)))
    for t in range(n_steps):
        if t:
            eps_v[t] = cell.alpha * eps_v[t - 1] + cell.gain * sources[t - 1]
        slope, trace = psi[t, post], eps_v[t, pre]
        eligibility[t] = slope * (trace - cell.beta[post] * eps_a)
        eps_a = slope * trace + (cell.rho - slope * cell.beta[post]) * eps_a
        before = filtered[t - 1] if t else 0.0
        filtered[t] = cell.kappa * before + (1 - cell.kappa) * eligibility[t]
    return Course(psi, eps_v, eligibility, filtered)
