"""S4NN in NumPy, image by image (Eqs. 2 to 6 of its README): what `compiled` is tested by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    n_hidden,
    of_layers,
)

NAME = "numpy"


def first_spikes(
    sources: NDArray, ticks: NDArray, weights: NDArray, neurons: Neurons
) -> tuple[NDArray[np.int32], NDArray]:
    """First spikes of one layer of non-leaky neurons in one image (README, Eqs. 2 and 3).

    Args:
        sources: Presynaptic neuron of each spike, in the order of ticks; (spike,).
        ticks: Its tick, (spike,).
        weights: (presynaptic neuron, neuron).
        neurons: Threshold and length of a trial.

    Returns:
        Ticks of the spikes, Tmax where silent; and potentials at the crossing, or where silent
        at tick Tmax - 3. Both (neuron,).
    """
    n = weights.shape[1]
    # What arrives at Tmax - 1 would be answered at Tmax, after the end.
    kept = ticks < neurons.t_max - 1
    sources, ticks = sources[kept], ticks[kept]
    if not ticks.size:
        return np.full(n, neurons.t_max, np.int32), np.zeros(n, weights.dtype)
    # The threshold is compared once a tick, when all spikes of that tick have arrived.
    last_of_tick = np.append(ticks[1:] != ticks[:-1], True)
    potentials = np.cumsum(weights[sources], axis=0, dtype=weights.dtype)[last_of_tick]
    ticks = ticks[last_of_tick]
    above = potentials > neurons.theta
    fires = above.any(axis=0)
    crossing = above.argmax(axis=0)
    times = np.where(fires, ticks[crossing].astype(np.int32) + 1, neurons.t_max)
    read = int((ticks <= neurons.t_max - 3).sum())
    silent = potentials[read - 1] if read else np.zeros(n, weights.dtype)
    return times.astype(np.int32), np.where(fires, potentials[crossing, np.arange(n)], silent)


def forward(events: Events, weights: Weights, neurons: Neurons, *, whole: bool = True) -> Firing:
    """First spikes of all layers for several images.

    Args:
        events: Input spikes of all images.
        weights: All layers; their precision is that of the computation.
        neurons: Threshold and length of a trial.
        whole: Whether spikes after the decision are wanted too; if not, the results may lack
            hidden spikes and outputs that come later than the first output spike.

    Raises:
        UserError: If weights and spikes do not fit.
    """
    check_fit(events, weights)
    shape = (len(events), weights[-1].shape[1])
    found = Firing(
        np.empty((len(events), sum(n_hidden(weights))), np.int32),
        np.empty(shape, np.int32),
        np.empty(shape, weights[-1].dtype),
    )
    for image in range(len(events)):
        here = slice(int(events.start[image]), int(events.start[image + 1]))
        sources, ticks, hidden = events.pixel[here], events.tick[here], []
        for w in weights[:-1]:
            times, _ = first_spikes(sources, ticks, w, neurons)
            hidden.append(times)
            order = np.lexsort((np.arange(times.size), times))
            sources = order[times[order] < neurons.t_max]
            ticks = times[sources]
        found.hidden[image] = np.concatenate(hidden)
        found.output[image], found.potential[image] = first_spikes(
            sources, ticks, weights[-1], neurons
        )
    return found


def wanted_times(output: NDArray, target: int, neurons: Neurons, gamma: int) -> NDArray[np.int64]:
    """Target times of the outputs in ticks, (class,) (README, Eq. 4)."""
    first = int(output.min())
    wanted = output.astype(np.int64)
    if first == neurons.t_max:
        wanted[target] = neurons.t_max - gamma
        return wanted
    close = output - first < gamma
    wanted[close] = min(first + gamma, neurons.t_max)
    wanted[target] = first
    return wanted


def update(
    pixels: NDArray,
    ticks: NDArray,
    hidden: NDArray,
    output: NDArray,
    target: int,
    weights: Weights,
    neurons: Neurons,
    rule: Rule,
) -> bool:
    """One step of the rule, in place (README, Eqs. 4 to 6).

    Args:
        pixels: Input spikes of the image, (spike,).
        ticks: Their ticks, (spike,).
        hidden: First spikes of the hidden layers side by side, (hidden,).
        output: First spikes of the outputs, (class,).
        target: Class of the image.
        weights: All layers; changed.
        neurons: Threshold and length of a trial.
        rule: Constants of the learning rule.

    Returns:
        Whether there was an error to learn from.
    """
    error = (wanted_times(output, target, neurons, rule.gamma) - output) / neurons.t_max
    size = np.sqrt((error**2).sum())
    if size == 0:
        return False
    after = output
    layers = of_layers(hidden, weights)
    for k, before in zip(range(len(layers), 0, -1), reversed(layers), strict=True):
        if k < rule.frozen:
            return True
        w = weights[k]
        error = error / size
        earlier = before[:, None] < after[None, :]
        w -= rule.learning_rate * error * earlier
        # With the weights after their step, as the published code does.
        error = (error * earlier * w).sum(axis=1)
        after, size = before, np.sqrt((error**2).sum())
        if size == 0:
            return True
    if rule.frozen:
        return True
    earlier = ticks[:, None] < after[None, :]
    weights[0][pixels] -= rule.learning_rate * (error / size) * earlier
    return True


def train_epoch(
    events: Events,
    targets: NDArray,
    order: NDArray,
    weights: Weights,
    averaged: Averaged | None,
    neurons: Neurons,
    rule: Rule,
) -> tuple[NDArray[np.int64], int, int]:
    """One pass of the online rule over images; weights and their mean change in place.

    Args:
        events: Input spikes of all images.
        targets: Class of each image, (image,).
        order: Which images, one after the other.
        weights: All layers; changed.
        averaged: Running mean of the weights, changed too; None where none is kept.
        neurons: Threshold and length of a trial.
        rule: Constants of the learning rule.

    Returns:
        Images in which each hidden neuron fired before the image was left, (hidden,), layers side
        by side; images whose true output was among the first; images that changed weights.

    Raises:
        UserError: If weights and spikes do not fit.
        Diverged: If a weight is no finite number any more.
    """
    check_fit(events, weights)
    sizes = n_hidden(weights)
    fired = np.zeros(sum(sizes), np.int64)
    layers_to_outputs = np.repeat(np.arange(len(sizes), 0, -1), sizes)
    hits = changed = 0
    for count, image in enumerate(order, start=1):
        here = slice(int(events.start[image]), int(events.start[image + 1]))
        pixels, ticks = events.pixel[here], events.tick[here]
        one = Events(np.array([0, pixels.size]), pixels, ticks, events.n_pixels)
        firing = forward(one, weights, neurons)
        hidden, output, target = firing.hidden[0], firing.output[0], int(targets[image])
        hits += int(output[target] == output.min() < neurons.t_max)
        end = 2 * neurons.t_max if rule.whole else left(output, target, neurons, rule)
        fired += hidden < np.minimum(end - layers_to_outputs, neurons.t_max)
        changed += update(pixels, ticks, hidden, output, target, weights, neurons, rule)
        for w in weights[rule.frozen :]:
            w *= 1 - rule.learning_rate * rule.decay
        looked_at = count % WATCH_EVERY == 0 or count == len(order)
        if looked_at and not all(np.isfinite(w).all() for w in weights):
            raise Diverged(count)
        if averaged is not None and count % averaged.every == 0:
            for mean, w in zip(averaged.weights, weights, strict=True):
                mean += averaged.rate * (w - mean)
    return fired, hits, changed


def left(output: NDArray, target: int, neurons: Neurons, rule: Rule) -> int:
    """Tick from which on output spikes are not looked at in training, and so not computed.

    An image is left when no later spike can change its error: the true output has fired, and the
    margin behind the first output has passed. A hidden neuron of the last layer is answered by an
    output spike one tick later, one of the layer before two ticks later.
    """
    first, true = int(output.min()), int(output[target])
    if neurons.t_max in (first, true):
        return 2 * neurons.t_max
    return max(first + rule.gamma, true + 1)
