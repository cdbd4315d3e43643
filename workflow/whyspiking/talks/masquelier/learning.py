"""The rule of S4NN and its training, image by image (README, section 3).

Wanted times (Eq. 4)   the true class c: T_c = tau, the first output spike (Tmax - gamma if none
                       fires); others that fire before tau + gamma: T_o = min(tau + gamma, Tmax)
Errors (Eq. 5)         delta_o ~ (T_o - t_o) / Tmax; delta_j ~ sum_o delta_o [t_j < t_o] w_oj, with
                       the weights after their step; those of a layer are a vector of length 1
Weights (Eqs. 5, 6)    w_oj -= eta delta_o [t_j < t_o]; w -= eta lambda w

`s4nn.cpp` takes these steps, an epoch in one call; this module calls it.
"""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, script, task
from whyspiking.talks.masquelier.model import CODE_ORDER, as_arrays, neurons, published, strict
from whyspiking.talks.masquelier.network import Averaged, Diverged, Events, Rule, Weights
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History

LATE, NOTEBOOK, RELEASED = 10, 40, 38
"""Last epochs over which accuracy on test images is said to spread; epochs in S4NN.ipynb; epochs
of the network that the authors released, which its weights show (`script.provenance`)."""

log = logging.getLogger(__name__)


def generators(params: ct.Params, streams: Streams) -> list[np.random.Generator]:
    """Of initial and of redrawn weights; of `script_draws` both are the script's own stream."""
    if params.script_draws:
        return [script.stream()] * 2
    return [streams.rng("init"), streams.rng("reset")]


def initial_weights(params: ct.Params, rng: np.random.Generator) -> Weights:
    """Uniform weights between the published limits."""
    w_hidden = draw(params, rng, params.hidden_limit, params.n_input, params.n_hidden)
    w_output = draw(params, rng, params.output_limit, params.n_hidden, params.n_output)
    if params.script_draws:
        w_output = w_output[:, np.argsort(CODE_ORDER)]
    return np.ascontiguousarray(w_hidden), np.ascontiguousarray(w_output)


def draw(
    params: ct.Params, rng: np.random.Generator, limit: float, n_from: int, n: int
) -> NDArray[np.float64]:
    """Uniform weights into n neurons, (n_from, n); of `script_draws` neuron by neuron, as there."""
    if params.script_draws:
        return rng.uniform(0.0, limit, (n, n_from)).T
    return rng.uniform(0.0, limit, (n_from, n))


def margin(params: ct.Params, epoch: int) -> int:
    """Gamma in ticks of one epoch, counted from 1: it grows evenly from `gamma_start` to `gamma`.

    A wide margin makes every image an error of an untrained network, which it may not survive.
    """
    share = min(1.0, (epoch - 1) / params.gamma_epochs)
    return round(params.gamma_start + share * (params.gamma - params.gamma_start))


def rule(params: ct.Params, epoch: int) -> Rule:
    """The constants of the rule in one epoch."""
    return Rule(
        margin(params, epoch),
        float(params.learning_rate),
        float(params.decay),
        bool(params.count_whole),
        int(params.frozen_layers),
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network and keep its last epoch, or the one that is best on validation images.

    What is kept are the running means of the weights, or, without `average_rate`, the weights.
    Where the last epoch is kept nothing is held out of the training file. Randomness: "init",
    "shuffle", "reset". Validation images are scored by the readout of the experiment. With
    `follow_test` every epoch is scored on the test images as S4NN.py does (lines 182-202); these
    scores are noted and choose nothing: the network kept is the same.

    Returns:
        The network; of `follow_test`, what `followed` tells is under `info["measures"]`.

    Raises:
        UserError: If the weights are no numbers any more before any epoch was good.
    """
    images, targets = task.samples(params, "train")
    events = task.events(params, images)
    held_out = _scored(params, "validation") if task.n_held_out(params) else None
    test = _scored(params, "test") if params.follow_test else None
    init, redraw = generators(params, streams)
    weights = initial_weights(params, init)
    averaged = _running_mean(params, weights)
    means = averaged.weights if averaged else ()
    shuffle = streams.rng("shuffle")
    order, history = np.arange(len(targets)), History()
    # The epoch is chosen by the score that the test images will get.
    score = "validation_ties_as_hits" if params.ties == "hits" else "validation_accuracy"
    best, stopped = SimpleNamespace(weights=None, values={score: -1.0}), ""
    kept = Checkpoint(*weights, *means, best, shuffle, redraw, history)
    for epoch in kept.rounds(range(1, params.epochs + 1), progress):
        began = time.process_time()
        if params.shuffle:
            order = shuffle.permutation(len(targets))
        try:
            fired, hits, changed = compiled.train_epoch(
                events, targets, order, weights, averaged, neurons(params), rule(params, epoch)
            )
        except Diverged as reason:
            stopped = f"epoch {epoch}, image {reason.image}"
            break
        seconds = time.process_time() - began
        current = means or weights
        values = validate(params, current, *held_out) if held_out else {}
        values |= {"train_accuracy": hits / len(order), "changed": changed / len(order)}
        silent = fired < params.reset_share * len(order)
        values["dead"] = float(silent.mean())
        history.note(epoch, **values, epoch_seconds=seconds)
        if test:
            as_published = validate(params, current, *test)["validation_ties_as_hits"]
            history.note(epoch, test_accuracy=as_published)
        if not held_out or values[score] > best.values[score]:
            best.weights = _copy(current)
            best.values = {**values, "epoch": epoch}
        # After validation, as in the published code: a fresh neuron fires early and disturbs.
        if epoch <= params.reset_until * params.epochs:
            reset(params, weights, silent, redraw)
        split = "validation" if held_out else "train"
        reached = values[f"{split}_accuracy"]
        progress(epoch / params.epochs, f"epoch {epoch}: {split} {reached:.4f}")
    return _network(params, best.weights, best.values, history, stopped)


def _network(
    params: ct.Params, kept: Weights | None, best: dict, history: History, stopped: str
) -> ct.Network:
    """The network of the kept epoch, whose measures are `best`; `stopped`: where training ended."""
    if kept is None:
        raise UserError(
            f"Training diverged in {stopped} (talk '{params.talk}', experiment "
            f"'{params.experiment}'): the weights are NaN. Lower 'learning_rate' in talk.yaml."
        )
    if stopped:
        log.warning(
            "Training diverged in %s: the weights are NaN. The network of epoch %d is kept.",
            stopped,
            best["epoch"],
        )
    return ct.Network(
        arrays=as_arrays(kept),
        info={
            **history.info(compiled.NAME),
            "kept_epoch": int(best["epoch"]),
            "stopped": stopped,
            **{key: float(value) for key, value in best.items() if key.startswith("validation")},
            "parameters": int(sum(w.size for w in kept)),
            "measures": followed(history),
        },
        history=history.rows,
    )


def followed(history: History) -> dict[str, float]:
    """Accuracies on test images: best of all epochs and of the first 40, epoch 38, late spread.

    Empty where they were not followed. A training that ended before epoch 38 has no accuracy there.
    """
    scores = history.values("test_accuracy")
    if not scores:
        return {}
    at_released = {"accuracy_test_38": scores[RELEASED - 1]} if len(scores) >= RELEASED else {}
    return {
        **at_released,
        "accuracy_best_test": max(scores),
        "accuracy_best_test_40": max(scores[:NOTEBOOK]),
        "accuracy_late_spread": float(np.std(scores[-LATE:], ddof=min(1, len(scores) - 1))),
    }


def _running_mean(params: ct.Params, weights: Weights) -> Averaged | None:
    """The running mean of the weights before training, if the recipe has one."""
    if not params.average_rate:
        return None
    return Averaged(_copy(weights), float(params.average_rate), int(params.average_every))


def _copy(weights: Weights) -> Weights:
    """Copy the weights of both layers."""
    w_hidden, w_output = weights
    return w_hidden.copy(), w_output.copy()


def _scored(params: ct.Params, split: ct.Split) -> tuple[Events, NDArray]:
    """Spikes and classes of the images of a split."""
    values, classes = task.samples(params, split)
    return task.events(params, values), classes


def validate(
    params: ct.Params, weights: Weights, events: Events, classes: NDArray
) -> dict[str, float]:
    """Accuracy by both readout rules, and the mean tick of the decision.

    Args:
        params: Parameters of the experiment.
        weights: Both layers.
        events: Spikes of the images.
        classes: Their classes, (image,).
    """
    firing = compiled.forward(events, weights, neurons(params), whole=False)
    chosen = strict(firing.output, firing.potential)
    scored = published(firing.output, firing.potential, classes, params.t_max)
    return {
        "validation_accuracy": float((chosen == classes).mean()),
        "validation_ties_as_hits": float((scored == classes).mean()),
        "decision_tick": float(firing.output.min(axis=1).mean()),
    }


def reset(params: ct.Params, weights: Weights, silent: NDArray, rng: np.random.Generator) -> None:
    """Draw the weights of silent hidden neurons anew, in place; of `reset_output` the outgoing too.

    The published code leaves outgoing weights. Running means move to the new weights as those of
    all others do: gradually.

    Args:
        params: Parameters of the experiment.
        weights: Both layers; changed.
        silent: Which neurons, (hidden,).
        rng: Source of the new weights.
    """
    n = int(silent.sum())
    if not n:
        return
    w_hidden, w_output = weights
    w_hidden[:, silent] = draw(params, rng, params.hidden_limit, len(w_hidden), n)
    if params.reset_output:
        w_output[silent] = rng.uniform(0.0, params.output_limit, (n, w_output.shape[1]))
