"""The spoken words: what each speaker says within a second, as logarithmic mel spectra.

Bands, window and hop are those of Zimmer, Pellegrini, Singh and Masquelier 2019 (arXiv 1911.10124);
the words those of the Speech Commands (Warden 2018, arXiv 1804.03209).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Progress
from whyspiking.datasets.speech import corpus, voices
from whyspiking.records import array_files

NAME = "spoken words (synthetic voices, logarithmic mel spectra)"
CITATION = (
    "words: Warden, Speech Commands, 2018, arXiv 1804.03209; features: Zimmer, Pellegrini, Singh "
    "and Masquelier, 2019, arXiv 1911.10124; voices: eSpeak NG"
)
RATE_HZ = 16000
WINDOW, HOP = 480, 160
"""Samples: 30 ms and 10 ms."""
N_BANDS = 40
LOWEST_HZ, HIGHEST_HZ = 20.0, 4000.0
SNR_DB = (10.0, 35.0)
FLOOR = 1e-6
"""Smallest power that is told from none, relative to the largest of the clip."""


def speak(settings: Mapping[str, Any], speaker: int, path: Path, progress: Progress) -> None:
    """Let one speaker say all words, and store their spectra.

    Must be the first thing that a process does with eSpeak NG; see `espeak`.

    Args:
        settings: `data.words` of the config.
        speaker: Which, from 0; also the seed of everything that is drawn.
        path: The .npz to write.
        progress: Called with the fraction done.
    """
    streams = Streams(speaker)
    noise, where = streams.rng("words noise"), streams.rng("words place")
    words = voices.WORDS[: int(settings["words"])]
    said, spectra, starts = [], [], []
    for utterance in corpus.utterances(speaker, words, int(settings["repetitions"]), RATE_HZ):
        # A word longer than a second loses its end, as recordings of a second do.
        word = utterance.wave[:RATE_HZ]
        start = int(where.integers(RATE_HZ - word.size + 1))
        clip = np.zeros(RATE_HZ)
        clip[start : start + word.size] = word
        level = np.sqrt(np.mean(word**2)) * 10 ** (-noise.uniform(*SNR_DB) / 20)
        clip += level * noise.standard_normal(RATE_HZ)
        spectra.append(log_mel(clip).astype(np.float16))
        starts.append(start / RATE_HZ)
        said.append(utterance)
    progress(1.0, f"{len(said)} words")
    arrays = {"log_mel": np.stack(spectra), "start_s": np.array(starts, np.float32)}
    array_files.save_arrays(arrays | corpus.facts(said), path)


def gather(shards: Sequence[Path], folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """Put what all speakers said into one file per part and a table.

    Args:
        shards: Files of `speak`, speaker by speaker.
        folder: Of the data set.

    Returns:
        The files, and facts about them for the description.
    """
    index = corpus.Index.of([array_files.load_arrays(path) for path in shards])
    words = voices.WORDS[: 1 + max(int(shard["labels"].max()) for shard in index.shards)]
    files = []
    for name in ("train", "test"):
        chosen, told = index.part(name)
        log_mel = np.stack([shard["log_mel"][place] for shard, place in chosen])
        path = folder / f"words_{name}.npz"
        array_files.save_arrays({"log_mel": log_mel, **told, "words": np.array(words)}, path)
        files.append(path)
    path = folder / "samples.csv"
    corpus.table(path, index, words, {"start_s": [shard["start_s"] for shard in index.shards]})
    return [*files, path], index.summary()


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was used to make the data, beyond the settings, `data.words` of the config."""
    return {
        "jitter": voices.JITTER,
        "snr_db": list(SNR_DB),
        "rate_hz": RATE_HZ,
        "window_ms": 1000 * WINDOW / RATE_HZ,
        "hop_ms": 1000 * HOP / RATE_HZ,
        "bands": N_BANDS,
        "lowest_hz": LOWEST_HZ,
        "highest_hz": HIGHEST_HZ,
        "value": "natural logarithm of mel power over the largest of the clip",
    }


def log_mel(clip: NDArray) -> NDArray[np.float64]:
    """Logarithmic mel spectrum of a clip, 0 at its loudest, (time, band).

    The frame at time t is centred on it: its window reaches 15 ms to either side.

    Args:
        clip: Sound at 16 kHz, (sample,).
    """
    padded = np.pad(clip, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    # The periodic form of the Hann window.
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1], axis=1)) ** 2
    mel = power @ filters().T
    return np.log(np.maximum(mel / mel.max(), FLOOR))


@functools.cache
def filters() -> NDArray[np.float64]:
    """Triangles that are equally spaced on the mel scale, each of sum 1; (band, bin)."""
    edges = _hertz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), N_BANDS + 2))
    bins = np.arange(WINDOW // 2 + 1) * RATE_HZ / WINDOW
    low, centre, high = (edges[k : k + N_BANDS, None] for k in range(3))
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return triangles / triangles.sum(axis=1, keepdims=True)


def _mel(frequency_hz: float) -> float:
    return 2595.0 * float(np.log10(1 + frequency_hz / 700.0))


def _hertz(mel: NDArray) -> NDArray[np.float64]:
    return 700.0 * (10 ** (mel / 2595.0) - 1)
