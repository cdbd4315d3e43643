"""Deep hierarchies of rate units on MNIST, as the authors build them: `mnist_deep`.

Nothing spikes here. Variants differ in the rule; `recipes` of talk.yaml says how.
"""

from __future__ import annotations

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.rate_hierarchy import burstprop
from whyspiking.talks.naud.rate_hierarchy.burstprop import Recipe
from whyspiking.talks.naud.rate_hierarchy.digits import evaluate
from whyspiking.talks.naud.rate_hierarchy.task import N_CLASSES, make_task, samples

__all__ = ["evaluate", "make_task", "train"]

TARGET_ERROR = 0.1
"""Validation error that a network has to reach: how long it takes is compared."""
SHARED_PARAMETERS = (
    "eta_recurrent", "feedback_std", "recurrent_range", "momentum", "decay", "p_output", "noise",
    "epochs", "batch",
)  # fmt: skip
"""What all variants share."""


def recipe(params: ct.Params, variant: str) -> Recipe:
    """The recipe of a variant, as talk.yaml has it."""
    variant_values = {k: v for k, v in params.recipes[variant].items() if k != "depth"}
    return Recipe(**variant_values, **{name: getattr(params, name) for name in SHARED_PARAMETERS})


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant; all start from the same draw of a seed, but for scale."""
    variant_recipe = recipe(params, variant)
    training = samples(params, "train")
    hidden_sizes = [params.n_hidden] * params.recipes[variant]["depth"]
    layers = burstprop.train(
        [training[0].shape[1], *hidden_sizes, N_CLASSES],
        training,
        samples(params, "validation"),
        variant_recipe,
        init=streams.rng("deep-init"),
        shuffle=streams.rng("deep-shuffle"),
        perturb=streams.rng("deep-perturbation"),
        progress=progress,
    )
    history = layers.history
    errors = np.array(history.values("validation_error"))
    reached_epochs = np.flatnonzero(errors < TARGET_ERROR)
    n_presented = len(training[0]) // params.batch * params.batch
    measures = {
        "presentations_to_10_percent": float(reached_epochs[0] * n_presented)
        if reached_epochs.size
        else np.inf
    }
    for metric in {row["metric"] for row in history.rows} - {"validation_error"}:
        measures[metric] = history.values(metric)[-1]
    info = {"engine": "numpy", "epochs": params.epochs, "counts": layers.counts()}
    info["measures"] = measures
    return ct.Network(layers.arrays("forward", "bias"), info, history.rows)
