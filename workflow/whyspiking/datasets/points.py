"""Points of the unit square in two classes, on either side of a sine (NC17's supplement).

ModelDB 190565 has 3,000 of them in `nonlineardata.mat`, drawn evenly; its program
(IZFORCECLASSIFICATION.m) shows the first 2,000. `classes` gives all 3,000 their class.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets import released

FILE = released.File(
    "nonlineardata.mat", "634ff80dab4c1327a692fc0650383afaafa29a6232669195b2754840ff6b94c4"
)
"""The authors' points, from the folder of supplementary figures 10 to 12."""
N_SHOWN = 2000
"""How many of them, the first, are for training."""


def classes(points: NDArray) -> NDArray[np.int64]:
    """1 above z_2 = sin(2 pi z_1), else 0, of points (point, 2)."""
    return (points[:, 1] > np.sin(2 * np.pi * points[:, 0])).astype(np.int64)


def made(n_points: int, rng: np.random.Generator) -> tuple[NDArray, NDArray[np.int64]]:
    """Even points (point, 2) and their classes (point,)."""
    points = rng.random((n_points, 2))
    return points, classes(points)


def read_original(folder: Path | None) -> tuple[NDArray, NDArray[np.int64]]:
    """The authors' points (point, 2) and classes (point,).

    Args:
        folder: `data.originals_dir`.

    Raises:
        Unavailable: If the user does not have the file.
        UserError: If it is another file.
    """
    from scipy.io import loadmat

    held = loadmat(io.BytesIO(FILE.read(folder)), variable_names=("z", "P"))
    return np.asarray(held["z"], float), held["P"].ravel().astype(np.int64)
