"""The graded twin: the same neuron with everything but the spike (README, section 13).

What a neuron sends is how far its membrane is above the threshold, in place of 1 if it is above;
reset, adaptation, weights and time constants are those of the spiking neuron.
What it sends may be rounded to a few bits, and sent only when it has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.bohte.model import Array

CELLS: Mapping[str, Callable[[Array], Array]] = {"graded": jax.nn.relu}
"""Cell -> what it sends of the distance between membrane and threshold."""
LIMITS = ("most_0", "bits_0")
"""Arrays of a twin whose values are rounded: the largest one, bits of each. Not learned."""
SHARES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
"""Of the values that are sent, how many may be sent without being cut."""


def rounded(values: Array, most: Array, bits: Array) -> Array:
    """Values of a few bits, evenly from 0 to `most`; what is above it is sent as that.

    Their derivative is that of the values before rounding: 1 within the limits (straight through).
    """
    level, inside = most / (2**bits - 1), jnp.clip(values, 0.0, most)
    whole, kept = jax.lax.stop_gradient((level * jnp.round(inside / level), inside))
    return whole + (inside - kept)  # 0 to the last bit, so that equal values stay equal


def fire(cell: str, limits: tuple[Array, Array] | None) -> Callable[[Array, Array], Array]:
    """Membrane and threshold -> what a neuron sends.

    Args:
        cell: One of `CELLS`.
        limits: Largest value and bits of every message; None: values are sent whole.
    """

    def send(u: Array, theta: Array) -> Array:
        values = CELLS[cell](u - theta)
        return values if limits is None else rounded(values, *limits)

    return send


def coarser(
    network: ct.Network, sent: NDArray, bits: int, score: Callable[[Mapping[str, NDArray]], float]
) -> ct.Network:
    """A trained twin whose neurons send values of a few bits; nothing else is changed.

    Args:
        network: The twin, of one layer.
        sent: What its neurons send on validation data, (trial, time, neuron). The largest value
            is one of its quantiles (`SHARES`), since few values are large.
        bits: Of every message.
        score: Arrays -> what the quantile is chosen by.
    """
    own = network.again()
    tried = [
        {
            **own.arrays,
            "most_0": np.array(most, np.float32),
            "bits_0": np.array(bits, np.float32),
        }
        for most in np.quantile(sent[sent > 0], SHARES)
    ]
    return ct.Network(max(tried, key=score), own.info)
