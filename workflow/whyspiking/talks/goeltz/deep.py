"""More than one hidden layer: MNIST through several layers of single spikes (README, section 10).

`deep` learns all its layers, errors passing through spike times of spike times; of `frozen` the
first layer stays as it was drawn, all else being equal; `shallow` has one hidden layer and as many
weights. Only `deep` is simulated in Brian2.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.goeltz.networks import (
    bind,
    control_task,
    decode,
    evaluate,
    features_until,
    make_task,
    reference_first_ms,
    to_brian,
)

__all__ = [
    "bind", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network; see the module for the variants."""
    from whyspiking.talks.goeltz import learning

    own = {"learning_rate": params.rates[variant]}
    if variant == "shallow":
        own["n_hidden"] = params.n_shallow
    params = replace(params, values={**params.values, **own})
    learner = partial(learning.Compiled, frozen=int(variant == "frozen"))
    return learning.train(params, streams, progress, learner=learner)
