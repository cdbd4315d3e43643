"""The rule: e-prop written down step by step, and training with the gradients of `kernel`.

E-prop multiplies what a synapse keeps, its eligibility (Eqs. 6-8), by the learning signal that its
neuron receives, and adds the products up over the trial (Eq. 9). `eligibilities` is that recursion
as one would write it down; `kernel.eprop` gives the same sums without a loop over synapses and
steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.scherr import kernel, model
from whyspiking.talks.scherr.adam import Adam
from whyspiking.talks.scherr.trials import Trials, to_raster
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History

Arrays = dict[str, NDArray]
WINDOW = 10
"""Batches of the running mean that is reported while a network learns."""


def eligibilities(
    cell: model.Cell, weights: model.Weights, trial: Trials, pre: NDArray, post: NDArray
) -> tuple[NDArray, NDArray]:
    """Eligibility e of some synapses in one trial, and F, its filter by the readout (Eqs. 4-8).

    Args:
        cell: Neurons and readout.
        weights: Weights.
        trial: One trial.
        pre: Source of each synapse (inputs first), (synapse,).
        post: Neuron of each, (synapse,).

    Returns:
        e and F, (step, synapse).
    """
    run = kernel.forward(cell, weights, trial, spikes=True, states=True)
    assert run.potentials is not None and run.adaptations is not None
    v_minus_threshold = run.potentials[0] - (cell.v_th + cell.beta * run.adaptations[0])
    spikes = np.zeros(v_minus_threshold.shape)
    spikes[run.spikes[:, 1], run.spikes[:, 2]] = 1
    sources = np.hstack([to_raster(trial)[0], spikes])
    steps_since_spike = np.full(len(cell.beta), np.inf)
    eps_v, eps_a, filtered = np.zeros((3, len(pre)))
    traces = np.zeros((2, trial.n_steps, len(pre)))
    for t in range(trial.n_steps):
        if t:
            eps_v = cell.alpha * eps_v + cell.gain * sources[t - 1, pre]  # Eq. 6
        steps_since_spike += 1
        pseudo_height = np.maximum(0, 1 - np.abs(v_minus_threshold[t]) / cell.v_th)
        psi = (
            cell.gamma
            / cell.v_th
            * np.where(steps_since_spike >= cell.refractory, pseudo_height, 0.0)
        )  # Eq. 4
        steps_since_spike[spikes[t] > 0] = 0
        slope = psi[post]
        eligibility = slope * (eps_v - cell.beta[post] * eps_a)  # Eq. 7
        eps_a = slope * eps_v + (cell.rho - slope * cell.beta[post]) * eps_a
        filtered = cell.kappa * filtered + (1 - cell.kappa) * eligibility  # Eq. 8
        traces[:, t] = eligibility, filtered
    return traces[0], traces[1]


@dataclass(frozen=True)
class Recipe:
    """How a network learns.

    Attributes:
        rule: "symmetric" or "random" e-prop, or "bptt".
        iterations: Number of batches.
        rate: Learning rate of Adam.
        decay_share: Last part of the iterations, in which the rate falls linearly to zero; 0: the
            rate is constant.
        note_every: Iterations between rows of the history.
    """

    rule: str
    iterations: int
    rate: float
    decay_share: float
    note_every: int = 1

    def rate_at(self, iteration: int) -> float:
        """Return the learning rate of an iteration."""
        if self.decay_share == 0:
            return self.rate
        n = self.iterations
        return self.rate * min(1.0, (n - iteration) / (self.decay_share * n))


@dataclass(frozen=True)
class Fitted:
    """What training gave.

    Attributes:
        arrays: w, w_out and feedback.
        floats_kept: M1, numbers that the rule held in memory for one batch.
        iterations: Number of iterations until training ended.
    """

    arrays: Arrays
    floats_kept: int
    iterations: int


def fit(
    params: ct.Params,
    recipe: Recipe,
    neurons: model.Cell,
    arrays: Arrays,
    draw: Callable[[int], Trials],
    history: History,
    progress: ct.Progress,
    *,
    changing: tuple[Any, ...] = (),
    end_before: Callable[[int, Arrays], bool] = lambda iteration, arrays: False,
    gradient: Callable[[Arrays, Trials], kernel.Gradient] | None = None,
) -> Fitted:
    """Train a network for the iterations of its recipe, or until `end_before` ends it.

    Args:
        params: `dt_ms`, and the cost of rates.
        recipe: How.
        neurons: Neurons and readout.
        arrays: Weights and feedback to begin with.
        draw: The batch of an iteration; none is shown twice within a pass over the data, so the
            error of a batch is that of weights that have not learned from it in this pass.
        history: Gets loss, error and rate.
        progress: Called every ten iterations.
        changing: What `draw` changes in place, for the checkpoint.
        end_before: Called before every iteration with the weights; true ends the training there.
        gradient: That of a batch, in place of the rule's own from labels or targets.
    """
    cost, adam, n = kernel.RateCost.of(params), Adam(), recipe.iterations
    errors: list[float] = []
    # In the checkpoint, because a training that goes on may end before its next batch.
    memory = SimpleNamespace(floats=0)
    checkpoint = Checkpoint(*changing, arrays, errors, adam, history, memory)
    for iteration in checkpoint.rounds(range(n), progress):
        if end_before(iteration, arrays):
            progress(1.0, f"training ends after {iteration} of at most {n} iterations")
            break
        trials = draw(iteration)
        if gradient:
            batch = gradient(arrays, trials)
        else:
            batch = kernel.by_rule(recipe.rule, neurons, arrays, trials, cost)
        memory.floats = batch.floats_kept
        batch.require_finite(f"at iteration {iteration + 1}", recipe.rate)
        gradients = {"w": batch.w, "w_out": batch.w_out}
        steps = adam.updates(gradients, recipe.rate_at(iteration))
        errors.append(float((batch.outputs.argmax(axis=1) != trials.labels).mean()))
        for name, step in steps.items():
            arrays[name] = arrays[name] + step
        if (iteration + 1) % recipe.note_every == 0:
            history.note(
                iteration + 1,
                train_loss=batch.loss,
                train_error=float(np.mean(errors[-recipe.note_every :])),
                rate_hz=1000 * batch.rates.mean() / params.dt_ms,
            )
        if iteration % 10 == 9 or iteration + 1 == n:
            mean = np.mean(errors[-WINDOW:])
            progress((iteration + 1) / n, f"iteration {iteration + 1}: error {mean:.3f}")
    return Fitted(arrays, memory.floats, len(errors))
