"""Randman: classes that only the times of spikes tell apart.

A sample is a point of a smooth random manifold, one manifold a class; each of its coordinates is
the time at which one input fires, once. So every input fires once in every sample, whatever the
class: counts tell nothing.

Definition: Zenke and Vogels, "The remarkable robustness of surrogate gradient learning for
instilling complex function in spiking neural networks", Neural Computation 33(4), 2021, eq. 1.
Three dimensions (task.yaml), smoother manifolds than theirs and jitter, so that neither a line nor
a random layer separates the classes (see `PUBLISHED` for theirs).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import ExperimentParameters, Split
from whyspiking.tasks.generators import Latencies
from whyspiking.tasks.parameters import SharedTaskParameters

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SEED_PREFIX = 2033
"""First word of the seed of the data; the second is the seed of the network."""
MOST_HARMONICS = 1000
"""However rough a manifold is."""
FAINTEST = 1e-3
"""Harmonics whose amplitude falls below this share of the first are left out."""


@dataclass(frozen=True)
class Settings:
    """What a set is drawn from.

    Attributes:
        n_inputs: Coordinates of a sample, each the time of one input.
        n_classes: Manifolds.
        dimension: Of each manifold.
        alpha: Smoothness; amplitudes of harmonics fall as 1 / k ** alpha.
        span_ms: Times lie between 0 and this, but for jitter.
        jitter_ms: Standard deviation of normal noise on every time.
    """

    n_inputs: int = 20
    n_classes: int = 10
    dimension: int = 2
    alpha: float = 2.0
    span_ms: float = 50.0
    jitter_ms: float = 2.0


PUBLISHED = Settings(dimension=1, alpha=1.0, jitter_ms=0.0)
"""As in the paper: a random hidden layer of 100 units solves it."""


@dataclass(frozen=True, init=False)
class RandmanParameters(SharedTaskParameters):
    """Parameters of the shared task, as in `Settings`."""

    dimension: int
    smoothness: float
    jitter_ms: float


def draw_latencies(params: ExperimentParameters, split: Split) -> Latencies:
    """Samples of one split; the manifolds and all splits are drawn from the seed of the network.

    Args:
        params: Numbers of samples, inputs and classes; `dimension`, `smoothness`, `jitter_ms`,
            `window_ms` and the seed.
        split: "train", "validation" or "test".
    """
    task = RandmanParameters.of(params)
    sizes = [task.n_trials(name) for name in SPLITS]
    settings = Settings(
        n_inputs=task.n_input,
        n_classes=task.n_output,
        dimension=task.dimension,
        alpha=task.smoothness,
        span_ms=task.window_ms,
        jitter_ms=task.jitter_ms,
    )
    times, classes = _draw_set(task.seed, -(-sum(sizes) // task.n_output), settings)
    first = sum(sizes[: SPLITS.index(split)])
    chosen = slice(first, first + sizes[SPLITS.index(split)])
    return Latencies(times[chosen], times[chosen] / task.window_ms, classes[chosen])


@functools.lru_cache(maxsize=2)
def _draw_set(seed: int, per_class: int, settings: Settings) -> tuple[NDArray, NDArray]:
    return generate(np.random.SeedSequence([SEED_PREFIX, seed]), per_class, settings)


def generate(
    seed: np.random.SeedSequence, per_class: int, settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw manifolds, and points on each.

    Every input of every class spans the whole of [0, span] over the points drawn, before jitter; a
    time that jitter moves out of it is reflected.

    Args:
        seed: Of the whole set; splits are parts of one set, since the manifolds are drawn with it.
        per_class: Points on each manifold.
        settings: What they are drawn from.

    Returns:
        Times in ms (sample, input), and classes (sample,), in random order.
    """
    rng = np.random.default_rng(seed)
    n, dimension = settings.n_inputs, settings.dimension
    times = np.empty((settings.n_classes, per_class, n))
    for manifold in times:
        # Of every harmonic, input and dimension: amplitude, frequency, phase.
        drawn = rng.random((3, n, dimension, _harmonics(settings.alpha)))
        manifold[:] = _embed(rng.random((per_class, dimension)), drawn, settings.alpha)
    low, high = times.min(axis=1, keepdims=True), times.max(axis=1, keepdims=True)
    times = settings.span_ms * (times - low) / (high - low)
    times = times.reshape(-1, n)
    times += settings.jitter_ms * rng.standard_normal(times.shape)
    times = settings.span_ms - np.abs(settings.span_ms - np.abs(times))
    classes = np.repeat(np.arange(settings.n_classes), per_class)
    order = rng.permutation(len(classes))
    return times[order], classes[order]


def _harmonics(alpha: float) -> int:
    return min(int(np.ceil(FAINTEST ** (-1.0 / alpha))), MOST_HARMONICS)


def _embed(points: NDArray, drawn: NDArray, alpha: float) -> NDArray[np.float64]:
    """Points of the unit cube (point, dimension) on a manifold, (point, input)."""
    amplitude, frequency, phase = drawn
    k = np.arange(1, amplitude.shape[-1] + 1)
    found = np.ones((len(points), len(amplitude)))
    for d in range(points.shape[1]):
        # (point, input, harmonic)
        angle = k * (points[:, d, None, None] * frequency[:, d]) + phase[:, d]
        found *= (k**-alpha * amplitude[:, d] * np.sin(2 * np.pi * angle)).sum(axis=-1)
    return found
