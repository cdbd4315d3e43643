"""A made-up song in place of the zebra finch's (NC17 Fig. 4), whose recording is not published.

What is made is the spectrogram itself, syllable after syllable; there is no sound. Times are in ms,
frequencies in Hz. Equation numbers are those of the talk's README.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOW_HZ, HIGH_HZ = 500.0, 8000.0
"""Centres of the lowest and the highest channel, about what a zebra finch sings in."""
WIDTH_HZ = 200.0
"""Standard deviation of a partial over frequency, of the size of a channel's distance."""
SYLLABLE_MS, GAP_MS = (50.0, 200.0), (20.0, 60.0)
"""Between which two lengths syllables and pauses are drawn."""
PITCH_HZ, SWEEP_HZ = (500.0, 1000.0), (1500.0, 7000.0)
"""Range of a stack's fundamental, which may glide by a fifth, and of a sweep's two ends."""
FALL_HZ = 3000.0
"""Frequency over which the partials of a stack fall to 1/e."""


def frequencies_hz(n_channels: int) -> NDArray[np.float64]:
    """Centres of the channels, (channel,)."""
    return np.linspace(LOW_HZ, HIGH_HZ, n_channels)


class Song:
    """Harmonic stacks and sweeps with rising and falling loudness, periodic, peak 1 (Eq. 33).

    Called with times in ms, it gives (time, channel). No syllable comes twice in a period.
    """

    def __init__(self, duration_ms: float, n_channels: int, rng: np.random.Generator) -> None:
        """Draw syllables from `rng` until the period is full."""
        self.duration_ms = float(duration_ms)
        self.channels_hz = frequencies_hz(n_channels)
        self.syllables: list[tuple[float, float, NDArray, NDArray]] = []
        onset = rng.uniform(*GAP_MS)
        while (length := rng.uniform(*SYLLABLE_MS)) <= duration_ms - onset:
            self.syllables.append((onset, length, *_draw_partials(rng)))
            onset += length + rng.uniform(*GAP_MS)
        self.peak = 1.0
        self.peak = self(np.arange(0.0, duration_ms)).max()

    def __call__(self, times_ms: NDArray) -> NDArray[np.float64]:
        """Loudness at the given times in ms, (time, channel)."""
        times_ms = np.mod(np.asarray(times_ms, float), self.duration_ms)
        loudness_by_channel = np.zeros((times_ms.size, self.channels_hz.size))
        for onset, length, ends_hz, loudness in self.syllables:
            in_syllable = np.flatnonzero((times_ms >= onset) & (times_ms < onset + length))
            progress = ((times_ms[in_syllable] - onset) / length)[:, None]
            # (time, partial)
            partials_hz = ends_hz[0] + (ends_hz[1] - ends_hz[0]) * progress
            distance = (self.channels_hz - partials_hz[:, :, None]) / WIDTH_HZ
            loudness_by_channel[in_syllable] = np.sin(np.pi * progress) * (
                loudness @ np.exp(-0.5 * distance**2)
            )
        return loudness_by_channel / self.peak


def _draw_partials(rng: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Frequencies at start and end (2, partial) and loudness (partial,) of one syllable."""
    if rng.random() < 0.5:
        ends_hz = rng.uniform(*SWEEP_HZ, 2)[:, None]
        return ends_hz, np.ones(1)
    pitch = rng.uniform(*PITCH_HZ)
    ends_hz = pitch * np.array([1.0, 1.5 ** rng.uniform(-1, 1)])
    harmonics = np.arange(1, int(HIGH_HZ / pitch) + 1)
    return np.multiply.outer(ends_hz, harmonics), np.exp(-harmonics * pitch / FALL_HZ)
