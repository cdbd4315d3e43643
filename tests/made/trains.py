"""Spikes put together from parts."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from whyspiking.contract.spikes import Spikes


def spikes_of(parts: Iterable[tuple[ArrayLike, ArrayLike, ArrayLike]], **shape) -> Spikes:
    """Spikes of several parts: times in ms, neurons and trials, single numbers or arrays alike."""
    columns = zip(*(map(np.ravel, np.broadcast_arrays(*part)) for part in parts), strict=True)
    return Spikes.sorted(*map(np.concatenate, columns), **shape)
