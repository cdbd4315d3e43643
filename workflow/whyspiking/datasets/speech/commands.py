"""The spoken words: utterances of one second as logarithmic mel spectra.

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
    noise_rng, placement_rng = streams.rng("words noise"), streams.rng("words place")
    vocabulary = voices.WORDS[: int(settings["words"])]
    utterances, spectra, starts = [], [], []
    for utterance in corpus.utterances(speaker, vocabulary, int(settings["repetitions"]), RATE_HZ):
        # A word longer than a second loses its end, as recordings of a second do.
        wave = utterance.wave[:RATE_HZ]
        start = int(placement_rng.integers(RATE_HZ - wave.size + 1))
        clip = np.zeros(RATE_HZ)
        clip[start : start + wave.size] = wave
        level = np.sqrt(np.mean(wave**2)) * 10 ** (-noise_rng.uniform(*SNR_DB) / 20)
        clip += level * noise_rng.standard_normal(RATE_HZ)
        spectra.append(log_mel(clip).astype(np.float16))
        starts.append(start / RATE_HZ)
        utterances.append(utterance)
    progress(1.0, f"{len(utterances)} words")
    arrays = {"log_mel": np.stack(spectra), "start_s": np.array(starts, np.float32)}
    array_files.save_arrays(arrays | corpus.facts(utterances), path)


def gather(shards: Sequence[Path], folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """Put what all speakers said into one file per part and a table.

    Args:
        shards: Files of `speak`, speaker by speaker.
        folder: Of the data set.

    Returns:
        The files, and facts about them for the description.
    """
    index = corpus.Index.of([array_files.load_arrays(path) for path in shards])
    vocabulary = voices.WORDS[: 1 + max(int(shard["labels"].max()) for shard in index.shards)]
    files = []
    for name in ("train", "test"):
        locations, labels = index.part(name)
        log_mel = np.stack([shard["log_mel"][i_utterance] for shard, i_utterance in locations])
        path = folder / f"words_{name}.npz"
        array_files.save_arrays({"log_mel": log_mel, **labels, "words": np.array(vocabulary)}, path)
        files.append(path)
    path = folder / "samples.csv"
    corpus.table(path, index, vocabulary, {"start_s": [shard["start_s"] for shard in index.shards]})
    return [*files, path], index.summary()


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the parameters of the data beyond the settings, `data.words` of the config."""
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
    edges = _convert_to_hertz(
        np.linspace(_convert_to_mel(LOWEST_HZ), _convert_to_mel(HIGHEST_HZ), N_BANDS + 2)
    )
    bins = np.arange(WINDOW // 2 + 1) * RATE_HZ / WINDOW
    low, centre, high = (edges[k : k + N_BANDS, None] for k in range(3))
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    triangles = np.maximum(np.minimum(rising, falling), 0.0)
    return triangles / triangles.sum(axis=1, keepdims=True)


def _convert_to_mel(frequency_hz: float) -> float:
    return 2595.0 * float(np.log10(1 + frequency_hz / 700.0))


def _convert_to_hertz(mel: NDArray) -> NDArray[np.float64]:
    return 700.0 * (10 ** (mel / 2595.0) - 1)
