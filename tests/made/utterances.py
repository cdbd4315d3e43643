"""What one speaker's job leaves, without any voice: two of each word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shard(speaker: int, n_words: int = 20) -> dict[str, NDArray]:
    """Arrays of a speaker's file, spikes that can be told apart included."""
    rng = np.random.default_rng(speaker)
    labels = np.tile(np.arange(n_words), 2)
    n = labels.size
    counts = rng.integers(1, 40, n)
    times = [np.sort(rng.uniform(0, 1, count)).astype(np.float16) for count in counts]
    names = ("repetition", "rate", "pitch", "pitch_range", "scale", "duration_s")
    return {
        "labels": labels.astype(np.uint16),
        "espeak": np.array(["0"] * n),
        **{name: np.zeros(n, np.int16) for name in names},
        "voice": np.array(["en+m1"] * n),
        "text": np.array(["one,"] * n),
        "times": np.concatenate(times),
        "units": (5 * rng.integers(0, 140, counts.sum()) + 2).astype(np.uint16),
        "ptr": np.concatenate([[0], np.cumsum(counts)]),
        "log_mel": -rng.random((n, 101, 40)).astype(np.float16),
        "start_s": np.zeros(n, np.float32),
    }
