"""Element distinctness in time: do two of n inputs fire together?

Every input fires once. In class 0 any two spikes are at least a gap apart. In class 1 one of them
has been moved to within a window of a neighbour, so that two coincide. Only spikes between the
first and the last are moved, to either neighbour alike, and inputs are permuted: neither counts,
nor order, nor the range of times tells the class, and single times hardly do.

After the function "element distinctness" of Maass 1997 (Neural Networks 10, 1659); the draw is
ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Settings:
    """How a trial is drawn; times in ms.

    Attributes:
        n: Inputs, at least 3.
        window_ms: Two spikes no further apart than this coincide.
        gap_ms: Others are at least so far apart.
        per_input_ms: Length of a trial over n.
    """

    n: int
    window_ms: float = 0.25
    gap_ms: float = 3.0
    per_input_ms: float = 6.0

    @property
    def trial_ms(self) -> float:
        """Length of a trial."""
        return self.per_input_ms * self.n


def draw(
    settings: Settings, trials: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times in ms, (trial, input), and classes, (trial,): half of each in random order."""
    n_inputs, gap_ms = settings.n, settings.gap_ms
    free_ms = settings.trial_ms - (n_inputs - 1) * gap_ms
    times = np.sort(rng.uniform(0, free_ms, (trials, n_inputs))) + gap_ms * np.arange(n_inputs)
    classes = rng.permutation(np.arange(trials) % 2)
    all_trials = np.arange(trials)
    i_moved = rng.integers(1, n_inputs - 1, trials)
    side = rng.choice([-1, 1], trials)
    coincident_times = times[all_trials, i_moved + side] - side * rng.uniform(
        0, settings.window_ms, trials
    )
    times[all_trials, i_moved] = np.where(
        classes == 1, coincident_times, times[all_trials, i_moved]
    )
    return rng.permuted(times, axis=1), classes
