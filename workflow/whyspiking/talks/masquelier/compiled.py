"""S4NN in C++ (`s4nn.cpp`, see `compiler.libraries`): one call per epoch or per set of images."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array
from whyspiking.talks.masquelier.network import (
    WATCH_EVERY,
    Averaged,
    Diverged,
    Events,
    Firing,
    Neurons,
    Rule,
    Weights,
    check_fit,
)

NAME = "compiled"
SOURCES = (Path(__file__).with_name("s4nn.cpp"),)

_INT = ctypes.c_int
_REAL = ctypes.c_double


def forward(events: Events, weights: Weights, neurons: Neurons, *, whole: bool = True) -> Firing:
    """First spikes of both layers for several images (README, Eqs. 2 and 3).

    Args:
        events: Input spikes of all images.
        weights: Both layers.
        neurons: Threshold and length of a trial.
        whole: Whether spikes after the decision are wanted too; if not, the results may lack
            hidden spikes and outputs that come later than the first output spike.

    Raises:
        UserError: If the kernel cannot be compiled, or weights and spikes do not fit.
    """
    check_fit(events, weights)
    w_hidden, w_output = (np.ascontiguousarray(w, np.float64) for w in weights)
    n_images, n_out = len(events), w_output.shape[1]
    hidden = np.empty((n_images, w_hidden.shape[1]), np.int32)
    output = np.empty((n_images, n_out), np.int32)
    potential = np.empty((n_images, n_out))
    library().forward(
        *w_hidden.shape, n_out, neurons.t_max, neurons.theta, w_hidden, w_output, n_images,
        events.start, events.pixel, events.tick, int(whole), hidden, output, potential,
    )  # fmt: skip
    return Firing(hidden, output, potential)


def train_epoch(
    events: Events,
    targets: NDArray,
    order: NDArray,
    weights: Weights,
    averaged: Averaged | None,
    neurons: Neurons,
    rule: Rule,
) -> tuple[NDArray[np.int64], int, int]:
    """One pass of the online rule over images, in place (README, Eqs. 4 to 6).

    Args:
        events: Input spikes of all images.
        targets: Class of each image, (image,).
        order: Which images, one after the other.
        weights: Both layers, C-contiguous; changed.
        averaged: Running mean of the weights, changed too; None where none is kept.
        neurons: Threshold and length of a trial.
        rule: Constants of the learning rule.

    Returns:
        Images in which each hidden neuron fired before the image was left, (hidden,); images whose
        true output was among the first; images that changed weights.

    Raises:
        UserError: If the kernel cannot be compiled, or weights and spikes do not fit.
        Diverged: If a weight is no finite number any more; weights are as before the epoch then.
    """
    check_fit(events, weights)
    means = averaged.weights if averaged else ()
    for array in (*weights, *means):
        if array.dtype != np.float64 or not array.flags.c_contiguous or not array.flags.writeable:
            raise ValueError("weights and their means must be contiguous arrays of float64")
    order = np.ascontiguousarray(order, np.int64)
    targets = np.ascontiguousarray(targets, np.int32)
    n_pixels, n_hidden = weights[0].shape
    spikes = np.zeros(n_hidden, np.int32)
    counts = np.zeros(3, np.int64)
    library().train(
        n_pixels, n_hidden, weights[1].shape[1], neurons.t_max, neurons.theta, *weights,
        order.size, order, events.start, events.pixel, events.tick, targets,
        rule.gamma, rule.learning_rate, rule.decay, int(rule.whole), rule.frozen, WATCH_EVERY,
        averaged.rate if averaged else 0.0, averaged.every if averaged else 0,
        *(means or (None, None)), spikes, counts,
    )  # fmt: skip
    if counts[2]:
        raise Diverged(int(counts[2]))
    return spikes.astype(np.int64), int(counts[0]), int(counts[1])


@functools.cache
def library() -> ctypes.CDLL:
    """The compiled kernel; compiles it if no fitting one is stored.

    Raises:
        UserError: If there is no compiler or it fails.
    """
    kernel = libraries.load("s4nn", SOURCES)
    network = [*[_INT] * 4, _REAL, *[Array] * 2, _INT]
    kernel.forward.argtypes = [*network, *[Array] * 3, _INT, *[Array] * 3]
    kernel.train.argtypes = [
        *network, *[Array] * 5, _INT, _REAL, _REAL, *[_INT] * 3, _REAL, _INT, *[Array] * 4,
    ]  # fmt: skip
    kernel.forward.restype = kernel.train.restype = None
    return kernel
