"""Input spikes of the tasks: points of the Yin-Yang set, digits of MNIST, shared tasks."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist, yinyang
from whyspiking.tasks import task_data
from whyspiking.training.first_spike import encoding

MNIST_VALIDATION = 10_000
"""The last images of the training file, as in the published code."""


def latencies(values: NDArray, params: ct.Params) -> NDArray[np.float64]:
    """Encode values in [0, 1] as spike times in units of tau_s, 1 is late (README, Eq. 1)."""
    return params.t_early + np.asarray(values, float) * (params.t_late - params.t_early)


def spike_times(features: NDArray, params: ct.Params) -> NDArray[np.float64]:
    """Encode samples, values or brightness of pixels, as spike times in units of tau_s."""
    if params.dataset != "mnist":
        return latencies(features, params)
    return encoding.latencies(features, params.t_early, params.t_late, background=True)


def with_bias(times: NDArray, params: ct.Params) -> NDArray:
    """Append the channels that always fire at the same time, (sample, input + bias)."""
    bias = np.asarray(params.bias_times, times.dtype)
    return np.hstack([times, np.broadcast_to(bias, (len(times), bias.size))])


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The inputs and targets of one split, the same for all seeds but of Randman.

    "fresh" exists for the published Yin-Yang only: further points from another seed.
    """
    features, targets = samples(params, split)
    if features is None:
        return None
    times_ms = with_bias(spike_times(features, params), params) * params.tau_s_ms
    return encoding.as_task(
        times_ms, features, targets, trial_ms=params.trial_ms, n_classes=params.n_output
    )


def features_until(params: ct.Params, task: ct.Task, t_ms: float) -> NDArray:
    """Return the features that a control knows from the spikes up to a time, (trial, feature).

    Of Yin-Yang every coordinate comes twice, as x and as 1 - x: the earlier of the two spikes tells
    both, and half of the time window has both coordinates. Before, 1/2 is their mean.
    """
    features, is_known = np.asarray(task.features), encoding.arrived(task, t_ms)
    return yinyang.completed(features, is_known)


def samples(params: ct.Params, split: ct.Split) -> tuple[NDArray | None, NDArray]:
    """Load values and classes of one split, before they become spikes; None without this split.

    Yin-Yang: (x, y, 1 - x, 1 - y) in [0, 1]; MNIST: brightness p/256 of 784 pixels, which the
    published code divides by 256, not 255; of a shared task its times in [0, 1].
    """
    if params.dataset == "shared":
        shared_samples = task_data.latencies(params, split)
        return (
            (None, np.zeros(0, np.int64))
            if shared_samples is None
            else (shared_samples.features, shared_samples.classes)
        )
    if params.dataset == "mnist":
        if split == "fresh":
            return None, np.zeros(0, np.int64)
        images, classes = mnist.samples(params, split, n_held_out=MNIST_VALIDATION)
        return images.astype(np.float32) / np.float32(256), classes
    features, classes = _generate_yinyang(split, params.n_fresh)
    n_by_split = {"train": params.n_train, "validation": params.n_validation, "test": params.n_test}
    n = n_by_split.get(split, len(features))
    return features[:n], classes[:n]


@functools.lru_cache(maxsize=4)
def _generate_yinyang(split: ct.Split, n_fresh: int) -> tuple[NDArray, NDArray]:
    seed, n = (yinyang.FRESH_SEED, n_fresh) if split == "fresh" else yinyang.PUBLISHED[split]
    return yinyang.generate(seed, n)
