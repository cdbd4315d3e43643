"""The latency code of images that all first-spike talks share: bright pixels fire early."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def latencies(
    brightness: NDArray, early: float, late: float, *, background: bool
) -> NDArray[np.float64]:
    """Spike times of pixels, linear in their brightness.

    Args:
        brightness: 0 (background) to 1, any shape.
        early: Time of a pixel of brightness 1.
        late: Time of a pixel of brightness 0.
        background: Whether pixels of brightness 0 fire too, at `late`; else they stay silent (inf).

    Returns:
        Times in the unit of `early` and `late`, shape of `brightness`.
    """
    values = np.asarray(brightness, np.float64)
    times = early + (1 - values) * (late - early)
    return np.where(background | (values > 0), times, np.inf)
