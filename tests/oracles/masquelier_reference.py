"""S4NN as its README states it, image by image with whole rasters: what `compiled` is tested by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.talks.masquelier.network import (
    Averaged,
    Events,
    Firing,
    Neurons,
    Rule,
    Weights,
)

NAME = "numpy"


def spikes(events: Events, image: int, weights: Weights, neurons: Neurons):
    """First spikes of one image, layer by layer (Eqs. 2 and 3).

    Args:
        events: Input spikes of all images.
        image: Which one.
        weights: Both layers.
        neurons: Threshold and length of a trial.

    Returns:
        Ticks of inputs and of both layers, Tmax where silent; and potentials of the outputs at
        their crossings, or where silent at tick Tmax - 3.
    """
    own = slice(int(events.start[image]), int(events.start[image + 1]))
    inputs = np.full(len(weights[0]), neurons.t_max)
    inputs[events.pixel[own]] = events.tick[own]
    found, potential = [inputs], np.zeros(0)
    # What arrives at Tmax - 1 would be answered at Tmax, after the end.
    ticks = np.arange(neurons.t_max - 1)
    for w in weights:
        v = w.T @ (found[-1][:, None] <= ticks).astype(w.dtype)
        above = v > neurons.theta
        fires, crossing = above.any(axis=1), above.argmax(axis=1)
        potential = v[np.arange(len(v)), np.where(fires, crossing, neurons.t_max - 3)]
        found.append(np.where(fires, crossing + 1, neurons.t_max))
    return found, potential


def forward(events: Events, weights: Weights, neurons: Neurons, *, whole: bool = True) -> Firing:
    """First spikes of both layers for several images; arguments as in `compiled.forward`."""
    told = [spikes(events, image, weights, neurons) for image in range(len(events))]
    hidden = np.array([times[1] for times, _ in told], np.int32)
    output = np.array([times[-1] for times, _ in told], np.int32)
    return Firing(hidden, output, np.array([potential for _, potential in told]))


def wanted_times(output: NDArray, target: int, neurons: Neurons, gamma: int) -> NDArray[np.int64]:
    """Target times of the outputs in ticks, (class,) (README, Eq. 4)."""
    first = int(output.min())
    wanted = output.astype(np.int64)
    if first == neurons.t_max:
        wanted[target] = neurons.t_max - gamma
        return wanted
    wanted[output - first < gamma] = min(first + gamma, neurons.t_max)
    wanted[target] = first
    return wanted


def update(
    times: list[NDArray], target: int, weights: Weights, neurons: Neurons, rule: Rule
) -> bool:
    """One step of the rule, in place (README, Eqs. 4 to 6); whether there was an error.

    Args:
        times: Of inputs and both layers, from `spikes`.
        target: Class of the image.
        weights: Both layers; changed.
        neurons: Threshold and length of a trial.
        rule: Constants of the learning rule.
    """
    error = (wanted_times(times[-1], target, neurons, rule.gamma) - times[-1]) / neurons.t_max
    wrong = bool(error.any())
    for k in range(len(weights) - 1, rule.frozen - 1, -1):
        size = np.sqrt((error**2).sum())
        if size == 0:
            break
        cause = np.less.outer(times[k], times[k + 1])
        weights[k][:] -= rule.learning_rate * cause * (error / size)
        # With the weights after their step, as the published code does.
        error = (cause * weights[k]) @ (error / size)
    return wrong


def train_epoch(
    events: Events,
    targets: NDArray,
    order: NDArray,
    weights: Weights,
    averaged: Averaged | None,
    neurons: Neurons,
    rule: Rule,
) -> tuple[NDArray[np.int64], int, int]:
    """One pass of the online rule over images; arguments and results as in `compiled`."""
    fired = np.zeros(weights[0].shape[1], np.int64)
    hits = changed = 0
    for count, image in enumerate(order, start=1):
        times, _ = spikes(events, image, weights, neurons)
        output, target = times[-1], int(targets[image])
        hits += int(output[target] == output.min() < neurons.t_max)
        end = 2 * neurons.t_max if rule.whole else left(output, target, neurons, rule)
        fired += times[1] < min(end - 1, neurons.t_max)
        changed += update(times, target, weights, neurons, rule)
        for w in weights[rule.frozen :]:
            w *= 1 - rule.learning_rate * rule.decay
        if averaged is not None and count % averaged.every == 0:
            for mean, w in zip(averaged.weights, weights, strict=True):
                mean += averaged.rate * (w - mean)
    return fired, hits, changed


def left(output: NDArray, target: int, neurons: Neurons, rule: Rule) -> int:
    """Tick from which on output spikes are not looked at in training, and so not computed.

    An image is left when no later spike can change its error: the true output has fired, and the
    margin behind the first output has passed. A hidden neuron is answered by an output spike one
    tick later.
    """
    first, true = int(output.min()), int(output[target])
    if neurons.t_max in (first, true):
        return 2 * neurons.t_max
    return max(first + rule.gamma, true + 1)
