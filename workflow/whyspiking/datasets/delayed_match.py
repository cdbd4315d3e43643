"""Delayed match to sample: are two cues, far apart in time, the same?

Input spikes come in eight groups. In a cue three of the first six fire: there are twenty cues.
After a delay comes the second cue, then a go signal, and the answer counts while it lasts: 0 where
both cues were the same, 1 where they differed. A background group fires throughout. What must be
kept over the delay is which of twenty cues it was, and neither cue tells the class by itself.

Our own definition, after the delayed match to sample of physiology; relatives are store-recall
(Bellec et al. 2018) and evidence accumulation (Bellec et al. 2020).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes

CUE_GROUPS, FIRING = 6, 3
CUES = np.array(list(itertools.combinations(range(CUE_GROUPS), FIRING)))
"""Groups that fire in each cue, (cue, group)."""
GO, BACKGROUND = CUE_GROUPS, CUE_GROUPS + 1
N_GROUPS = CUE_GROUPS + 2


@dataclass(frozen=True)
class Settings:
    """How a trial is laid out; times in ms.

    Attributes:
        delay_ms: From the end of the first cue to the start of the second.
        n_per_group: Inputs of each of the eight groups.
        cue_ms: Length of a cue.
        gap_ms: From the end of the second cue to the go signal.
        answer_ms: Length of the go signal, in which the answer counts.
        background_hz: Rate of every input of the background group.
    """

    delay_ms: float
    n_per_group: int = 5
    cue_ms: float = 50.0
    gap_ms: float = 20.0
    answer_ms: float = 50.0
    background_hz: float = 10.0

    @property
    def second_ms(self) -> float:
        """Start of the second cue."""
        return self.cue_ms + self.delay_ms

    @property
    def go_ms(self) -> float:
        """Start of the go signal."""
        return self.second_ms + self.cue_ms + self.gap_ms

    @property
    def trial_ms(self) -> float:
        """Length of a trial."""
        return self.go_ms + self.answer_ms


def generate(
    rng: np.random.Generator, n_trials: int, settings: Settings
) -> tuple[Spikes, NDArray[np.int64]]:
    """Draw trials.

    Args:
        rng: Of one split; as many fresh trials can be drawn as training needs.
        n_trials: Number of trials.
        settings: How each is laid out.

    Returns:
        Spikes of `N_GROUPS` * n_per_group inputs, each once in a cue or go signal in which its
        group fires; and classes (trial,): 1 where the cues differed, half of them on average.
    """
    n = settings.n_per_group
    first = rng.integers(len(CUES), size=n_trials)
    classes = rng.integers(2, size=n_trials)
    second = (first + classes * rng.integers(1, len(CUES), size=n_trials)) % len(CUES)
    go = np.full((n_trials, 1), GO)
    trials, inputs, times = [], [], []
    for groups, start_ms, length_ms in (
        (CUES[first], 0.0, settings.cue_ms),
        (CUES[second], settings.second_ms, settings.cue_ms),
        (go, settings.go_ms, settings.answer_ms),
    ):
        fired = (groups[:, :, None] * n + np.arange(n)).reshape(n_trials, -1)
        trials.append(np.repeat(np.arange(n_trials), fired.shape[1]))
        inputs.append(fired.ravel())
        times.append(start_ms + length_ms * rng.random(fired.size))
    expected = settings.background_hz * settings.trial_ms * 1e-3
    noise = rng.poisson(expected, (n_trials, n))
    trial, unit = (index.ravel() for index in np.indices(noise.shape))
    trials.append(np.repeat(trial, noise.ravel()))
    inputs.append(np.repeat(unit, noise.ravel()) + BACKGROUND * n)
    times.append(settings.trial_ms * rng.random(noise.sum()))
    spikes = Spikes.sorted(
        *(np.concatenate(part) for part in (times, inputs, trials)),
        n_trials=n_trials,
        n_units=N_GROUPS * n,
        duration_ms=settings.trial_ms,
    )
    return spikes, classes
