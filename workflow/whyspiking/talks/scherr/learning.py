"""Networks that choose a class: how they begin, learn by e-prop or BPTT, and are read out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params, Progress
from whyspiking.talks.scherr import kernel
from whyspiking.talks.scherr.adam import Adam
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History

Arrays = dict[str, NDArray]
WINDOW = 10
"""Batches of the running mean that is told while a network learns."""


@dataclass(frozen=True)
class Recipe:
    """How a network learns.

    Attributes:
        rule: "symmetric" or "random" e-prop, or "bptt".
        iterations: Number of batches.
        rate: Learning rate of Adam.
        decay_share: Last part of the iterations, in which the rate falls linearly to zero.
        note_every: Iterations between rows of the history.
    """

    rule: str
    iterations: int
    rate: float
    decay_share: float
    note_every: int = 1


@dataclass(frozen=True)
class Fitted:
    """What training gave.

    Attributes:
        arrays: w, w_out and feedback.
        errors: Share of wrong choices of every batch before it was learned from, (iteration,).
        floats_kept: M1, numbers that the rule held in memory for one batch.
    """

    arrays: Arrays
    errors: list[float]
    floats_kept: int


def cell(params: Params, n_lif: int, n_alif: int) -> kernel.Cell:
    """Neurons and readout: first those without adaptation, then those with it."""
    dt = params.dt_ms
    alpha, rho = np.exp(-dt / params.tau_m), np.exp(-dt / params.tau_a)
    # The heuristic of the authors' code: a spike raises the threshold by about the share of
    # beta that an equally strong input leaves behind.
    step = params.beta * (1 - rho) / (1 - alpha)
    return kernel.Cell(
        alpha=float(alpha),
        rho=float(rho),
        kappa=float(np.exp(-dt / params.tau_out)),
        v_th=params.v_th,
        gamma=params.gamma,
        refractory=round(params.refractory_ms / dt),
        beta=np.repeat([0.0, step], [n_lif, n_alif]),
    )


def initial(streams: Streams, n_in: int, n_rec: int, n_out: int) -> Arrays:
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
    w_in = rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_rec))
    w_rec = rng.normal(0, 1 / np.sqrt(n_rec), (n_rec, n_rec))
    np.fill_diagonal(w_rec, 0.0)
    limit = np.sqrt(6 / (n_rec + n_out))
    arrays = {
        "w": np.concatenate([w_in, w_rec]),
        "w_out": rng.uniform(-limit, limit, (n_rec, n_out)),
        "feedback": rng.normal(0, 1, (n_rec, n_out)),
    }
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def fit(
    params: Params,
    recipe: Recipe,
    neurons: kernel.Cell,
    arrays: Arrays,
    draw: Callable[[int], kernel.Trials],
    history: History,
    progress: Progress,
    *,
    changing: tuple[Any, ...] = (),
    before: Callable[[int, Arrays], None] = lambda iteration, arrays: None,
    gradient: Callable[[Arrays, kernel.Trials], kernel.Gradient] | None = None,
) -> Fitted:
    """Train a network for a fixed number of iterations.

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
        before: Called before every iteration with the weights.
        gradient: That of a batch, in place of the rule's own from labels or targets.
    """
    cost, adam, n = kernel.RateCost.of(params), Adam(), recipe.iterations
    errors: list[float] = []
    floats = 0
    kept = Checkpoint(*changing, adam, history)
    left, (arrays, errors) = kept.resume(range(n), (arrays, errors), progress)
    for iteration in left:
        kept.keep(iteration, (arrays, errors))
        before(iteration, arrays)
        trials = draw(iteration)
        found = (
            gradient(arrays, trials)
            if gradient
            else kernel.by_rule(recipe.rule, neurons, arrays, trials, cost)
        )
        floats = found.floats_kept
        found.require_finite(f"at iteration {iteration + 1}", recipe.rate)
        share = min(1.0, (n - iteration) / (recipe.decay_share * n))
        steps = adam.updates({"w": found.w, "w_out": found.w_out}, recipe.rate * share)
        errors.append(float((found.outputs.argmax(axis=1) != trials.labels).mean()))
        for name, step in steps.items():
            arrays[name] = arrays[name] + step
        if (iteration + 1) % recipe.note_every == 0:
            history.note(
                iteration + 1,
                train_loss=found.loss,
                train_error=float(np.mean(errors[-recipe.note_every :])),
                rate_hz=1000 * found.rates.mean() / params.dt_ms,
            )
        if iteration % 10 == 9 or iteration + 1 == n:
            mean = np.mean(errors[-WINDOW:])
            progress((iteration + 1) / n, f"iteration {iteration + 1}: error {mean:.3f}")
    return Fitted(arrays, errors, floats)


def logits(
    cell: kernel.Cell, arrays: Arrays, trials: kernel.Trials, piece: int = 64
) -> NDArray[np.float64]:
    """Mean output over the steps that count, (trial, class)."""
    weights = kernel.Weights(arrays["w"], arrays["w_out"])
    return np.concatenate(
        [
            kernel.forward(cell, weights, part).outputs[:, trials.first_step :].mean(axis=1)
            for part in pieces(trials, piece)
        ]
    )


def pieces(trials: kernel.Trials, size: int) -> list[kernel.Trials]:
    """The trials in pieces, so that outputs of every step need not be kept for all."""
    found = []
    for start in range(0, trials.n_trials, size):
        bounds = trials.starts[start : start + size + 1]
        low, high = bounds[0], bounds[-1]
        found.append(
            kernel.Trials(
                bounds - low, trials.steps[low:high], trials.channels[low:high],
                trials.n_inputs, trials.n_steps,
                None if trials.labels is None else trials.labels[start : start + size],
                None, trials.first_step,
            )
        )  # fmt: skip
    return found


def accuracy(cell: kernel.Cell, arrays: Arrays, trials: kernel.Trials) -> float:
    """Share of trials whose label has the largest mean output over the steps that count."""
    return float((logits(cell, arrays, trials).argmax(axis=1) == trials.labels).mean())
