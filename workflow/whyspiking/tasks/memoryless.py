"""Memoryless baselines: which accuracy classifiers without memory reach on a task.

All tasks have the same baselines, which the protocol.yaml of the shared benchmark lists. A baseline
receives a part of the raster, such as the spike counts, scaled by the training trials. It decides
by ridge regression, by 64 ReLU units (Adam, cosine decay, the epoch with the best validation
accuracy) or by nearest neighbours. If there are several settings, the setting with the best
validation accuracy is used. Test trials are evaluated once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """Step of the first spike of every input, the number of steps where there is none."""
    left = np.arange(x.shape[1], 0, -1, dtype=np.float32)
    return x.shape[1] - (x * left[:, None]).max(axis=1)


def ranks(x: NDArray) -> NDArray:
    """Rank of every input's first spike."""
    return latencies(x).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")


def coarse(size: int, x: NDArray) -> NDArray:
    """Counts in bins of some steps, (trial, bin x input)."""
    starts = np.arange(0, x.shape[1], size)
    return np.add.reduceat(x, starts, axis=1).reshape(len(x), -1)


def traces(taus_ms: Sequence[float], dt_ms: float, x: NDArray) -> NDArray:
    """What leaky sums of every input have left at the end, (trial, tau x input)."""
    age = dt_ms * np.arange(x.shape[1])[::-1]
    kept = np.exp(-age / np.asarray(taus_ms, float)[:, None]).astype(np.float32)
    return np.matmul(kept, x).reshape(len(x), -1)


@dataclass(frozen=True, init=False)
class BaselineParameters(ct.ExperimentParameters):
    """Parameters of the memoryless baselines.

    Attributes:
        trial_ms: Length of a trial.
        floor_epochs: Number of epochs of the ReLU units.
        bin_ms: Length of the bins of spike counts.
        last_ms: `last_relu` receives the spikes of this time before the end.
        groups: First and last input of each group of inputs, for `group_relu`.
    """

    trial_ms: float
    floor_epochs: int
    bin_ms: float
    last_ms: float
    groups: Sequence[tuple[int, int]]


def floors(params: BaselineParameters, rng: np.random.Generator) -> dict[str, Any]:
    """Name of a baseline -> what it receives, in each setting, and what decides."""
    relu = partial(_relu, rng, params.floor_epochs, 1)
    whole = partial(coarse, round(params.bin_ms / params.dt_ms))
    last = round((params.trial_ms - params.last_ms) / params.dt_ms)
    counts, pooled = partial(np.sum, axis=1), partial(np.sum, axis=2)

    def alone(first: int, end: int) -> Reading:
        return lambda x: whole(x[:, :, first:end])

    def leaky(*taus_ms: float) -> Reading:
        return partial(traces, taus_ms, params.dt_ms)

    return {
        "counts_linear": ([counts], _line),
        "counts_relu": ([counts], relu),
        "latencies_linear": ([latencies], _line),
        "latencies_relu": ([latencies], relu),
        "ranks_relu": ([ranks], relu),
        "pooled_linear": ([pooled], _line),
        "pooled_relu": ([pooled], relu),
        "last_relu": ([lambda x: x[:, last:].sum(axis=1)], relu),
        "group_relu": ([alone(*group) for group in params.groups], relu),
        "trace_linear": ([leaky(tau) for tau in TAUS_MS], _line),
        "trace_relu": ([leaky(tau) for tau in FEW_TAUS_MS], relu),
        "traces_relu": ([leaky(*TWO_TAUS_MS)], relu),
        "random_ridge": ([whole], partial(_random, rng)),
        "neighbours": ([whole], _near),
        "halves_relu": ([whole], partial(_relu, rng, params.floor_epochs, 2)),
        "reference": ([whole], relu),
    }


def accuracy(
    readings: Sequence[Reading], fit: Any, data: Mapping[str, Split], n_classes: int
) -> float:
    """Test accuracy of one baseline, in the setting with the best validation accuracy.

    Args:
        readings: What it may receive of the raster.
        fit: Of training and validation trials, what may decide.
        data: Raster (trial, step, input) and classes (trial,) of each split.
        n_classes: Number of classes.
    """
    found = []
    for reading in readings:
        told = reading(data["train"][0])
        middle, spread = told.mean(axis=0), told.std(axis=0) + 1e-6

        def scaled(x: NDArray, told: Any = (reading, middle, spread)) -> NDArray:
            return ((told[0](x) - told[1]) / told[2]).astype(np.float32)

        held_out = (scaled(data["validation"][0]), data["validation"][1])
        training = (((told - middle) / spread).astype(np.float32), data["train"][1])
        for decide in fit(training, held_out, n_classes):
            share = (decide(held_out[0]) == held_out[1]).mean()
            found.append((share, len(found), scaled, decide))
    _, _, scaled, decide = max(found)
    return float((decide(scaled(data["test"][0])) == data["test"][1]).mean())


def _line(training: Split, held_out: Split, n_classes: int) -> Iterator[Decide]:
    """Ridge regression on the classes, one for each penalty."""
    x, wanted = _one(training[0]), np.eye(n_classes, dtype=np.float32)[training[1]] - 1 / n_classes
    square, product = x.T @ x, x.T @ wanted
    for penalty in PENALTIES:
        w = np.linalg.solve(square + penalty * len(x) * np.eye(len(square)), product)
        yield lambda told, w=w: (_one(told) @ w).argmax(axis=1)


def _one(x: NDArray) -> NDArray:
    return np.column_stack([x, np.ones(len(x), np.float32)])


def _random(
    rng: np.random.Generator, training: Split, held_out: Split, n_classes: int
) -> Iterator[Decide]:
    """A line on random ReLU units."""
    n = training[0].shape[1]
    w = rng.normal(0, 1 / np.sqrt(n), (n, RANDOM)).astype(np.float32)
    b = rng.uniform(-1, 1, RANDOM).astype(np.float32)
    hidden = np.maximum(training[0] @ w + b, 0)
    for decide in _line((hidden, training[1]), held_out, n_classes):
        yield lambda x, decide=decide: decide(np.maximum(x @ w + b, 0))


def _near(training: Split, held_out: Split, n_classes: int) -> Iterator[Decide]:
    """The most frequent class among the nearest trials, for each number of them."""
    known, classes = training[0][:NEAREST], training[1][:NEAREST]
    for k in (k for k in NEIGHBOURS if k < len(known)):

        def decide(x: NDArray, k: int = k) -> NDArray[np.int64]:
            near = np.argpartition((known**2).sum(axis=1) - 2 * x @ known.T, k, axis=1)[:, :k]
            votes = (classes[near][:, :, None] == np.arange(n_classes)).sum(axis=1)
            return votes.argmax(axis=1)

        yield decide


def _relu(
    rng: np.random.Generator,
    epochs: int,
    parts: int,
    training: Split,
    held_out: Split,
    n_classes: int,
) -> Iterator[Decide]:
    """One layer of ReLU units, each on one of equal parts of the input: their votes add."""
    (x, y), n = training, training[0].shape[1]
    there = np.arange(n)[:, None] * parts // n == np.arange(UNITS) % parts
    w1 = there * rng.normal(0, np.sqrt(2 * parts / n), (n, UNITS))
    w2 = rng.normal(0, np.sqrt(2 / UNITS), (UNITS, n_classes))
    arrays = [a.astype(np.float32) for a in (w1, np.zeros(UNITS), w2, np.zeros(n_classes))]
    means, squares = ([np.zeros_like(a) for a in arrays] for _ in range(2))
    batches = max(1, len(x) // BATCH)
    steps, best, kept = epochs * batches, -1.0, arrays
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        for batch in range(batches):
            chosen = order[batch * BATCH :][:BATCH]
            hidden = np.maximum(x[chosen] @ arrays[0] + arrays[1], 0)
            z = hidden @ arrays[2] + arrays[3]
            off = np.exp(z - z.max(axis=1, keepdims=True))
            off /= off.sum(axis=1, keepdims=True)
            off[np.arange(len(chosen)), y[chosen]] -= 1
            off /= len(chosen)
            back = off @ arrays[2].T * (hidden > 0)
            slopes = [x[chosen].T @ back * there, back.sum(0), hidden.T @ off, off.sum(0)]
            step = epoch * batches + batch
            rate = RATE * (1 + np.cos(np.pi * step / steps)) / 2
            rate *= np.sqrt(1 - 0.999 ** (step + 1)) / (1 - 0.9 ** (step + 1))
            for a, mean, square, slope in zip(arrays, means, squares, slopes, strict=True):
                mean += 0.1 * (slope - mean)
                square += 0.001 * (slope**2 - square)
                a -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)
        share = (_choose(arrays, held_out[0]) == held_out[1]).mean()
        if share > best:
            best, kept = share, [a.copy() for a in arrays]
    yield partial(_choose, kept)


def _choose(arrays: Sequence[NDArray], x: NDArray) -> NDArray[np.int64]:
    return (np.maximum(x @ arrays[0] + arrays[1], 0) @ arrays[2] + arrays[3]).argmax(axis=1)
