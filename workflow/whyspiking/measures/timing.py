"""What spike times carry beyond spike counts, for any code: the decoder of T2.

T1, T4 and T5 are shares of the score above chance that are lost (`battery.curves`), T3 is a
half-dose of jitter (`robustness`).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.contract import perturb
from whyspiking.contract.spikes import Spikes

TIME_POINTS = 10
"""Points at which the decoder of T2 reads the filtered spike trains."""
RIDGE = np.logspace(-3, 3, 13)
"""Ridge penalties to choose from, relative to the mean eigenvalue of the Gram matrix."""


def timing_information(
    spikes: Spikes, labels: NDArray, n_classes: int, tau_ms: float, rng: Generator
) -> float:
    """T2: what a decoder of spike times gains over a decoder of spike counts.

    (S_trace - S_count) / (S_trace - c), with fresh linear decoders and two-fold cross-validation:
    it separates information in the times from a readout that merely is not used to other times.

    Args:
        spikes: Unperturbed trains of one population.
        labels: Class of each trial, (trial,).
        n_classes: Number of classes.
        tau_ms: Time constant of the filter in ms.
        rng: Splits the trials.

    Returns:
        0 if counts tell as much, 1 if they tell nothing; nan where the times tell no more than 0.2
        above chance.
    """
    chance = 1.0 / n_classes
    from_times = decoder_score(filtered_traces(spikes, tau_ms), labels, n_classes, rng)
    from_counts = decoder_score(spikes.counts().astype(float), labels, n_classes, rng)
    if from_times - chance < 0.2:
        return np.nan
    return (from_times - from_counts) / (from_times - chance)


def filtered_traces(spikes: Spikes, tau_ms: float, n_points: int = TIME_POINTS) -> NDArray:
    """Exponentially filtered spike trains at evenly spaced times of the firing window.

    Args:
        spikes: Trains of one population.
        tau_ms: Time constant of the filter in ms.
        n_points: Number of times; the last is the end of the window.

    Returns:
        Features (trial, neuron x time).
    """
    start, stop = perturb.firing_window(spikes)
    points = start + (stop - start) * np.arange(1, n_points + 1) / n_points
    flat = spikes.trials.astype(np.int64) * spikes.n_units + spikes.units
    size = spikes.n_trials * spikes.n_units
    traces = np.zeros((n_points, size))
    interval = np.minimum(np.searchsorted(points, spikes.times_ms, side="left"), n_points - 1)
    state, before = np.zeros(size), start
    for index, point in enumerate(points):
        new = interval == index
        state = state * np.exp(-(point - before) / tau_ms) + np.bincount(
            flat[new],
            weights=np.exp(-np.maximum(point - spikes.times_ms[new], 0.0) / tau_ms),
            minlength=size,
        )
        traces[index] = state
        before = point
    shape = (n_points, spikes.n_trials, spikes.n_units)
    return traces.reshape(shape).transpose(1, 2, 0).reshape(spikes.n_trials, -1)


def decoder_score(features: NDArray, labels: NDArray, n_classes: int, rng: Generator) -> float:
    """Accuracy of a fresh linear (ridge) decoder on trials that it was not fitted to.

    Two halves, each decoded by a decoder of the other half; the penalty is chosen within the
    fitting half by its exact leave-one-out error.

    Args:
        features: One row per trial, (trial, feature).
        labels: Class of each trial, (trial,).
        n_classes: Number of classes.
        rng: Splits the trials.
    """
    labels = np.asarray(labels, int)
    order = rng.permutation(labels.size)
    halves = order[: labels.size // 2], order[labels.size // 2 :]
    correct = 0
    for fit, test in (halves, halves[::-1]):
        guess = _ridge_classify(features[fit], labels[fit], features[test], n_classes)
        correct += int((guess == labels[test]).sum())
    return correct / labels.size


def _ridge_classify(x: NDArray, labels: NDArray, x_new: NDArray, n_classes: int) -> NDArray:
    # Features share one unit (filtered spikes or counts), so they are centred but not rescaled:
    # rescaling would blow up the noise of neurons that hardly ever fire.
    mean = x.mean(axis=0)
    x, x_new = x - mean, x_new - mean
    if not x.any():
        return np.full(x_new.shape[0], np.bincount(labels, minlength=n_classes).argmax())
    y = np.eye(n_classes)[labels]
    y_mean = y.mean(axis=0)
    # Dual form: there are more features than trials.
    values, vectors = np.linalg.eigh(x @ x.T)
    values = np.maximum(values, 0.0)
    projected = vectors.T @ (y - y_mean)
    best, alpha = np.inf, np.zeros(())
    for penalty in RIDGE * max(float(values.mean()), 1e-12):
        shrink = values / (values + penalty)
        residual = (y - y_mean) - vectors @ (shrink[:, None] * projected)
        # The mean takes one more degree of freedom: 1/n on the diagonal of the hat matrix.
        left_out = 1 - (vectors**2) @ shrink - 1 / labels.size
        error = float(((residual / np.maximum(left_out, 1e-9)[:, None]) ** 2).sum())
        if error < best:
            best, alpha = error, vectors @ (projected / (values + penalty)[:, None])
    return (x_new @ (x.T @ alpha) + y_mean).argmax(axis=1)
