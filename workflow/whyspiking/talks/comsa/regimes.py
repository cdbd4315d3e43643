"""How often a network finds the slow regime, and whether one that is there leaves it (README, 4).

Pixels that are background in every training image never fire, so the weights from them change in
one way only: where a neuron is silent in an image, (6) raises all of its weights alike. Less the
mean over these pixels, their weights are for ever those of the start: they tell whether two
networks come from one start, and the mean tells which of the two is older.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist
from whyspiking.talks.comsa import learning, model, released
from whyspiking.talks.comsa.digits import (
    bind,
    decode,
    evaluate,
    make_task,
    reference_first_ms,
    to_brian,
)

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train from the published start, or ("continued") the authors' slow network further.

    What the last epoch leaves is measured on validation images; for "continued" most of these were
    training images of the authors, so their accuracy is no measure of it.
    """
    if variant == "continued":
        slow, fast = (
            released.train(params, name, streams, parents, progress) for name in ("slow", "fast")
        )
        start = {name: slow.arrays[name].astype(np.float32) for name in model.NAMES}
        network = learning.train_from(start, params, variant, streams, progress)
        own = lineage(params, slow.arrays, fast.arrays)
    else:
        network = learning.train(params, variant, streams, parents, progress)
        start = learning.initial_arrays(params, streams)
        own = {"silence_drift": float(drift(params, start, network.arrays).mean())}
    last = {row["metric"]: row["value"] for row in network.history}
    network.info["measures"] = {
        **own,
        "decision_last": last["validation_decision_ms"],
        "hidden_before_last": last["validation_hidden_before"],
    }
    return network


def unlit(params: ct.Params) -> NDArray[np.int64]:
    """Pixels that are background in every image of the training file."""
    assert params.dataset_dir is not None  # talk.yaml names the data
    images, _ = mnist.load(params.dataset_dir, "train")
    return np.flatnonzero(~images.reshape(-1, params.n_input).any(axis=0))


def drift(params: ct.Params, before: model.Arrays, after: model.Arrays) -> NDArray[np.float64]:
    """Rise of the weights from unlit pixels between two networks, (hidden,), in sigma of the start.

    Only silence raises them, by the penalty (6): 0 for a neuron that was never silent.
    """
    sigma = np.sqrt(2 / (params.n_input + params.n_hidden + params.n_pulses))
    pixels = unlit(params)
    rise = after["w_hidden"][pixels].astype(float) - before["w_hidden"][pixels]
    return rise.mean(axis=0) / sigma


def lineage(params: ct.Params, first: model.Arrays, second: model.Arrays) -> dict[str, float]:
    """Whether two networks come from one start, and which one is older.

    Returns:
        `same_start`: correlation, over unlit pixels and hidden neurons, of weights less their mean
        over these pixels; `same_start_shuffled`: the same with the neurons of one network shifted
        by one; `older`: share of hidden neurons whose weights have not sunk from first to second;
        `silence_drift`: their mean rise.
    """
    left, right = (
        w[unlit(params)] - w[unlit(params)].mean(axis=0)
        for w in (first["w_hidden"], second["w_hidden"])
    )
    rise = drift(params, first, second)
    return {
        "same_start": float(np.corrcoef(left.ravel(), right.ravel())[0, 1]),
        "same_start_shuffled": float(
            np.corrcoef(left.ravel(), np.roll(right, 1, axis=1).ravel())[0, 1]
        ),
        "older": float((rise >= 0).mean()),
        "silence_drift": float(rise.mean()),
    }
