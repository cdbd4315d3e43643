"""Deep hierarchies of rate units on MNIST, as the authors build them: `mnist_deep`, `mnist_demo`.

Nothing spikes here. Variants differ in rule and depth; `recipes` of talk.yaml says how.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Network,
    Params,
    Parents,
    Progress,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.talks.naud import burstprop
from whyspiking.talks.naud import digits as pixels_of
from whyspiking.talks.naud.burstprop import Recipe
from whyspiking.talks.naud.rate_hierarchy import Hierarchy, choose

N_PIXELS, N_CLASSES = 784, 10
ENOUGH = 0.1
"""Validation error that a network has to reach: how long it takes is compared."""
RECIPE = (
    "eta_recurrent", "feedback_std", "recurrent_range", "momentum", "decay", "p_output", "noise",
    "epochs", "batch",
)  # fmt: skip
"""What all variants share."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Pixels and classes; nothing is drawn here, so `streams` is not used."""
    if split == "fresh":
        return None
    features, classes = samples(params, split)
    return Task(Stimulus(), classes, N_CLASSES, features)


def samples(params: Params, split: Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Pixels of about zero mean and unit variance (sample, pixel), and classes (sample,)."""
    features, classes = pixels_of.samples(params, split)
    mean, deviation = params.pixels
    return (features - np.float32(mean)) / np.float32(deviation), classes


def recipe(params: Params, variant: str) -> Recipe:
    """The recipe of a variant, as talk.yaml has it."""
    own = {k: v for k, v in params.recipes[variant].items() if k != "depth"}
    return Recipe(**own, **{name: getattr(params, name) for name in RECIPE})


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant; all of one depth start from the same draw of a seed, but for scale."""
    chosen = recipe(params, variant)
    sizes = [N_PIXELS, *[params.n_hidden] * params.recipes[variant]["depth"], N_CLASSES]
    training = samples(params, "train")
    layers = burstprop.train(
        sizes,
        training,
        samples(params, "validation"),
        chosen,
        init=streams.rng("deep-init"),
        shuffle=streams.rng("deep-shuffle"),
        perturb=streams.rng("deep-perturbation"),
        told=progress,
    )
    history = layers.history
    errors = np.array(history.values("validation_error"))
    reached = np.flatnonzero(errors < ENOUGH)
    shown = len(training[0]) // params.batch * params.batch
    measured = {
        "presentations_to_10_percent": float(reached[0] * shown) if reached.size else np.inf
    }
    for metric in {row["metric"] for row in history.rows} - {"validation_error"}:
        measured[metric] = history.values(metric)[-1]
    info = {"engine": "numpy", "epochs": params.epochs, "counts": layers.counts()}
    info["measures"] = measured
    return Network(layers.arrays("forward", "bias"), info, history.rows)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Class with the highest event rate; the whole input is told at once, at time 0."""
    assert task.features is not None
    layers = Hierarchy.restored(network.arrays)
    return Trials.of(task, choose(layers, task.features), 0.0)
