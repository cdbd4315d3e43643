"""Points of the unit square in two classes, on either side of a sine (NC17's supplement).

ModelDB 190565 has 3,000 of them in nonlineardata.mat, drawn evenly; its program
(IZFORCECLASSIFICATION.m) shows the first 2,000. `classes` gives all 3,000 their class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_SHOWN = 2000
"""How many points, the first ones, are for training."""


def classes(points: NDArray) -> NDArray[np.int64]:
    """1 above z_2 = sin(2 pi z_1), else 0, of points (point, 2)."""
    return (points[:, 1] > np.sin(2 * np.pi * points[:, 0])).astype(np.int64)


def made(n_points: int, rng: np.random.Generator) -> tuple[NDArray, NDArray[np.int64]]:
    """Even points (point, 2) and their classes (point,)."""
    points = rng.random((n_points, 2))
    return points, classes(points)
