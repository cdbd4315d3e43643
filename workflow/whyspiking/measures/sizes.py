"""How large a network must be for a score, spiking against control (G1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Network

Point = tuple[float, float, int]
"""Parameters, score in [0, 1], trials behind the score."""
MANY = 10**6
"""Trials behind a score that is no share of trials: it only keeps its logit finite."""
POINTS = 101
"""Scores of the common range at which the sizes are compared."""


def parameters(network: Network) -> int:
    """Numbers that training sets: what the network says itself, or the sizes of all its arrays."""
    stated = network.info.get("parameters")
    return int(sum(a.size for a in network.arrays.values()) if stated is None else stated)


def size_ratio(spiking: Sequence[Point], control: Sequence[Point]) -> float:
    """Parameters of the control over those of the spiking network at equal score (G1).

    The logarithm of the parameters is interpolated linearly between the logits of the scores (with
    half a count on either side); the ratio is the geometric mean over the scores that both reach
    within their sizes. Where a larger network is no better than a smaller one, only the smaller one
    counts for its score.

    Args:
        spiking: Size and score of the spiking network at each of its sizes.
        control: The same for the control.

    Returns:
        The ratio, above 1 where the spiking network needs fewer parameters; nan where their ranges
        of scores do not overlap.
    """
    ours, theirs = _curve(spiking), _curve(control)
    low = max(ours[0][0], theirs[0][0])
    high = min(ours[0][-1], theirs[0][-1])
    if not low <= high:
        return np.nan
    scores = np.linspace(low, high, POINTS)
    gaps = np.interp(scores, *theirs) - np.interp(scores, *ours)
    return float(np.exp(gaps.mean()))


def _curve(points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rising logits of the score, and the logarithm of the least parameters that reach each."""
    from scipy import special  # a quarter of a second that most jobs need not spend

    logits, sizes = [], []
    for size, score, trials in sorted(points):
        logit = float(special.logit((score * trials + 0.5) / (trials + 1)))
        if not logits or logit > logits[-1]:
            logits.append(logit)
            sizes.append(float(np.log(size)))
    return np.array(logits), np.array(sizes)
