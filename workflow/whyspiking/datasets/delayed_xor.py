"""Delayed exclusive or: are two cues, far apart in time, the same?

Input spikes come in four groups. In each cue either group A or group B fires; after a delay comes
the second cue, then a go signal, and the answer counts while it lasts: 0 where both cues were the
same, 1 where they differed. A background group fires throughout. All that must be kept over the
delay is one bit, and neither cue tells the class by itself.

Our own definition; relatives are store-recall (Bellec et al. 2018) and evidence accumulation
(Bellec et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes

GROUPS = ("A", "B", "go", "background")


@dataclass(frozen=True)
class Settings:
    """How a trial is laid out; times in ms.

    Attributes:
        delay_ms: From the end of the first cue to the start of the second.
        n_per_group: Inputs of each of the four groups.
        cue_ms: Length of a cue.
        gap_ms: From the end of the second cue to the go signal.
        answer_ms: Length of the go signal, in which the answer counts.
        per_cue: Spikes of each input of a group that fires, once a cue (or go signal).
        background_hz: Rate of every input of the background group.
    """

    delay_ms: float
    n_per_group: int = 10
    cue_ms: float = 50.0
    gap_ms: float = 20.0
    answer_ms: float = 50.0
    per_cue: int = 1
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
        Spikes of 4 * n_per_group inputs, groups in the order of `GROUPS`; and classes (trial,): 1
        where the cues differed.
    """
    n = settings.n_per_group
    cues = rng.integers(2, size=(n_trials, 2))
    trials, inputs, times = [], [], []
    windows = ((cues[:, 0], 0.0), (cues[:, 1], settings.second_ms))
    for group, start_ms in (*windows, (np.full(n_trials, GROUPS.index("go")), settings.go_ms)):
        length = settings.answer_ms if start_ms == settings.go_ms else settings.cue_ms
        shape = (n_trials, n, settings.per_cue)
        trial, unit = np.broadcast_arrays(np.arange(n_trials)[:, None, None], np.arange(n)[:, None])
        trials.append(np.broadcast_to(trial, shape).ravel())
        inputs.append(np.broadcast_to(group[:, None, None] * n + unit, shape).ravel())
        times.append((start_ms + length * rng.random(shape)).ravel())
    expected = settings.background_hz * settings.trial_ms * 1e-3
    noise = rng.poisson(expected, (n_trials, n))
    trial, unit = (index.ravel() for index in np.indices(noise.shape))
    trials.append(np.repeat(trial, noise.ravel()))
    inputs.append(np.repeat(unit, noise.ravel()) + GROUPS.index("background") * n)
    times.append(settings.trial_ms * rng.random(noise.sum()))
    spikes = Spikes.sorted(
        *(np.concatenate(part) for part in (times, inputs, trials)),
        n_trials=n_trials,
        n_units=len(GROUPS) * n,
        duration_ms=settings.trial_ms,
    )
    return spikes, (cues[:, 0] != cues[:, 1]).astype(np.int64)
