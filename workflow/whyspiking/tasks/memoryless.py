"""Memoryless baselines: which accuracy classifiers without memory reach on a task.

All tasks have the same baselines, which the protocol.yaml of the shared benchmark lists. A baseline
receives a part of the raster, such as the spike counts, scaled by the training trials. It decides
by ridge regression, by 64 ReLU units (Adam, cosine decay, the epoch with the best validation
accuracy) or by nearest neighbours. If there are several settings, the setting with the best
validation accuracy is used. Test trials are evaluated once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct

type Reading = Callable[[NDArray], NDArray]
type Decide = Callable[[NDArray], NDArray[np.int64]]
type Split = tuple[NDArray, NDArray[np.int64]]
UNITS, RANDOM, NEAREST = 64, 500, 5000
PENALTIES, NEIGHBOURS = (1e-4, 1e-2, 1.0), (1, 5, 25)
BATCH, RATE = 100, 0.01
TAUS_MS = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
FEW_TAUS_MS, TWO_TAUS_MS = (10, 50, 200), (20, 200)


def latencies(x: NDArray) -> NDArray:
    """Find the step of every input's first spike, the number of steps where there is none."""
    steps_left = np.arange(x.shape[1], 0, -1, dtype=np.float32)
    return x.shape[1] - (x * steps_left[:, None]).max(axis=1)


def ranks(x: NDArray) -> NDArray:
    """Rank the first spikes of the inputs."""
    return latencies(x).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")


def coarse(size: int, x: NDArray) -> NDArray:
    """Count spikes in bins of some steps, (trial, bin x input)."""
    starts = np.arange(0, x.shape[1], size)
    return np.add.reduceat(x, starts, axis=1).reshape(len(x), -1)


def traces(taus_ms: Sequence[float], dt_ms: float, x: NDArray) -> NDArray:
    """Compute leaky sums of every input at the end, (trial, tau x input)."""
    age = dt_ms * np.arange(x.shape[1])[::-1]
    decay = np.exp(-age / np.asarray(taus_ms, float)[:, None]).astype(np.float32)
    return np.matmul(decay, x).reshape(len(x), -1)


def floors(params: ct.Params, rng: np.random.Generator) -> dict[str, Any]:
    """List the baselines: name -> features in each setting, and fit of the classifier."""
    relu = partial(_fit_relu, rng, params.floor_epochs, 1)
    bin_counts = partial(coarse, round(params.bin_ms / params.dt_ms))
    i_last_step = round((params.trial_ms - params.last_ms) / params.dt_ms)
    counts, pooled = partial(np.sum, axis=1), partial(np.sum, axis=2)

    def select_inputs(i_first: int, i_end: int) -> Reading:
        return lambda x: bin_counts(x[:, :, i_first:i_end])

    def sum_leaky(*taus_ms: float) -> Reading:
        return partial(traces, taus_ms, params.dt_ms)

    return {
        "counts_linear": ([counts], _fit_ridge),
        "counts_relu": ([counts], relu),
        "latencies_linear": ([latencies], _fit_ridge),
        "latencies_relu": ([latencies], relu),
        "ranks_relu": ([ranks], relu),
        "pooled_linear": ([pooled], _fit_ridge),
        "pooled_relu": ([pooled], relu),
        "last_relu": ([lambda x: x[:, i_last_step:].sum(axis=1)], relu),
        "group_relu": ([select_inputs(*group) for group in params.groups], relu),
        "trace_linear": ([sum_leaky(tau) for tau in TAUS_MS], _fit_ridge),
        "trace_relu": ([sum_leaky(tau) for tau in FEW_TAUS_MS], relu),
        "traces_relu": ([sum_leaky(*TWO_TAUS_MS)], relu),
        "random_ridge": ([bin_counts], partial(_fit_random_layer, rng)),
        "neighbours": ([bin_counts], _fit_neighbours),
        "halves_relu": ([bin_counts], partial(_fit_relu, rng, params.floor_epochs, 2)),
        "reference": ([bin_counts], relu),
    }


def accuracy(
    readings: Sequence[Reading], fit: Any, data: Mapping[str, Split], n_classes: int
) -> float:
    """Measure the test accuracy of one baseline, in the setting with the best validation accuracy.

    Args:
        readings: Functions from the raster to its features, one per setting.
        fit: Function from training and validation trials to classifiers.
        data: Raster (trial, step, input) and classes (trial,) of each split.
        n_classes: Number of classes.
    """
    candidates = []
    for reading in readings:
        features = reading(data["train"][0])
        means, sds = features.mean(axis=0), features.std(axis=0) + 1e-6

        def scale_features(x: NDArray, scaling: Any = (reading, means, sds)) -> NDArray:
            return ((scaling[0](x) - scaling[1]) / scaling[2]).astype(np.float32)

        held_out = (scale_features(data["validation"][0]), data["validation"][1])
        training = (((features - means) / sds).astype(np.float32), data["train"][1])
        for decide in fit(training, held_out, n_classes):
            validation_accuracy = (decide(held_out[0]) == held_out[1]).mean()
            candidates.append((validation_accuracy, len(candidates), scale_features, decide))
    _, _, scale_features, decide = max(candidates)
    return float((decide(scale_features(data["test"][0])) == data["test"][1]).mean())


def _fit_ridge(training: Split, held_out: Split, n_classes: int) -> Iterator[Decide]:
    """Fit ridge regression on the classes, once for each penalty."""
    x, centred_one_hot = (
        _append_constant(training[0]),
        np.eye(n_classes, dtype=np.float32)[training[1]] - 1 / n_classes,
    )
    gram, cross_products = x.T @ x, x.T @ centred_one_hot
    for penalty in PENALTIES:
        w = np.linalg.solve(gram + penalty * len(x) * np.eye(len(gram)), cross_products)
        yield lambda told, w=w: (_append_constant(told) @ w).argmax(axis=1)


def _append_constant(x: NDArray) -> NDArray:
    return np.column_stack([x, np.ones(len(x), np.float32)])


def _fit_random_layer(
    rng: np.random.Generator, training: Split, held_out: Split, n_classes: int
) -> Iterator[Decide]:
    """Fit ridge regression on random ReLU units."""
    n = training[0].shape[1]
    w = rng.normal(0, 1 / np.sqrt(n), (n, RANDOM)).astype(np.float32)
    b = rng.uniform(-1, 1, RANDOM).astype(np.float32)
    hidden = np.maximum(training[0] @ w + b, 0)
    for decide in _fit_ridge((hidden, training[1]), held_out, n_classes):
        yield lambda x, decide=decide: decide(np.maximum(x @ w + b, 0))


def _fit_neighbours(training: Split, held_out: Split, n_classes: int) -> Iterator[Decide]:
    """Choose the most frequent class among the nearest trials, for each number of them."""
    examples, classes = training[0][:NEAREST], training[1][:NEAREST]
    for k in (k for k in NEIGHBOURS if k < len(examples)):

        def decide(x: NDArray, k: int = k) -> NDArray[np.int64]:
            nearest = np.argpartition((examples**2).sum(axis=1) - 2 * x @ examples.T, k, axis=1)[
                :, :k
            ]
            votes = (classes[nearest][:, :, None] == np.arange(n_classes)).sum(axis=1)
            return votes.argmax(axis=1)

        yield decide


def _fit_relu(
    rng: np.random.Generator,
    epochs: int,
    n_parts: int,
    training: Split,
    held_out: Split,
    n_classes: int,
) -> Iterator[Decide]:
    """Fit one layer of ReLU units, each on one of equal parts of the input."""
    (x, y), n_inputs = training, training[0].shape[1]
    is_connected = np.arange(n_inputs)[:, None] * n_parts // n_inputs == np.arange(UNITS) % n_parts
    w1 = is_connected * rng.normal(0, np.sqrt(2 * n_parts / n_inputs), (n_inputs, UNITS))
    w2 = rng.normal(0, np.sqrt(2 / UNITS), (UNITS, n_classes))
    arrays = [a.astype(np.float32) for a in (w1, np.zeros(UNITS), w2, np.zeros(n_classes))]
    means, squares = ([np.zeros_like(a) for a in arrays] for _ in range(2))
    n_batches = max(1, len(x) // BATCH)
    n_steps, best_accuracy, best_arrays = epochs * n_batches, -1.0, arrays
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        for batch in range(n_batches):
            batch_trials = order[batch * BATCH :][:BATCH]
            hidden = np.maximum(x[batch_trials] @ arrays[0] + arrays[1], 0)
            z = hidden @ arrays[2] + arrays[3]
            error = np.exp(z - z.max(axis=1, keepdims=True))
            error /= error.sum(axis=1, keepdims=True)
            error[np.arange(len(batch_trials)), y[batch_trials]] -= 1
            error /= len(batch_trials)
            hidden_error = error @ arrays[2].T * (hidden > 0)
            gradients = [
                x[batch_trials].T @ hidden_error * is_connected,
                hidden_error.sum(0),
                hidden.T @ error,
                error.sum(0),
            ]
            step = epoch * n_batches + batch
            rate = RATE * (1 + np.cos(np.pi * step / n_steps)) / 2
            # Adam's correction for moments that start at zero.
            rate *= np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            for a, mean, square, gradient in zip(arrays, means, squares, gradients, strict=True):
                mean += 0.1 * (gradient - mean)
                square += 0.001 * (gradient**2 - square)
                a -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)
        share_correct = (_choose(arrays, held_out[0]) == held_out[1]).mean()
        if share_correct > best_accuracy:
            best_accuracy, best_arrays = share_correct, [a.copy() for a in arrays]
    yield partial(_choose, best_arrays)


def _choose(arrays: Sequence[NDArray], x: NDArray) -> NDArray[np.int64]:
    return (np.maximum(x @ arrays[0] + arrays[1], 0) @ arrays[2] + arrays[3]).argmax(axis=1)
