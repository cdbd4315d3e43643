"""How early the answer is there (L1 to L3): exact step functions of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from whyspiking.contract.types import Trials

FINAL_SHARE = 0.95
ANYTIME_POINTS = 401
"""Times at which the anytime score is kept for the figures."""


@dataclass(frozen=True)
class Answers:
    """Answers of a network to the input up to each of several times.

    Attributes:
        targets: True class, (trial,).
        choices: Class that it names at each time, which stands until the next; (time, trial).
        times_ms: Times of the answers, rising, the last time being the end of the input; (time,).
        n_classes: Number of classes.
    """

    targets: NDArray[np.int64]
    choices: NDArray[np.int64]
    times_ms: NDArray[np.float64]
    n_classes: int


def anytime(outcome: Trials | Answers, times_ms: ArrayLike) -> NDArray[np.float64]:
    """L1: expected accuracy if the network is stopped at t; who has no answer yet guesses.

    Of decisions A(t) = P(correct and decided by t) + P(undecided at t) / K; of answers that may
    change, the share that is right at t, and 1 / K before the first.

    Args:
        outcome: Choices and decision times, or running answers.
        times_ms: Where to evaluate A, (time,), in ms.

    Returns:
        A at each time, (time,).
    """
    steps, scores = _steps(outcome)
    # searchsorted(right): a decision at t counts as taken by t.
    taken = np.searchsorted(steps, np.asarray(times_ms, float), side="right")
    return np.concatenate([[1 / outcome.n_classes], scores])[taken]


def t95(outcome: Trials | Answers) -> float:
    """L2: first time in ms at which 95 % of the final score above chance is there.

    Returns nan where the final score does not exceed chance.
    """
    steps, gain = _gain(outcome)
    if not gain.size:
        return np.nan
    return float(steps[np.argmax(gain >= FINAL_SHARE * gain[-1])])


def speed_area(outcome: Trials | Answers, duration_ms: float) -> float:
    """L3: mean over the trial of (A(t) - c) / (A(end) - c); 1 if all is known at once.

    Args:
        outcome: Choices and decision times, or running answers.
        duration_ms: Length of a trial in ms.

    Returns:
        The area; nan where the final score does not exceed chance.
    """
    steps, gain = _gain(outcome)
    if not gain.size:
        return np.nan
    # A is constant from one step to the next, and at chance before the first.
    lengths = np.diff(np.append(steps, duration_ms))
    return float((gain * lengths).sum() / (duration_ms * gain[-1]))


def settled(answers: Answers) -> Trials:
    """Answers as decisions: each falls when the last answer is named for good.

    For controls beside networks whose own decision is that of a running vote.
    """
    final = answers.choices[-1]
    other = answers.choices != final
    last_other = len(other) - 1 - other[::-1].argmax(axis=0)
    first = np.where(other.any(axis=0), last_other + 1, 0)
    return Trials(answers.targets, final, answers.times_ms[first], answers.n_classes)


def _gain(outcome: Trials | Answers) -> tuple[NDArray, NDArray]:
    """Steps of A, and its gain over chance from each on; no step where it ends at chance."""
    steps, scores = _steps(outcome)
    gain = scores - 1 / outcome.n_classes
    return (steps, gain) if (gain[-1:] > 0).any() else (steps[:0], gain[:0])


def _steps(outcome: Trials | Answers) -> tuple[NDArray, NDArray]:
    """Times at which A changes, rising, and its value from each on; both (step,)."""
    if isinstance(outcome, Answers):
        return outcome.times_ms, (outcome.choices == outcome.targets).mean(axis=1)
    known = (outcome.choices >= 0) & np.isfinite(outcome.decision_ms)
    order = np.argsort(outcome.decision_ms[known], kind="stable")
    decided = outcome.decision_ms[known][order]
    correct = (outcome.choices == outcome.targets)[known][order]
    n = outcome.targets.size
    steps = np.unique(decided)
    taken = np.searchsorted(decided, steps, side="right")
    right = np.concatenate([[0], np.cumsum(correct)])[taken]
    return steps, (right + (n - taken) / outcome.n_classes) / n
