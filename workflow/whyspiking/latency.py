"""How early the answer is there (L1 to L3): exact step functions of the decision times."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.contract import Trials

FINAL_SHARE = 0.95


def anytime(trials: Trials, times_ms: ArrayLike) -> NDArray[np.float64]:
    """L1: expected accuracy if the network is stopped at t; undecided trials guess.

    A(t) = P(correct and decided by t) + P(undecided at t) / K.

    Args:
        trials: Choices and decision times.
        times_ms: Where to evaluate A, (time,), in ms.

    Returns:
        A at each time, (time,).
    """
    decided, correct = _decided(trials)
    # searchsorted(right): a decision at t counts as taken by t.
    taken = np.searchsorted(decided, np.asarray(times_ms, float), side="right")
    right = np.concatenate([[0], np.cumsum(correct)])[taken]
    n = trials.targets.size
    return (right + (n - taken) / trials.n_classes) / n


def t95(trials: Trials) -> float:
    """L2: first time in ms at which 95 % of the final score above chance is there.

    Returns nan where the final score does not exceed chance.
    """
    decided, _ = _decided(trials)
    if decided.size == 0:
        return np.nan
    gain = anytime(trials, decided) - 1 / trials.n_classes
    if gain[-1] <= 0:
        return np.nan
    return float(decided[np.argmax(gain >= FINAL_SHARE * gain[-1])])


def speed_area(trials: Trials, duration_ms: float) -> float:
    """L3: mean over the trial of (A(t) - c) / (A(end) - c); 1 if all is known at once.

    Args:
        trials: Choices and decision times.
        duration_ms: Length of a trial in ms.

    Returns:
        The area; nan where the final score does not exceed chance.
    """
    decided, _ = _decided(trials)
    if decided.size == 0:
        return np.nan
    gain = anytime(trials, decided) - 1 / trials.n_classes
    if gain[-1] <= 0:
        return np.nan
    # A is constant from one decision to the next, and at chance before the first.
    lengths = np.diff(np.append(decided, duration_ms))
    return float((gain * lengths).sum() / (duration_ms * gain[-1]))


def accuracy_by_quartile(trials: Trials) -> NDArray[np.float64]:
    """Accuracy of the fastest to the slowest quarter of the decided trials, (4,).

    Nan where fewer than four trials are decided.
    """
    decided, correct = _decided(trials)
    if decided.size < 4:
        return np.full(4, np.nan)
    return np.array([part.mean() for part in np.array_split(correct, 4)])


def _decided(trials: Trials) -> tuple[NDArray, NDArray]:
    """Sorted decision times of the decided trials, and whether each was correct."""
    known = (trials.choices >= 0) & np.isfinite(trials.decision_ms)
    order = np.argsort(trials.decision_ms[known], kind="stable")
    correct = (trials.choices == trials.targets)[known]
    return trials.decision_ms[known][order], correct[order]
