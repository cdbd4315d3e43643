"""Stand-ins for the derivative of a spike, which is zero or infinite where it is not a guess.

Each takes the distance of membrane and threshold, u - theta, and is the derivative that a
backward pass uses in place of that of the step function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

type Surrogate = Callable[[Any], Any]
"""u - theta (array of any shape) -> derivative of the spike by u."""

SQRT_2PI = float(np.sqrt(2 * np.pi))


def multi_gaussian(
    gamma: float = 0.5, height: float = 0.15, scale: float = 6.0, width: float = 0.5
) -> Surrogate:
    """Gaussian with two negative flanks (Yin, Corradi & Bohte 2021).

    gamma [(1 + h) N(x; 0, s) - h N(x; s, ks) - h N(x; -s, ks)], N a normal density.

    Args:
        gamma: Overall factor.
        height: h, weight of the flanks.
        scale: k, width of the flanks over that of the middle.
        width: s, standard deviation of the middle.
    """
    import jax.numpy as jnp

    def density(x: Any, mean: float, sd: float) -> Any:
        return jnp.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * SQRT_2PI)

    def derivative(x: Any) -> Any:
        middle = (1 + height) * density(x, 0.0, width)
        flanks = density(x, width, scale * width) + density(x, -width, scale * width)
        return gamma * (middle - height * flanks)

    return derivative


def triangle(height: float = 0.4, width: float = 1.0) -> Surrogate:
    """Triangle: height max(0, 1 - |x| / width) (Bellec et al. 2018); no exponential."""
    import jax.numpy as jnp

    def derivative(x: Any) -> Any:
        return height * jnp.maximum(0.0, 1 - jnp.abs(x) / width)

    return derivative


def fast_sigmoid(slope: float = 10.0) -> Surrogate:
    """Derivative of a fast sigmoid: 1 / (slope |x| + 1)^2 (Zenke & Ganguli 2018)."""

    def derivative(x: Any) -> Any:
        return 1 / (slope * abs(x) + 1) ** 2

    return derivative


def sigmoid(slope: float) -> Surrogate:
    """Derivative of a logistic function without its factor `slope`: at most 1/4 (Zimmer 2019).

    Args:
        slope: Steepness of the logistic function.
    """
    import jax

    def derivative(x: Any) -> Any:
        rising = jax.nn.sigmoid(slope * x)
        return rising * (1 - rising)

    return derivative


def spike(surrogate: Surrogate) -> Surrogate:
    """The step function H(u - theta) with the surrogate as its derivative.

    Args:
        surrogate: Stand-in for the derivative.

    Returns:
        u - theta -> 1 where it is above 0, else 0.
    """
    import jax

    @jax.custom_jvp
    def fire(distance: Any) -> Any:
        return (distance > 0).astype(distance.dtype)

    @fire.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return fire(primals[0]), surrogate(primals[0]) * tangents[0]

    return fire
