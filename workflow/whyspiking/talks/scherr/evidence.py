"""Evidence accumulation learned by e-prop or BPTT (README, sections 1-4).

`evidence_published` trains the same networks by the published recipe.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import brian_network, cue_sensitivity, kernel, learning, model
from whyspiking.talks.scherr import task as evidence_task
from whyspiking.talks.scherr.task import make_task
from whyspiking.talks.scherr.trials import Trials
from whyspiking.training.history import History

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

RULES = {"spiking": "symmetric", "random": "random", "bptt": "bptt", "lif_only": "symmetric"}
"""Variant -> rule of learning; `lif_only` has no adaptive neurons."""
ALIGNMENTS = ("alignment_symmetric", "alignment_random", "alignment_permuted")
CHECKED, CONFIRMED = "error_of_one_batch", "error_of_further_batches"
"""What the history calls the errors by which the published criterion is judged."""


def cell(params: ct.Params, variant: str) -> model.Cell:
    """Neurons and readout of a variant."""
    n_alif = 0 if variant == "lif_only" else params.n_alif
    return model.cell(params, params.n_lif + params.n_alif - n_alif, n_alif)


def initial(params: ct.Params, streams: Streams, n_out: int = 2) -> learning.Arrays:
    """Weights and fixed feedback before training (`model.initial`)."""
    n_rec = params.n_lif + params.n_alif
    return model.initial(streams, evidence_task.n_inputs(params), n_rec, n_out)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network for a fixed number of iterations, each on fresh trials.

    When the authors' script would have ended the training is noted, and decides nothing. Variants
    are those of `RULES`. Randomness: that of `learn`.
    """
    if variant not in RULES:
        raise unknown_variant(params.talk, params.experiment, variant)
    return learn(params, variant, RULES[variant], streams, progress)


def learn(
    params: ct.Params,
    variant: str,
    rule: str,
    streams: Streams,
    progress: ct.Progress,
    *,
    stop_at_criterion: bool = False,
) -> ct.Network:
    """Train one network on fresh trials.

    The learning rate falls linearly to zero over the last `decay_share` of the iterations.
    Randomness: "init", "data-train", "data-criterion", "data-validation", "alignment <iteration>".

    Args:
        params: Parameters of the experiment.
        variant: Variant; `lif_only` has no adaptive neurons.
        rule: Rule of learning.
        streams: Randomness.
        progress: Receives how far the training is.
        stop_at_criterion: Whether training ends when the authors' criterion is met, as in their
            script; alignment of gradients is then not measured, because no claim needs it.
    """
    neurons, train_rng, history = cell(params, variant), streams.rng("data-train"), History()
    criterion_rng = streams.rng("data-criterion")
    recipe = learning.Recipe(
        rule, params.iterations[variant], params.learning_rate, params.decay_share
    )
    measures_alignment = variant in ("spiking", "random") and not stop_at_criterion

    def check_and_align(iteration: int, arrays: dict[str, NDArray]) -> bool:
        check(params, neurons, arrays, criterion_rng, iteration, history)
        if measures_alignment and iteration % params.align_every == 0:
            history.note(iteration, **alignment(params, neurons, arrays, streams, iteration))
        return stop_at_criterion and bool(np.isfinite(iterations_to_criterion(params, history)))

    # Trials are fresh, so errors are those of weights that have not seen them.
    fitted = learning.fit(
        params, recipe, neurons, initial(params, streams),
        lambda _: evidence_task.draw(params, train_rng, params.batch),
        history, progress, changing=(train_rng, criterion_rng), end_before=check_and_align,
    )  # fmt: skip
    validation_trials = evidence_task.draw(
        params, streams.rng("data-validation"), params.n_validation
    )
    rates = cue_sensitivity.cue_rates(params, neurons, fitted.arrays, validation_trials)
    return ct.Network(
        arrays=fitted.arrays,
        info={
            "engine": "compiled",
            "variant": variant,
            "rule": recipe.rule,
            "epochs": fitted.iterations,
            "validation_error": wrong(neurons, fitted.arrays, validation_trials),
            "measures": {
                "iterations_to_criterion": iterations_to_criterion(params, history),
                "feedback_cue_correlation": cue_sensitivity.correlation(
                    fitted.arrays["feedback"], rates
                ),
                # M1: numbers that the rule holds for one batch, without weights and states.
                "learning_memory": float(fitted.floats_kept),
                # M3 averaged over training, where it was measured.
                **{name: history.mean(name) for name in ALIGNMENTS if history.values(name)},
            },
        },
        history=history.rows,
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run a network in the engine it was trained in."""
    trials = evidence_task.from_task(params, task)
    arrays = {name: x.astype(float) for name, x in network.arrays.items()}
    means = kernel.mean_outputs(cell(params, variant), arrays, trials)
    # A third readout, the value that `reward` learns, chooses nothing.
    return decided(params, means[:, :2].argmax(axis=1), task)


def decided(params: ct.Params, choices: NDArray, task: ct.Task) -> ct.Trials:
    """Make the decisions; the mean output over the recall is known when the trial ends."""
    return ct.Trials.of(task, choices, evidence_task.n_steps(params) * params.dt_ms)


def to_brian(params: ct.Params) -> BrianModel:
    """The structure that re-simulates the networks."""
    return brian_network.network(
        params,
        name="scherr_evidence",
        n_inputs=evidence_task.n_inputs(params),
        n_rec=params.n_lif + params.n_alif,
        n_out=2,
        n_steps=evidence_task.n_steps(params),
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure."""
    return brian_network.bind(cell(params, network.info["variant"]), network.arrays)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The decision from the mean output over the recall."""
    recall = round(params.recall_ms / params.dt_ms)
    outputs = recording.traces["output"][:, -recall:]
    return decided(params, outputs.mean(axis=1).argmax(axis=1), task)


def wrong(neurons: model.Cell, arrays: dict[str, NDArray], trials: Trials) -> float:
    """Compute the share of trials whose larger mean output over the recall is not the label."""
    return float(
        (kernel.mean_outputs(neurons, arrays, trials).argmax(axis=1) != trials.labels).mean()
    )


def check(
    params: ct.Params,
    neurons: model.Cell,
    arrays: dict[str, NDArray],
    criterion_rng: np.random.Generator,
    iteration: int,
    history: History,
) -> None:
    """Judge by the authors' criterion whether training might end, until it has been met once.

    Every `check_every` iterations the error of one fresh batch is taken. As long as the last one
    is below `stop_error`, `check_batches` more are drawn at every iteration; where their mean
    error is below it as well, the criterion is met (tutorial_evidence_accumulation_with_alif.py,
    lines 273-278 and 333-344, IGITUGraz/eligibility_propagation, efd02e6).

    Args:
        params: The numbers above, and `most_iterations`, after which nothing counts.
        neurons: Neurons and readout.
        arrays: Weights after so many iterations.
        criterion_rng: Randomness of the trials.
        iteration: How many.
        history: Gets the errors.
    """

    def error(batches: int) -> float:
        trials = evidence_task.draw(params, criterion_rng, batches * params.batch)
        return wrong(neurons, arrays, trials)

    if iteration >= min(params.most_iterations, iterations_to_criterion(params, history)):
        return
    if iteration % params.check_every == 0:
        history.note(iteration, **{CHECKED: error(1)})
    if iteration and history.values(CHECKED)[-1] < params.stop_error:
        history.note(iteration, **{CONFIRMED: error(params.check_batches)})


def iterations_to_criterion(params: ct.Params, history: History) -> float:
    """Iterations before the authors' criterion was met; infinite where it was not."""
    iterations_met = (
        row["epoch"]
        for row in history.rows
        if row["metric"] == CONFIRMED and row["value"] < params.stop_error
    )
    return float(next(iterations_met, np.inf))


def alignment(
    params: ct.Params,
    cell: model.Cell,
    arrays: dict[str, NDArray],
    streams: Streams,
    iteration: int,
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
    no_rate_cost = kernel.RateCost(0.0, 0.0)
    cosines: dict[str, list[float]] = {}
    for _ in range(params.align_batches):
        trials = evidence_task.draw(params, rng, params.batch)
        bptt_gradient = kernel.by_rule("bptt", cell, arrays, trials, no_rate_cost).w
        permuted = replace(trials, labels=rng.permutation(np.asarray(trials.labels)))
        compared = ((trials, "symmetric"), (trials, "random"), (permuted, "symmetric"))
        for metric, (batch, rule) in zip(ALIGNMENTS, compared, strict=True):
            gradient = kernel.by_rule(rule, cell, arrays, batch, no_rate_cost).w
            norms = np.linalg.norm(gradient) * np.linalg.norm(bptt_gradient)
            cosines.setdefault(metric, []).append(
                float((gradient * bptt_gradient).sum() / norms) if norms else 0.0
            )
    return {metric: float(np.mean(values)) for metric, values in cosines.items()}
