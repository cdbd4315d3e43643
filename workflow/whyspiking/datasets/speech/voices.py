"""Who speaks: up to 72 synthetic speakers, and how much each of their utterances varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ENGLISH_DIGITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
)  # fmt: skip
GERMAN_DIGITS = (
    "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun",
)  # fmt: skip
DIGITS = ENGLISH_DIGITS + GERMAN_DIGITS
"""Class -> word of the Spiking Heidelberg Digits: English, then German."""

WORDS = (
    "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go", *ENGLISH_DIGITS,
    "bed", "bird", "cat", "dog", "happy", "house", "marvin", "sheila", "tree", "wow",
    "backward", "forward", "follow", "learn", "visual",
)  # fmt: skip
"""Class -> word of the Speech Commands."""

JITTER = 0.6
"""How much utterances of one speaker vary; 0 would repeat them exactly, noise apart."""
HELD_OUT = (4, 5)
"""Speakers that occur in the test set only, as in the Spiking Heidelberg Digits."""
HELD_OUT_OF_ALL = (37, 40, 41, 45, 48, 51, 54, 57, 65, 66)
"""The same where all 72 speak: drawn once from the last 36, on which nothing was ever chosen."""
ENDINGS = ("", ".", "!", "?", ",")
"""Punctuation after the word, which changes its intonation."""


@dataclass(frozen=True)
class Speaker:
    """A voice of eSpeak NG with a way of speaking.

    Attributes:
        variant: Timbre, one of eSpeak's voice variants.
        accent: eSpeak's English voice; German has one only.
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
    # Further ones: voices with other resonances than those before; the rest was drawn once.
    Speaker("f1", "en-us", 42, 45, 130, 1.00),
    Speaker("m2", "en-us", 47, 61, 122, 1.03),
    Speaker("Alex", "en-gb-x-rp", 60, 63, 117, 1.02),
    Speaker("f3", "en-gb-x-rp", 45, 49, 140, 1.05),
    Speaker("m4", "en-us-nyc", 53, 60, 133, 1.00),
    Speaker("Alicia", "en-us", 58, 62, 125, 0.98),
    Speaker("klatt4", "en-us", 44, 48, 118, 1.00),
    Speaker("Denis", "en-gb-scotland", 48, 52, 131, 0.94),
    Speaker("anika", "en-gb-x-rp", 49, 70, 122, 0.96),
    Speaker("m7", "en-us-nyc", 52, 53, 124, 0.98),
    Speaker("Gene", "en-us", 43, 69, 137, 1.04),
    Speaker("aunty", "en-gb-scotland", 53, 50, 122, 1.05),
    Speaker("m5", "en-gb-x-rp", 52, 60, 124, 1.05),
    Speaker("Hugo", "en-gb-x-rp", 45, 55, 132, 0.98),
    Speaker("shelby", "en-us-nyc", 44, 47, 132, 0.97),
    Speaker("klatt3", "en-us", 50, 57, 128, 0.96),
    Speaker("Mario", "en-us", 56, 70, 127, 1.01),
    Speaker("belinda", "en-gb-scotland", 47, 54, 124, 1.00),
    Speaker("m8", "en-us-nyc", 49, 45, 131, 1.01),
    Speaker("Michael", "en", 48, 65, 112, 1.04),
    Speaker("Andrea", "en-us", 50, 64, 121, 1.00),
    Speaker("adam", "en-us", 40, 49, 138, 1.06),
    Speaker("Mike", "en-gb-scotland", 39, 51, 122, 1.03),
    Speaker("grandma", "en-us-nyc", 45, 54, 128, 0.99),
    Speaker("Henrique", "en-gb-scotland", 44, 52, 113, 1.01),
    Speaker("Jacky", "en", 51, 55, 133, 0.97),
    Speaker("Lee", "en-us", 50, 54, 126, 1.02),
    Speaker("Marco", "en-us-nyc", 44, 42, 119, 0.97),
    Speaker("antonio", "en-gb-x-rp", 50, 54, 124, 1.00),
    Speaker("benjamin", "en-gb-x-rp", 48, 64, 130, 0.96),
    Speaker("boris", "en", 44, 56, 126, 1.00),
    Speaker("caleb", "en-gb-scotland", 53, 50, 133, 1.06),
    Speaker("david", "en", 46, 42, 125, 1.03),
    Speaker("ed", "en-gb-scotland", 40, 51, 128, 1.00),
    Speaker("edward2", "en", 55, 57, 122, 0.98),
    Speaker("gustave", "en", 47, 57, 121, 1.02),
    Speaker("ian", "en-gb-x-rp", 53, 53, 126, 0.98),
    Speaker("iven", "en-gb-scotland", 46, 43, 121, 1.00),
    Speaker("john", "en-gb-scotland", 42, 53, 122, 0.99),
    Speaker("kaukovalta", "en-gb-scotland", 51, 63, 125, 1.01),
    Speaker("klatt5", "en-us", 45, 67, 129, 0.99),
    Speaker("klatt6", "en", 49, 58, 126, 0.98),
    Speaker("marcelo", "en-us", 52, 55, 119, 0.96),
    Speaker("michel", "en-gb-scotland", 53, 55, 127, 0.99),
    Speaker("miguel", "en-us", 47, 55, 119, 1.01),
    Speaker("norbert", "en", 43, 65, 132, 0.97),
    Speaker("pablo", "en-us", 56, 53, 125, 0.98),
    Speaker("paul", "en-gb-x-rp", 56, 55, 128, 0.96),
    Speaker("pedro", "en", 46, 59, 135, 0.97),
    Speaker("quincy", "en", 48, 55, 123, 0.95),
    Speaker("rob", "en-us-nyc", 47, 52, 122, 1.03),
    Speaker("robert", "en-gb-scotland", 42, 60, 131, 1.05),
    Speaker("sandro", "en", 44, 53, 135, 1.00),
    Speaker("steph2", "en-gb-x-rp", 43, 49, 121, 1.00),
    Speaker("steph3", "en-us-nyc", 55, 61, 127, 1.06),
    Speaker("travis", "en-us-nyc", 52, 52, 135, 0.99),
    Speaker("victor", "en-gb-x-rp", 42, 62, 126, 1.06),
    Speaker("zac", "en-gb-scotland", 40, 61, 133, 1.04),
    Speaker("Diogo", "en", 50, 62, 125, 1.01),
    Speaker("grandpa", "en-gb-x-rp", 51, 64, 125, 1.02),
)


def held_out(n_speakers: int) -> tuple[int, ...]:
    """Numbers of the speakers that occur in the test set only.

    Args:
        n_speakers: How many the data set has.
    """
    return HELD_OUT_OF_ALL if n_speakers == len(SPEAKERS) else HELD_OUT


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


def manner(speaker: Speaker, word: str, german: bool, rng: np.random.Generator) -> Manner:
    """Draw how a speaker says a word this time.

    Args:
        speaker: Who.
        word: What.
        german: Whether with the German voice.
        rng: Source of the variation; six numbers are drawn.
    """
    rate, pitch, pitch_range, scale, tilt = JITTER * rng.standard_normal(5)
    factor = speaker.scale * (1 + 0.02 * scale)
    return Manner(
        voice=f"{'de' if german else speaker.accent}+{speaker.variant}",
        text=word + ENDINGS[rng.integers(len(ENDINGS))],
        # Resampling by the scale would change the tempo; the rate makes up for it.
        rate=round(0.85 * speaker.rate / speaker.scale * (1 + 0.08 * rate)),
        pitch=int(np.clip(round(speaker.pitch + 6 * pitch), 0, 99)),
        pitch_range=int(np.clip(round(speaker.pitch_range + 15 * pitch_range), 0, 99)),
        scale=factor,
        tilt=0.15 * tilt,
    )


def shape(wave: NDArray, heard_hz: float, how: Manner, rate_hz: float) -> NDArray[np.float64]:
    """Give an utterance its vocal tract and timbre, and cut the silence around it.

    Args:
        wave: As synthesised, (sample,).
        heard_hz: Its sampling rate.
        how: Scale and tilt are used.
        rate_hz: Sampling rate of the result.

    Returns:
        The word with 10 ms before and 20 ms after it, peak 1.
    """
    from scipy.signal import resample

    n_samples = round(wave.size * rate_hz / heard_hz / how.scale)
    shaped = np.asarray(resample(np.asarray(wave, np.float64), n_samples))
    shaped[1:] += how.tilt * shaped[:-1]
    loud = np.flatnonzero(np.abs(shaped) > 0.01 * np.abs(shaped).max())
    start = max(0, loud[0] - round(0.01 * rate_hz))
    stop = min(shaped.size, loud[-1] + 1 + round(0.02 * rate_hz))
    kept = shaped[start:stop]
    return kept / np.abs(kept).max()


def with_noise(wave: NDArray, snr_db: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Add white noise at a ratio of signal to noise, both as mean power.

    Args:
        wave: (sample,).
        snr_db: Signal over noise in dB.
        rng: Source of the noise.
    """
    level = np.sqrt(np.mean(wave**2)) * 10 ** (-snr_db / 20)
    return wave + level * rng.standard_normal(wave.size)
