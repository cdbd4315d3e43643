"""The burst rule in a hierarchy of rate units, on the shared tasks.

Nothing spikes here, so nothing is simulated in Brian2 (no variant has the role `spiking`). The task
gives its spike times as numbers: nothing is timed either.
"""

from __future__ import annotations

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.rate_hierarchy import learning
from whyspiking.talks.naud.rate_hierarchy.learning import Recipe
from whyspiking.talks.naud.rate_hierarchy.model import Hierarchy, choose
from whyspiking.talks.naud.rate_hierarchy.task import make_task, samples

__all__ = ["evaluate", "make_task", "train"]

RULES = {"burstprop": "learned", "fixed_feedback": "fixed"}
"""Variant -> rule of `rate_hierarchy`."""


def recipe(params: ct.Params, variant: str) -> Recipe:
    """The recipe of a variant, as talk.yaml has it; a name stands for another parameter."""
    variant_values = params.recipes[variant].items()
    common = (
        "decay_share", "momentum", "eta_end", "epochs", "batch", "p_output", "beta", "output_rate",
    )  # fmt: skip
    return Recipe(
        rule=RULES[variant],
        **{name: getattr(params, v) if isinstance(v, str) else v for name, v in variant_values},
        **{name: getattr(params, name) for name in common},
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant; all start from the same draw of a seed, scaled by their gains."""
    layers = learning.train(
        [params.n_input, params.n_hidden, params.n_output],
        samples(params, "train"),
        samples(params, "validation"),
        recipe(params, variant),
        init=streams.rng("hierarchy-init"),
        shuffle=streams.rng("hierarchy-shuffle"),
        progress=progress,
    )
    seconds = layers.history.values("epoch_seconds")
    return ct.Network(
        arrays=layers.arrays("forward", "bias"),
        info={
            "engine": "numpy",
            "epochs": params.epochs,
            "epoch_seconds": float(np.mean(seconds)),
            "counts": layers.counts(),
        },
        history=layers.history.rows,
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """Class with the highest event rate; the whole input is there at once, at time 0."""
    assert task.features is not None
    layers = Hierarchy.restored(network.arrays)
    return ct.Trials.of(task, choose(layers, task.features), 0.0)
