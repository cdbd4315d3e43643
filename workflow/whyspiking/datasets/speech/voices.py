"""The speakers: up to 12 synthetic speakers, and how much each of their utterances varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WORDS = (
    "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go",
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "bed", "bird", "cat", "dog", "happy", "house", "marvin", "sheila", "tree", "wow",
    "backward", "forward", "follow", "learn", "visual",
)  # fmt: skip
"""Class -> word of the Speech Commands."""

JITTER = 0.6
"""How much utterances of one speaker vary; 0 would repeat them exactly, noise apart."""
HELD_OUT = (4, 5)
"""Speakers that occur in the test set only."""
ENDINGS = ("", ".", "!", "?", ",")
"""Punctuation after the word, which changes its intonation."""


@dataclass(frozen=True)
class Speaker:
    """A voice of eSpeak NG with a way of speaking.

    Attributes:
        variant: Timbre, one of eSpeak's voice variants.
        accent: eSpeak's English voice.
        pitch: eSpeak's base pitch, 0 to 99.
        pitch_range: eSpeak's range of the pitch, 0 to 99.
        rate: Words per minute.
        scale: Factor on all frequencies, which makes the vocal tract shorter (> 1) or longer.
    """

    variant: str
    accent: str
    pitch: float
    pitch_range: float
    rate: float
    scale: float


SPEAKERS = (
    Speaker("m1", "en", 45, 50, 125, 1.00),
    Speaker("f2", "en-us", 55, 50, 130, 1.00),
    Speaker("m3", "en-gb-scotland", 40, 60, 115, 0.95),
    Speaker("f4", "en-gb-x-rp", 60, 45, 120, 1.05),
    Speaker("Andy", "en", 50, 70, 140, 1.02),
    Speaker("Annie", "en-us", 50, 50, 125, 0.97),
    Speaker("klatt2", "en-us", 45, 40, 135, 1.00),
    Speaker("f5", "en", 45, 60, 120, 1.06),
    Speaker("max", "en-us-nyc", 42, 50, 130, 0.96),
    Speaker("linda", "en-gb-scotland", 55, 55, 118, 1.03),
    Speaker("edward", "en", 38, 60, 122, 0.98),
    Speaker("steph", "en-gb-x-rp", 58, 50, 128, 1.00),
)


@dataclass(frozen=True)
class Manner:
    """How one utterance is spoken: the speaker's manner, varied.

    Attributes:
        voice: eSpeak's name of the voice.
        text: The word, with its punctuation.
        rate: Words per minute, an integer for eSpeak.
        pitch: 0 to 99.
        pitch_range: 0 to 99.
        scale: Factor on all frequencies.
        tilt: Second coefficient of the filter (1, tilt), which tilts the spectrum.
    """

    voice: str
    text: str
    rate: int
    pitch: int
    pitch_range: int
    scale: float
    tilt: float


def manner(speaker: Speaker, text: str, rng: np.random.Generator) -> Manner:
    """Draw the manner of one utterance of a word.

    Args:
        speaker: Who.
        text: The word.
        rng: Source of the variation; six numbers are drawn.
    """
    rate, pitch, pitch_range, scale, tilt = JITTER * rng.standard_normal(5)
    factor = speaker.scale * (1 + 0.02 * scale)
    return Manner(
        voice=f"{speaker.accent}+{speaker.variant}",
        text=text + ENDINGS[rng.integers(len(ENDINGS))],
        # Resampling by the scale would change the tempo; the rate makes up for it.
        rate=round(0.85 * speaker.rate / speaker.scale * (1 + 0.08 * rate)),
        pitch=int(np.clip(round(speaker.pitch + 6 * pitch), 0, 99)),
        pitch_range=int(np.clip(round(speaker.pitch_range + 15 * pitch_range), 0, 99)),
        scale=factor,
        tilt=0.15 * tilt,
    )


def shape(wave: NDArray, wave_hz: float, manner: Manner, rate_hz: float) -> NDArray[np.float64]:
    """Give an utterance its vocal tract and timbre, and cut the silence around it.

    Args:
        wave: As synthesised, (sample,).
        wave_hz: Its sampling rate.
        manner: Scale and tilt are used.
        rate_hz: Sampling rate of the result.

    Returns:
        The word with 10 ms before and 20 ms after it, peak 1.
    """
    from scipy.signal import resample

    n_samples = round(wave.size * rate_hz / wave_hz / manner.scale)
    shaped = np.asarray(resample(np.asarray(wave, np.float64), n_samples))
    shaped[1:] += manner.tilt * shaped[:-1]
    loud = np.flatnonzero(np.abs(shaped) > 0.01 * np.abs(shaped).max())
    start = max(0, loud[0] - round(0.01 * rate_hz))
    stop = min(shaped.size, loud[-1] + 1 + round(0.02 * rate_hz))
    trimmed = shaped[start:stop]
    return trimmed / np.abs(trimmed).max()
