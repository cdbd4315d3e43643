"""Random numbers of the published script, and what they tell of the released network.

S4NN.py (SRKH/S4NN, commit 4e7a86f) seeds one stream with 0 (line 92). It draws from it the weights
of both layers, neuron by neuron (93-96), and after every epoch new input weights for the hidden
neurons that were silent, in their order (237-240).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

SEED, LIMIT = 0, 5.0
"""Of the stream; and the highest input weight that is drawn (line 29)."""
IMAGES, LOST = 60_000, 0.2 * 1e-6
"""Images of an epoch (115), and the share of a weight that is lost with each (27, 28, 180)."""
SAME = 1e-6
"""Epochs by which ages of a neuron's pixels may differ if they were drawn so: rounding alone."""


def stream() -> np.random.Generator:
    """The script's stream before its first draw, as a generator that a checkpoint can keep."""
    bits = np.random.MT19937()
    np.random.RandomState(bits).seed(SEED)
    return np.random.Generator(bits)


def provenance(arrays: Mapping[str, NDArray], dark: NDArray) -> dict[str, float]:
    """How a network was made, read off weights that can but decay: those of pixels without ink.

    With every image a weight loses the share eta lambda (Eq. 6), so the logarithm of what is left
    of a draw tells its age; it is the same for all such pixels only if the draw is the right one.

    Args:
        arrays: w_hidden (pixel, hidden) and w_output (hidden, class).
        dark: Which pixels have ink in no training image, (pixel,).

    Returns:
        `released_first`, hidden neurons whose weights are the first draw of the stream;
        `released_epochs`, their age; `released_resets`, others that are redraws of it, in its
        order, each a whole number of epochs old.
    """
    weights, draws = arrays["w_hidden"].T, stream()
    left, epoch = weights[:, dark], IMAGES * np.log1p(-LOST)

    def ages(drawn: NDArray, now: NDArray) -> tuple[NDArray, NDArray]:
        found = np.log(now / drawn[..., dark]) / epoch
        return found.mean(axis=-1), np.ptp(found, axis=-1) < SAME

    age, first = ages(draws.uniform(0, LIMIT, weights.shape), left)
    draws.random(arrays["w_output"].shape)
    others, redrawn = np.flatnonzero(~first), draws.uniform(0, LIMIT, weights.shape)
    since, fits = ages(redrawn, left[others, None])
    which = fits.argmax(axis=1)
    at = np.arange(others.size)
    since, fits = since[at, which], fits[at, which]
    # Redraws come epoch by epoch, in one epoch neuron by neuron.
    order = np.lexsort((others, -np.rint(since)))
    whole = fits & (np.abs(since - np.rint(since)) < SAME)
    return {
        "released_first": float(first.sum()),
        "released_epochs": float(np.median(age[first])) if first.any() else np.nan,
        "released_resets": float((whole[order] & (which[order] == at)).sum()),
    }
