"""The spoken digits: what each speaker says, as the ear hears it; files as those of the SHD.

The layout is that of the Spiking Heidelberg Digits (Cramer, Stradmann, Schemmel and Zenke 2020):
`SHD/shd_train.h5` and `SHD/shd_test.h5` with units numbered as the 700 published channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Progress
from whyspiking.datasets.speech import corpus, ear, voices
from whyspiking.records import array_files, whole_files

NAME = "spoken digits (synthetic voices, ear of the Spiking Heidelberg Digits)"
CITATION = (
    "layout and ear: Cramer, Stradmann, Schemmel and Zenke, The Heidelberg spiking data sets for "
    "the systematic evaluation of spiking neural networks, IEEE TNNLS 33, 2022, "
    "doi 10.1109/TNNLS.2020.3044364; voices: eSpeak NG"
)
SNR_DB = (25.0, 45.0)


def speak(settings: Mapping[str, Any], speaker: int, path: Path, progress: Progress) -> None:
    """Let one speaker say all digits, hear them, and store the spikes.

    Must be the first thing that a process does with eSpeak NG; see `espeak`.

    Args:
        settings: `data.spoken` of the config.
        speaker: Which, from 0; also the seed of everything that is drawn.
        path: The .npz to write.
        progress: Called with the fraction done.
    """
    rate_hz = 1000 * int(settings["rate_khz"])
    streams = Streams(speaker)
    noise, seeds = streams.rng("spoken noise"), streams.rng("spoken ear")
    said = list(
        corpus.utterances(
            speaker, voices.DIGITS, len(voices.ENGLISH_DIGITS), int(settings["repetitions"]),
            rate_hz, "spoken",
        )
    )  # fmt: skip
    # One length for all clips of the speaker, since the membrane's response depends on it.
    longest_s = np.ceil(10 * max(u.wave.size for u in said) / rate_hz) / 10
    hearing = ear.Ear(int(settings["channels"]), int(settings["rate_khz"]), longest_s)
    times, units = [], []
    for k, utterance in enumerate(said):
        wave = voices.with_noise(utterance.wave, noise.uniform(*SNR_DB), noise)
        when, channels = hearing.hear(wave, int(seeds.integers(2**63)))
        times.append(when.astype(np.float16))
        units.append(hearing.positions[channels].astype(np.uint16))
        if k % len(voices.DIGITS) == 0:
            progress(k / len(said), f"utterance {k} of {len(said)}")
    arrays = {
        "times": np.concatenate(times),
        "units": np.concatenate(units),
        "ptr": np.cumsum([0, *(len(t) for t in times)], dtype=np.int64),
    }
    array_files.save_arrays(arrays | corpus.facts(said), path)


def gather(shards: Sequence[Path], folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """Put what all speakers said into the two files of the SHD layout and a table.

    Args:
        shards: Files of `speak`, speaker by speaker.
        folder: Of the data set.

    Returns:
        The files, and facts about them for the description.
    """
    index = corpus.Index.of([array_files.load_arrays(path) for path in shards])
    files = []
    for name in ("train", "test"):
        path = folder / "SHD" / f"shd_{name}.h5"
        _write(path, index, name)
        # The package tonic reads the .h5 only beside the archive it would have fetched.
        path.with_name(path.name + ".zip").write_bytes(b"")
        files.append(path)
    path = folder / "samples.csv"
    n_spikes = [np.diff(shard["ptr"]) for shard in index.shards]
    corpus.table(path, index, voices.DIGITS, {"n_spikes": n_spikes})
    return [*files, path], index.summary()


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was used to make the data, beyond the settings, `data.spoken` of the config."""
    return {
        "jitter": voices.JITTER,
        "snr_db": list(SNR_DB),
        "bushy_cell_weight_per_s": ear.WEIGHT_PER_S[int(settings["rate_khz"])],
        "published_weight_per_s": ear.WEIGHT_PER_S[48],
        "time_step_s": 2 / (1000 * int(settings["rate_khz"])),
        "unit": "number among the 700 published channels",
    }


def _write(path: Path, index: corpus.Index, part: str) -> None:
    import h5py

    chosen, told = index.part(part)
    with whole_files.replacing(path) as partial, h5py.File(partial, "w") as file:
        times = file.create_dataset("spikes/times", (len(chosen),), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (len(chosen),), h5py.vlen_dtype(np.uint16))
        for k, (shard, place) in enumerate(chosen):
            own = slice(shard["ptr"][place], shard["ptr"][place + 1])
            times[k] = shard["times"][own]
            units[k] = shard["units"][own]
        file["labels"], file["extra/speaker"] = told["labels"], told["speakers"]
        file["extra/keys"] = np.array([word.encode("utf-8") for word in voices.DIGITS])
