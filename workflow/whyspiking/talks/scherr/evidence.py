"""Training on evidence accumulation by e-prop or BPTT (README, sections 2-5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    BrianModel,
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Task,
    Trials,
)
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import brian_network, evidence_task, kernel
from whyspiking.talks.scherr.adam import Adam
from whyspiking.talks.scherr.evidence_task import make_task
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

RULES = {"spiking": "symmetric", "random": "random", "bptt": "bptt", "lif_only": "symmetric"}
"""Variant -> rule of learning; `lif_only` has no adaptive neurons."""
LSTM = "lstm"
ENGINE = "compiled"
ALIGNED = ("spiking", "random")
"""Variants during whose training the alignment with BPTT is measured."""
ALIGNMENTS = ("alignment_symmetric", "alignment_random", "alignment_permuted")
WINDOW = 10
"""Batches of the running mean that tells when an error was first reached."""


def cell(params: Params, variant: str) -> kernel.Cell:
    """Neurons and readout of a variant."""
    dt = params.dt_ms
    alpha, rho = np.exp(-dt / params.tau_m), np.exp(-dt / params.tau_a)
    # The heuristic of the authors' code: a spike raises the threshold by about the share of
    # beta that an equally strong input leaves behind.
    step = params.beta * (1 - rho) / (1 - alpha)
    beta = np.repeat([0.0, step], [params.n_lif, params.n_alif])
    if variant == "lif_only":
        beta[:] = 0.0
    return kernel.Cell(
        alpha=float(alpha),
        rho=float(rho),
        kappa=float(np.exp(-dt / params.tau_out)),
        v_th=params.v_th,
        gamma=params.gamma,
        refractory=round(params.refractory_ms / dt),
        beta=beta,
    )


def initial(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Weights and fixed feedback before training, float32, without autapses.

    Source weights are ~ N(0, 1 / number of sources of a kind), the readout's uniform (Glorot &
    Bengio 2010), the feedback's ~ N(0, 1).
    """
    rng = streams.rng("init")
    n_in, n_rec, n_out = evidence_task.n_inputs(params), params.n_lif + params.n_alif, 2
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


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one network for a fixed number of iterations, each on fresh trials.

    The learning rate falls linearly to zero over the last `decay_share` of the iterations. Variants
    are those of `RULES`, and "lstm" (see `lstm.train`). Randomness: "init", "data-train",
    "data-validation", "alignment <iteration>".
    """
    if variant == LSTM:
        from whyspiking.talks.scherr import lstm

        return lstm.train(params, streams, progress)
    if variant not in RULES:
        raise unknown_variant(params.talk, params.experiment, variant)
    neurons, cost, rule = cell(params, variant), kernel.RateCost.of(params), RULES[variant]
    arrays = initial(params, streams)
    data, adam = streams.rng("data-train"), Adam()
    n_iterations = params.iterations[variant]
    history = History()
    errors: list[float] = []
    floats = 0
    kept = Checkpoint(data, adam, history)
    left, (arrays, errors) = kept.resume(range(n_iterations), (arrays, errors), progress)
    for iteration in left:
        kept.keep(iteration, (arrays, errors))
        if variant in ALIGNED and iteration % params.align_every == 0:
            history.note(iteration, **alignment(params, neurons, arrays, streams, iteration))
        trials = evidence_task.draw(params, data, params.batch)
        found = kernel.by_rule(rule, neurons, arrays, trials, cost)
        floats = found.floats_kept
        found.require_finite(f"at iteration {iteration + 1}", params.learning_rate)
        left = (n_iterations - iteration) / (params.decay_share * n_iterations)
        steps = adam.updates(
            {"w": found.w, "w_out": found.w_out}, params.learning_rate * min(1.0, left)
        )
        # These trials are fresh, so this is the error of the weights before their update.
        errors.append(float((found.outputs.argmax(axis=1) != trials.labels).mean()))
        for name, step in steps.items():
            arrays[name] = arrays[name] + step
        rate_hz = 1000 * found.rates.mean() / params.dt_ms
        history.note(iteration + 1, train_loss=found.loss, train_error=errors[-1], rate_hz=rate_hz)
        if iteration % 10 == 9 or iteration + 1 == n_iterations:
            mean = np.mean(errors[-WINDOW:])
            progress((iteration + 1) / n_iterations, f"iteration {iteration + 1}: error {mean:.3f}")
    held_out = evidence_task.draw(params, streams.rng("data-validation"), params.n_validation)
    return Network(
        arrays=arrays,
        info={
            "engine": ENGINE,
            "variant": variant,
            "rule": rule,
            "epochs": n_iterations,
            "validation_error": 1 - accuracy(neurons, arrays, held_out),
            "measures": {
                "iterations_to_10_percent": first_below(errors, 0.10),
                # M1: what the rule holds in memory for one batch, beside weights and neurons.
                "learning_memory": float(floats),
                # M3 averaged over training, where it was measured.
                **{name: history.mean(name) for name in ALIGNMENTS if history.values(name)},
            },
        },
        history=history.rows,
    )


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    given = evidence_task.from_task(params, task)
    if variant == LSTM:
        from whyspiking.talks.scherr import lstm

        features = evidence_task.binned(params, given)
        choices = lstm.choose(network.arrays, features, lstm.first_bin(params))
        return decided(params, choices, task)
    arrays = {name: x.astype(float) for name, x in network.arrays.items()}
    return decided(params, logits(cell(params, variant), arrays, given).argmax(axis=1), task)


def decided(params: Params, choices: NDArray, task: Task) -> Trials:
    """The choice is the mean output over the recall, so it stands when the trial ends."""
    return Trials.of(task, choices, evidence_task.n_steps(params) * params.dt_ms)


def to_brian(params: Params) -> BrianModel:
    """The structure that re-simulates the networks."""
    return brian_network.brian_model(
        params,
        name="scherr_evidence",
        n_inputs=evidence_task.n_inputs(params),
        n_rec=params.n_lif + params.n_alif,
        n_out=2,
        n_steps=evidence_task.n_steps(params),
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure."""
    return brian_network.bind(cell(params, network.info["variant"]), network.arrays)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """The decision from the mean output over the recall."""
    recall = round(params.recall_ms / params.dt_ms)
    outputs = recording.traces["output"][:, -recall:]
    return decided(params, outputs.mean(axis=1).argmax(axis=1), task)


def first_below(errors: list[float], level: float) -> float:
    """First iteration at which the mean error of the last `WINDOW` batches is below a level.

    Infinite if it never is.
    """
    means = np.convolve(errors, np.ones(WINDOW) / WINDOW, "valid")
    below = np.flatnonzero(means < level)
    return float(below[0] + WINDOW) if below.size else float("inf")


def logits(
    cell: kernel.Cell, arrays: dict[str, NDArray], trials: kernel.Trials, piece: int = 64
) -> NDArray:
    """Mean output over the recall, (trial, class)."""
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


def accuracy(cell: kernel.Cell, arrays: dict[str, NDArray], trials: kernel.Trials) -> float:
    """Share of trials whose label has the larger mean output over the recall."""
    return float((logits(cell, arrays, trials).argmax(axis=1) == trials.labels).mean())


def alignment(
    params: Params, cell: kernel.Cell, arrays: dict[str, NDArray], streams: Streams, iteration: int
) -> dict[str, float]:
    """M3: cosine of the gradient of each form of e-prop with that of BPTT, mean over batches.

    The null is the symmetric rule with the labels of the batch permuted. The rate cost is left
    out: it is the same for both.

    Args:
        params: `align_batches` of `batch` trials.
        cell: Neurons and readout.
        arrays: Weights and feedback.
        streams: Randomness "alignment <iteration>".
        iteration: When.
    """
    rng = streams.rng(f"alignment {iteration}")
    no_cost = kernel.RateCost(0.0, 0.0)
    cosines: dict[str, list[float]] = {}
    for _ in range(params.align_batches):
        trials = evidence_task.draw(params, rng, params.batch)
        true = kernel.by_rule("bptt", cell, arrays, trials, no_cost).w
        permuted = evidence_task.with_labels(trials, rng.permutation(np.asarray(trials.labels)))
        wanted = ((trials, "symmetric"), (trials, "random"), (permuted, "symmetric"))
        for metric, (batch, rule) in zip(ALIGNMENTS, wanted, strict=True):
            ours = kernel.by_rule(rule, cell, arrays, batch, no_cost).w
            scale = np.linalg.norm(ours) * np.linalg.norm(true)
            cosines.setdefault(metric, []).append(
                float((ours * true).sum() / scale) if scale else 0.0
            )
    return {metric: float(np.mean(values)) for metric, values in cosines.items()}
