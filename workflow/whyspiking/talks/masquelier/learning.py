"""Training with the online rule of S4NN (README, Eqs. 4 to 6), image by image."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled, task
from whyspiking.talks.masquelier.model import as_arrays, neurons, published, sizes, strict
from whyspiking.talks.masquelier.network import Averaged, Diverged, Events, Rule, Weights, of_layers
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History

RECIPES: dict[str, dict[str, Any]] = {
    "spiking": {},
    "gamma3": {"gamma": "published_gamma", "gamma_start": "published_gamma"},
    "no_average": {"average_rate": None},
    "first_frozen": {"frozen_layers": 1},
    "published": {
        "gamma": "published_gamma",
        "gamma_start": "published_gamma",
        "learning_rate": "published_rate",
        "decay": "published_decay",
        "average_rate": None,
        "shuffle": False,
        "reset_until": 1.0,
        "reset_output": False,
        "count_whole": True,
        "precision": "published_precision",
    },
}
"""Variant -> settings that differ from the parameters; a name stands for another parameter."""

SETTINGS = (
    "gamma", "gamma_start", "learning_rate", "decay", "average_rate", "shuffle", "reset_until",
    "reset_output", "count_whole", "precision", "frozen_layers",
)  # fmt: skip
PRECISIONS = ("float32", "float64")

log = logging.getLogger(__name__)


def initial_weights(params: Params, precision: str, streams: Streams) -> Weights:
    """Uniform weights from zero to the published limits.

    Args:
        params: Parameters of the experiment.
        precision: That of the weights and of all that is computed with them, see `PRECISIONS`.
        streams: Randomness: "init".

    Raises:
        UserError: If there is no such precision.
    """
    if precision not in PRECISIONS:
        raise UserError(
            f"talk '{params.talk}': parameter 'precision' is {precision!r}; expected "
            + " or ".join(PRECISIONS)
        )
    rng = streams.rng("init")
    wide = [params.n_input, *sizes(params).values()]
    shapes = zip(limits(params), wide, wide[1:], strict=False)
    drawn = [rng.uniform(*bounds, (n_from, n)) for bounds, n_from, n in shapes]
    return tuple(w.astype(precision) for w in drawn)


def limits(params: Params) -> list[tuple[float, float]]:
    """Smallest and largest initial weight of every layer."""
    further = [tuple(params.further_limits)] * len(params.more_hidden)
    return [(params.hidden_low, params.hidden_limit), *further, (0, params.output_limit)]


def recipe(params: Params, variant: str) -> dict[str, Any]:
    """The settings of one variant.

    Raises:
        UserError: If there is no such variant.
    """
    if variant not in RECIPES:
        raise UserError(
            f"talk '{params.talk}': variant '{variant}' is not known; expected one of "
            f"{', '.join(RECIPES)}"
        )
    settings = {name: getattr(params, name) for name in SETTINGS}
    for name, value in RECIPES[variant].items():
        settings[name] = getattr(params, value) if isinstance(value, str) else value
    return settings


def margin(params: Params, how: Mapping[str, Any], epoch: int) -> int:
    """Gamma of one epoch, counted from 1: it grows evenly from `gamma_start` to `gamma`.

    A wide margin makes every image an error of an untrained network, which it may not survive.
    """
    share = min(1.0, (epoch - 1) / params.gamma_epochs)
    return round(how["gamma_start"] + share * (how["gamma"] - how["gamma_start"]))


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one network and keep its last epoch, or the one that is best on validation images.

    What is kept are the running means of the weights, or, where the variant has none, the weights.
    Where the last epoch is kept nothing is held out of the training file.

    Variants are those of `RECIPES`. Randomness: "init", "shuffle", "reset".

    Raises:
        UserError: If the weights are no numbers any more before any epoch was good.
    """
    how = recipe(params, variant)
    shown, targets = task.samples(params, "train")
    events = task.events(params, shown)
    held_out = _held_out(params)
    weights = initial_weights(params, how["precision"], streams)
    averaged, means = None, ()
    if how["average_rate"]:
        means: Any = tuple(w.copy() for w in weights)
        averaged = Averaged(means, float(how["average_rate"]), int(params.average_every))
    shuffle, redraw = streams.rng("shuffle"), streams.rng("reset")
    order = np.arange(len(targets))
    history, kept, best = History(), None, {"validation_accuracy": -1.0, "epoch": 0}
    stopped = ""
    going = Checkpoint(*weights, *means, shuffle, redraw, history)
    epochs, (kept, best) = going.resume(range(1, params.epochs + 1), (kept, best), progress)
    for epoch in epochs:
        going.keep(epoch, (kept, best))
        began = time.process_time()
        rule = Rule(
            margin(params, how, epoch),
            float(how["learning_rate"]),
            float(how["decay"]),
            bool(how["count_whole"]),
            int(how["frozen_layers"]),
        )
        if how["shuffle"]:
            order = shuffle.permutation(len(targets))
        try:
            fired, hits, changed = compiled.train_epoch(
                events, targets, order, weights, averaged, neurons(params), rule
            )
        except Diverged as reason:
            stopped = f"epoch {epoch}, image {reason.image}"
            break
        seconds = time.process_time() - began
        current = averaged.weights if averaged else weights
        found = validate(params, current, *held_out) if held_out else {}
        found |= {"train_accuracy": hits / len(order), "changed": changed / len(order)}
        silent = fired < params.reset_share * len(order)
        found["dead"] = float(silent.mean())
        history.note(epoch, **found, epoch_seconds=seconds)
        if not held_out or found["validation_accuracy"] > best["validation_accuracy"]:
            kept, best = tuple(w.copy() for w in current), {**found, "epoch": epoch}
        # After validation, as in the published code: a fresh neuron fires early and disturbs.
        if epoch <= how["reset_until"] * params.epochs:
            reset(params, weights, silent, redraw, output=how["reset_output"])
        told = "validation_accuracy" if held_out else "train_accuracy"
        progress(epoch / params.epochs, f"epoch {epoch}: {told.split('_')[0]} {found[told]:.4f}")
    if kept is None:
        raise UserError(
            f"talk '{params.talk}': weights of variant '{variant}' are no numbers any more in "
            f"{stopped}, before there was a network to keep; lower 'learning_rate' in talk.yaml"
        )
    if stopped:
        log.warning(
            "weights are no numbers any more in %s; the network of epoch %d is kept",
            stopped,
            best["epoch"],
        )
    return Network(
        arrays=as_arrays(kept),
        info={
            **history.info(compiled.NAME),
            "kept_epoch": int(best["epoch"]),
            "stopped": stopped,
            **{key: float(value) for key, value in best.items() if key.startswith("validation")},
            "parameters": int(sum(w.size for w in kept)),
        },
        history=history.rows,
    )


def _held_out(params: Params) -> tuple[Events, NDArray] | None:
    """Spikes and classes of the validation images, if the best epoch is to be found with them."""
    if not task.n_held_out(params):
        return None
    values, classes = task.samples(params, "validation")
    return task.events(params, values), classes


def validate(
    params: Params, weights: Weights, events: Events, classes: NDArray
) -> dict[str, float]:
    """Accuracy by both readout rules, and how early the decision falls.

    Args:
        params: Parameters of the experiment.
        weights: All layers.
        events: Spikes of the images.
        classes: Their classes, (image,).
    """
    double = tuple(np.asarray(w, np.float64) for w in weights)
    found = compiled.forward(events, double, neurons(params), whole=False)
    first = found.output.min(axis=1)
    chosen = strict(found.output, found.potential)
    scored = published(found.output, found.potential, classes, params.t_max)
    return {
        "validation_accuracy": float((chosen == classes).mean()),
        "validation_ties_as_hits": float((scored == classes).mean()),
        "decision_tick": float(first.mean()),
    }


def reset(
    params: Params, weights: Weights, silent: NDArray, rng: np.random.Generator, *, output: bool
) -> None:
    """Draw the weights of silent hidden neurons anew, in place.

    Their running means move to the new weights as those of all others do: gradually.

    Args:
        params: Parameters of the experiment.
        weights: All layers; changed.
        silent: Which neurons, hidden layers side by side, (hidden,).
        rng: Source of the new weights.
        output: Whether their outgoing weights are drawn anew too; the published code leaves them.
    """
    bounds = limits(params)
    for k, of_layer in enumerate(of_layers(silent, weights)):
        n = int(of_layer.sum())
        if not n:
            continue
        into, out = weights[k], weights[k + 1]
        into[:, of_layer] = rng.uniform(*bounds[k], (len(into), n))
        if output:
            out[of_layer] = rng.uniform(*bounds[k + 1], (n, out.shape[1]))
