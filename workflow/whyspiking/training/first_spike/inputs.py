"""Input spike times of first-spike networks."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.training.first_spike import epoch_library


class Inputs:
    """Input spike times of all samples; sorted once.

    Attributes:
        whole: (sample, input), inf where silent; contiguous. Spikes that `sorted` does not name do
            not count.
    """

    def __init__(self, times: ArrayLike, dtype: type[np.floating] = np.float32) -> None:
        """Keep a contiguous array.

        Args:
            times: In units of tau_s, at least 0; (sample, input).
            dtype: float32 or float64, as in `TrainingState`.

        Raises:
            ValueError: If a time is negative or no number.
        """
        self.whole = np.ascontiguousarray(times, dtype)
        if self.whole.ndim != 2 or not (self.whole.min(initial=np.inf) >= 0):
            raise ValueError("input times must be (sample, input), at least 0 and not NaN")
        self._thinned = False

    @functools.cached_property
    def times(self) -> NDArray:
        """Those that count, inf where silent; (sample, input)."""
        if not self._thinned:
            return self.whole
        offsets, inputs = self.sorted
        spike_indices = np.repeat(np.arange(len(self.whole)), np.diff(offsets)), inputs
        times = np.full_like(self.whole, np.inf)
        times[spike_indices] = self.whole[spike_indices]
        return times

    @functools.cached_property
    def sorted(self) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """Where each sample begins, and its finite inputs in the order of time."""
        return epoch_library.presort(self.whole)

    def without(self, share: float, rng: np.random.Generator) -> Inputs:
        """The same inputs with a share of the spikes left out.

        Args:
            share: Probability that a spike is left out.
            rng: Source of the draw.
        """
        offsets, inputs = self.sorted
        is_kept = rng.random(inputs.size, np.float32) >= share
        counts = np.zeros(len(self.whole), np.int64)
        has_spikes = np.diff(offsets) > 0
        starts = offsets[:-1][has_spikes]
        counts[has_spikes] = np.add.reduceat(is_kept, starts, dtype=np.int64) if starts.size else 0
        # A large array is not copied, and order is kept, so nothing has to be sorted again.
        thinned = Inputs.__new__(Inputs)
        thinned.whole, thinned._thinned = self.whole, True
        thinned.sorted = np.concatenate([[0], np.cumsum(counts)]), inputs[is_kept]
        return thinned
