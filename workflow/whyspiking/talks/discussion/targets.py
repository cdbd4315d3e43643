"""What is approximated: three functions on [0, 1] or [0, 1]^4, and their relatives by seed.

Every target is a mean of ridge functions g(u), u in [0, 1] a weighted mean of the inputs (README,
section 2). Seed 0 has the functions as defined, other seeds draw phases and the place of the root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EXTREMUM = 0.5
"""Added to the slope, in units of the largest, where pieces of constants are laid out."""
GRID = np.linspace(0.0, 1.0, 20_001)
FREQUENCIES = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
"""Of the five cosines, periods per unit of each input."""


@dataclass(frozen=True)
class Ridge:
    """One function of one projection of the input.

    Attributes:
        value: g(u).
        warp: Order of the best approximation -> a growing function of u; pieces between points at
            which it grows by equal amounts share the error equally.
        weights: What u takes of each input, (input,); sum 1.
    """

    value: Callable[[NDArray], NDArray]
    warp: Callable[[int], tuple[NDArray, NDArray]]
    weights: NDArray

    def knots(self, n: int, order: int) -> NDArray[np.float64]:
        """Ends of n pieces, (n + 1,): lines (order 2) or constants (order 1), best in RMS.

        Pieces of order m that share the error have lengths as |g^(m)|^(-2 / (2 m + 1)).
        """
        u, amount = self.warp(order)
        return np.interp(np.linspace(0, 1, n + 1), (amount - amount[0]) / np.ptp(amount), u)


def of(name: str, seed: int) -> tuple[Ridge, ...]:
    """The ridge functions of which a target is the mean.

    Args:
        name: "sine", "root" or "cosines".
        seed: 0 for the functions as defined.
    """
    rng = np.random.default_rng([seed, 35])
    if name == "root":
        return (_root(1 / np.pi if seed == 0 else rng.uniform(0.2, 0.8)),)
    if name == "sine":
        shift = rng.uniform(0, 2 * np.pi) if seed else 0.0
        return (_wave(np.ones(1), 0.4, 0.5, shift - np.pi / 2),)
    phases = rng.uniform(0, 2 * np.pi, len(FREQUENCIES))
    return tuple(_wave(k, 1.0, 0.0, phase) for k, phase in zip(FREQUENCIES, phases, strict=True))


NAMES = ("sine", "root", "cosines")
"""f1 = 0.5 + 0.4 sin 2 pi x; f2 = |x - 1/pi|^0.5; f3 = the mean of five cosines on [0, 1]^4."""


def values(ridges: tuple[Ridge, ...], x: NDArray) -> NDArray[np.float64]:
    """The target at points x, (point, input); (point,)."""
    return np.mean([ridge.value(x @ ridge.weights) for ridge in ridges], axis=0)


def _wave(periods: NDArray, height: float, middle: float, phase: float) -> Ridge:
    k = periods.sum()

    def warp(order: int) -> tuple[NDArray, NDArray]:
        # Derivatives of a cosine are cosines. No constant may span a whole extremum.
        bend = np.abs(np.cos(2 * np.pi * k * GRID + phase + order * np.pi / 2))
        bend += EXTREMUM * (order == 1)
        return GRID, np.cumsum(bend ** (2 / (2 * order + 1)))

    return Ridge(lambda u: middle + height * np.cos(2 * np.pi * k * u + phase), warp, periods / k)


def _root(place: float) -> Ridge:
    def warp(order: int) -> tuple[NDArray, NDArray]:
        power = 1 / (2 * order + 1)  # |u - place|^((1/2 - order) 2 / (2 order + 1)), integrated
        amount = np.linspace(-(place ** (2 * power)), (1 - place) ** (2 * power), GRID.size)
        return place + np.sign(amount) * np.abs(amount) ** (0.5 / power), amount

    return Ridge(lambda u: np.sqrt(np.abs(u - place)), warp, np.ones(1))
