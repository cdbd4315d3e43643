"""What one speaker's job leaves, without any voice: two of each word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shard(speaker: int, n_words: int) -> dict[str, NDArray]:
    """Arrays of a speaker's file, with spectra that differ between utterances."""
    rng = np.random.default_rng(speaker)
    labels = np.tile(np.arange(n_words), 2)
    n = labels.size
    names = ("repetition", "rate", "pitch", "pitch_range", "scale", "duration_s")
    return {
        "labels": labels.astype(np.uint16),
        "espeak": np.array(["0"] * n),
        **{name: np.zeros(n, np.int16) for name in names},
        "voice": np.array(["en+m1"] * n),
        "text": np.array(["one,"] * n),
        "log_mel": -rng.random((n, 101, 40)).astype(np.float16),
        "start_s": np.zeros(n, np.float32),
    }
