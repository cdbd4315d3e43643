"""The burst rule in a hierarchy of rate units: `mnist`, against backprop, and shared tasks.

Nothing spikes here, so nothing is simulated in Brian2 (`simulated: false` in talk.yaml). A shared
task tells its spike times as numbers: nothing is timed either.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Network,
    Networks,
    Params,
    Parents,
    Progress,
    Simulate,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.datasets import mnist, shared
from whyspiking.talks.naud import rate_hierarchy
from whyspiking.talks.naud.rate_hierarchy import Layers, Recipe

RULES = {
    "burstprop": "learned",
    "fixed_feedback": "fixed",
    "backprop": "backprop",
    "readout_only": "readout",
}
"""Variant -> rule of `rate_hierarchy`."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Features in 0..1 and classes; nothing is drawn here, so `streams` is not used."""
    if split == "fresh":
        return None
    features, classes = samples(params, split)
    return Task(Stimulus(), classes, sizes(params)[-1], features)


def sizes(params: Params) -> list[int]:
    """Units per layer, input first."""
    if shared.takes_part(params):
        return [params.n_input, params.n_hidden, params.n_output]
    return params.sizes


def samples(params: Params, split: Split) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features in 0..1 (sample, input) and classes (sample,).

    Of a shared task the times of input spikes, as shares of its window. Of MNIST brightness;
    validation is the end of the training file.
    """
    if shared.takes_part(params):
        drawn = shared.latencies(params, split)
        assert drawn is not None
        return drawn.features.astype(np.float32), drawn.classes
    images, labels = mnist.load(params.data_dir / "mnist", "test" if split == "test" else "train")
    chosen = {
        "train": slice(params.n_train),
        "validation": slice(-params.n_validation, None),
        "test": slice(params.n_test),
    }[split]
    images = images[chosen]
    pixels = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    return pixels, labels[chosen].astype(np.int64)


def recipe(params: Params, variant: str) -> Recipe:
    """The recipe of a variant, as talk.yaml has it; a name stands for another parameter."""
    own = params.recipes[variant].items()
    common = (
        "decay_share", "momentum", "eta_end", "epochs", "batch", "p_output", "beta", "output_rate",
    )  # fmt: skip
    return Recipe(
        rule=RULES[variant],
        **{name: getattr(params, v) if isinstance(v, str) else v for name, v in own},
        **{name: getattr(params, name) for name in common},
    )


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant; all start from the same draw of a seed, scaled by their gains."""
    layers = rate_hierarchy.train(
        sizes(params),
        samples(params, "train"),
        samples(params, "validation"),
        recipe(params, variant),
        init=streams.rng("hierarchy-init"),
        shuffle=streams.rng("hierarchy-shuffle"),
        told=progress,
    )
    seconds = layers.history.values("epoch_seconds")
    return Network(
        arrays=layers.arrays("forward", "bias", "feedback"),
        info={
            "engine": "numpy",
            "epochs": params.epochs,
            "epoch_seconds": float(np.mean(seconds)),
            "counts": layers.counts(),
        },
        history=layers.history.rows,
    )


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Class with the highest event rate; the whole input is told at once, at time 0."""
    assert task.features is not None
    layers = Layers.restored(network.arrays)
    return Trials.of(task, rate_hierarchy.choose(layers, task.features), 0.0)


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Angle in degrees of the burst rule's credit to that of backprop on validation samples.

    `credit.<variant>` (seed, hidden layer), lowest layer first, after training.
    """
    features, classes = samples(params, "validation")
    wanted = np.eye(sizes(params)[-1], dtype=np.float32)[classes]
    found: dict[str, list[Any]] = {}
    for (variant, _), network in sorted(networks.items()):
        if RULES.get(variant) not in ("learned", "fixed"):
            continue
        layers = Layers.restored(network.arrays)
        activity = rate_hierarchy.rates(layers, features)
        ours = rate_hierarchy.burst_credit(layers, activity, wanted, recipe(params, variant))
        theirs = rate_hierarchy.gradient_credit(layers, activity, wanted)
        angles = [rate_hierarchy.angle(a, b) for a, b in zip(ours[:-1], theirs[:-1], strict=True)]
        found.setdefault(f"credit.{variant}", []).append(angles)
    return {name: np.array(rows) for name, rows in found.items()}
