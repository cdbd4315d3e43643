"""What the network wants to see: input times that bring the output of a class forward (README, 12).

A start is the mean of a few training images, whatever they show; from each one the inputs are moved
towards every class, and an independently trained ReLU network is asked what it reads. Test images
have no part in it.
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
from whyspiking.talks.comsa import learning, model, released, task
from whyspiking.training import controls
from whyspiking.training.first_spike import compiled

__all__ = ["evaluate", "make_task", "train"]


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Every start once per wanted class; there is a test split only."""
    if split != "test":
        return None
    classes = np.arange(params.n_output)
    features = np.repeat(starts(params, streams), classes.size, axis=0)
    return Task(Stimulus(), np.tile(classes, params.n_starts), params.n_output, features)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Move the starts to what one of the authors' networks wants to see.

    "ideal" and "fast" ask the slow and the fast network, "shuffled" deals the changes of the slow
    one to other pixels. Randomness: "split", "starts", "deal".

    Returns:
        The ReLU network as w0, b0, w1, b1, and the inputs that it is asked about, `inputs`
        (sample, pixel), in the order of `make_task`.
    """
    (reader,) = parents.values()
    asked = "fast" if variant == "fast" else "slow"
    spiking = released.train(params, asked, streams, {}, progress)
    if "unavailable" in spiking.info:
        return spiking
    shown = make_task(params, "test", streams)
    assert shown is not None and shown.features is not None
    before = np.asarray(shown.features)
    inputs = descend(params, spiking.arrays, before, shown.targets)
    if variant == "shuffled":
        inputs = dealt(before, inputs, streams.rng("deal"))
    times = np.where(inputs > 0, params.t_window * (1 - inputs), np.inf)
    output = model.first_spikes(params, spiking.arrays, times)[1]
    own = np.isfinite(output.min(axis=1)) & (output.argmin(axis=1) == shown.targets)
    return Network(
        arrays={**reader.arrays, "inputs": inputs.astype(np.float32)},
        info={"engine": compiled.NAME, "measures": {"read_by_itself": float(own.mean())}},
    )


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """What the ReLU network reads."""
    weights = {name: values for name, values in network.arrays.items() if name != "inputs"}
    return Trials.of(task, controls.choose(weights, network.arrays["inputs"]), 0.0)


def dealt(before: NDArray, after: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """Changes of brightness dealt anew among the pixels with ink, sample by sample."""
    found = np.array(before, float)
    for row, change in zip(found, after - before, strict=True):
        inked = np.flatnonzero(row > 0)
        row[inked] = np.clip(row[inked] + rng.permutation(change[inked]), 1 / 256, 1)
    return found


def starts(params: Params, streams: Streams) -> NDArray[np.float64]:
    """Brightness p/256 of the starts, each the mean of `start_images` training images.

    Args:
        params: `n_starts`, `start_images`.
        streams: Randomness: "split", "starts".

    Returns:
        (start, pixel), float64.
    """
    features, _ = task.samples(params, "train", streams)
    rng = streams.rng("starts")
    chosen = rng.integers(0, len(features), (params.n_starts, params.start_images))
    return np.stack([features[some].astype(float).mean(axis=0) for some in chosen])


def gradient(
    params: Params, arrays: model.Arrays, times: NDArray, targets: NDArray
) -> NDArray[np.float64]:
    """Derivative of the target's output time by input times, as in `AdjustInput` of the code.

    That is its form without `maximize_nontargets`; a silent target has no say.

    Args:
        params: Neuron parameters.
        arrays: Weights and pulse times.
        times: Input times in time units, inf where silent; (sample, input), float64.
        targets: Wanted class of each sample.

    Returns:
        (sample, input), 0 for inputs that came too late to matter.
    """
    rate, c = params.decay_rate, model.threshold(params)
    received, layers, weights = times * rate, [], []
    for pulses, name in zip(model.PULSES, ("w_hidden", "w_output"), strict=True):
        inputs = model.with_pulses(received, arrays[pulses] * rate)
        weights.append(np.asarray(arrays[name], float))
        layers.append((inputs, compiled.forward(inputs, weights[-1], c, 1)))
        received = layers[-1][1].times
    found = (np.arange(received.shape[1]) == np.asarray(targets)[:, None]).astype(float)
    slope = learning.settings(params).min_slope
    for (inputs, output), w, n in zip(
        layers[::-1], weights[::-1], (params.n_hidden, params.n_input), strict=True
    ):
        found = compiled.backward(inputs, w, output, found, 1, min_slope=slope)[1][:, :n]
    return found


def descend(
    params: Params, arrays: model.Arrays, features: NDArray, targets: NDArray
) -> NDArray[np.float64]:
    """Move input times down the gradient; returns brightness p/256 as `task.samples` does.

    A step is the gradient over its root mean square, at most 1, times `ideal_step`: spikes that
    graze the threshold have very large derivatives.
    Times stay within those of brightness 1/256 and 1: no pixel appears or is lost.

    Args:
        params: `ideal_steps`, `ideal_step` (time units), `t_window`, and what `gradient` needs.
        arrays: Weights and pulse times.
        features: Starts, (sample, pixel).
        targets: Wanted class of each sample.
    """
    features = np.asarray(features, float)
    inked = features > 0
    times = np.where(inked, params.t_window * (1 - features), np.inf)
    for _ in range(params.ideal_steps):
        slope = np.where(inked, gradient(params, arrays, times, targets), 0)
        size = np.sqrt((slope**2).sum(axis=1) / inked.sum(axis=1))[:, None]
        step = np.clip(slope / np.where(size > 0, size, 1), -1, 1)
        moved = np.clip(times - params.ideal_step * step, 0, params.t_window * 255 / 256)
        times = np.where(inked, moved, np.inf)
    return np.where(inked, 1 - times / params.t_window, 0.0)
