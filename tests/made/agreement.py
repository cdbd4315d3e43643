"""How closely two things agree: derivatives, arrays, first spikes."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def slopes(
    loss: Callable[[], float], array: NDArray, step: float = 1e-6, at: Iterable | None = None
) -> NDArray[np.float64]:
    """Central differences of a loss by the entries of an array that it reads.

    Args:
        loss: Called with each entry moved up and down.
        array: In double precision; left as it was.
        step: By how much entries are moved.
        at: Which ones; all that are finite where none are named.

    Returns:
        As the array, 0 where nothing was moved.
    """
    found = np.zeros(array.shape)
    for index in map(tuple, np.argwhere(np.isfinite(array)) if at is None else at):
        kept, ends = array[index], []
        for sign in (1, -1):
            array[index] = kept + sign * step
            ends.append(float(loss()))
        array[index] = kept
        found[index] = (ends[0] - ends[1]) / (2 * step)
    return found


def assert_close(ours: Iterable, theirs: Iterable, share: float, least: float = 0.0) -> None:
    """Pairs of arrays differ by no more than a share of the larger one's largest value."""
    for one, other in zip(ours, theirs, strict=True):
        largest = np.abs(other).max(initial=0)
        np.testing.assert_allclose(one, other, rtol=0, atol=share * largest + least)


def assert_first_spikes(
    recording: Any, expected: dict[str, NDArray], share: float, **quantiles_ms: float
) -> None:
    """The same neurons fire, but for a share, at the same time.

    Args:
        recording: A run of Brian2.
        expected: Population -> first spikes in ms, inf where silent; (trial, neuron).
        share: Of the neurons that must both fire or both be silent.
        quantiles_ms: q50, q90, ... -> largest difference in ms up to that quantile.
    """
    for name, first in expected.items():
        found = recording.spikes[name].first_ms()
        assert (np.isfinite(found) == np.isfinite(first)).mean() > share, name
        both = np.isfinite(found) & np.isfinite(first)
        gaps = np.abs(found[both] - first[both])
        for key, most in quantiles_ms.items():
            assert np.quantile(gaps, int(key[1:]) / 100) < most, (name, key)
