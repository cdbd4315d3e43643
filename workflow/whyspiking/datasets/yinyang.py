"""The Yin-Yang data set, generated point for point as published.

Definition: Kriener, Goeltz and Petrovici, "The Yin-Yang dataset", NICE 2022
(doi 10.1145/3517343.3517380). The order of the random draws is that of the authors' generator, so
that the published seeds give the published points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

R_BIG = 0.5
R_SMALL = 0.1
CLASS_NAMES = ("yin", "yang", "dot")
PUBLISHED = {"train": (42, 5000), "validation": (41, 1000), "test": (40, 1000)}
"""Split -> (seed, number of samples) of the published data set."""
FRESH_SEED = 39
"""Seed of further, unseen points beyond the published test set."""


def classify(x: float, y: float) -> int:
    """Class of a point of the unit square: 0 yin, 1 yang, 2 dot.

    Points outside the disc are classified as if the curve continued; `generate` rejects them.

    Args:
        x: Horizontal position, 0 to 1.
        y: Vertical position, 0 to 1.
    """
    d_right = np.sqrt((x - 1.5 * R_BIG) ** 2 + (y - R_BIG) ** 2)
    d_left = np.sqrt((x - 0.5 * R_BIG) ** 2 + (y - R_BIG) ** 2)
    if d_right < R_SMALL or d_left < R_SMALL:
        return 2
    inside_right_eye = d_right <= R_SMALL
    left_bulge = R_SMALL < d_left <= 0.5 * R_BIG
    upper_half = y > R_BIG and d_right > 0.5 * R_BIG
    return int(inside_right_eye or left_bulge or upper_half)


def generate(seed: int, n_samples: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw samples: the class first, then points until one is of that class and in the disc.

    Args:
        seed: Seed of NumPy's legacy generator, as in the published data set.
        n_samples: Number of samples.

    Returns:
        Features (sample, 4) = (x, y, 1 - x, 1 - y) in [0, 1], and classes (sample,).
    """
    # The published points are defined by this legacy generator and no other.
    rng = np.random.RandomState(seed)
    features = np.empty((n_samples, 4))
    classes = np.empty(n_samples, np.int64)
    for sample in range(n_samples):
        goal = rng.randint(3)
        while True:
            x, y = rng.rand(2) * 2.0 * R_BIG
            outside = np.sqrt((x - R_BIG) ** 2 + (y - R_BIG) ** 2) > R_BIG
            if not outside and classify(x, y) == goal:
                break
        features[sample] = x, y, 1.0 - x, 1.0 - y
        classes[sample] = goal
    return features, classes


def completed(features: NDArray, is_known: NDArray) -> NDArray[np.float64]:
    """Complete features from those that are known: each coordinate comes twice, as x and as 1 - x.

    Args:
        features: (sample, 4), from `generate`.
        is_known: Which of them are known, (sample, 4).

    Returns:
        (sample, 4); 1/2, the mean, where neither of the two is known.
    """
    # Two columns further on stands the mirror.
    mirrored = np.where(np.roll(is_known, 2, axis=1), 1 - np.roll(features, 2, axis=1), 0.5)
    return np.where(is_known, features, mirrored)


def grid(n_side: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A regular grid over the unit square, for maps of decisions.

    Args:
        n_side: Points along each side.

    Returns:
        Features (n_side * n_side, 4), row by row with x running fastest, and whether each point
        lies in the disc.
    """
    side = np.linspace(0.0, 2.0 * R_BIG, n_side)
    y, x = (values.ravel() for values in np.meshgrid(side, side, indexing="ij"))
    inside = (x - R_BIG) ** 2 + (y - R_BIG) ** 2 <= R_BIG**2
    return np.stack([x, y, 1.0 - x, 1.0 - y], axis=1), inside
