"""The spoken digits: what each speaker says, as the ear hears it; files as those of the SHD.

The layout is that of the Spiking Heidelberg Digits (Cramer, Stradmann, Schemmel and Zenke 2020):
`SHD/shd_train.h5` and `SHD/shd_test.h5` with units numbered as the 700 published channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking import store
from whyspiking.contract import Progress
from whyspiking.datasets.speech import ear, voices
from whyspiking.datasets.speech.espeak import Synthesiser
from whyspiking.randomness import Streams

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
    mouth = Synthesiser(streams.integer("eSpeak"))
    manners, noise = streams.rng("spoken manner"), streams.rng("spoken noise")
    seeds = streams.rng("spoken ear")
    waves, facts = [], []
    for repetition in range(int(settings["repetitions"])):
        for label, word in enumerate(voices.DIGITS):
            german = label >= len(voices.ENGLISH_DIGITS)
            how = voices.manner(voices.SPEAKERS[speaker], word, german, manners)
            wave = voices.shape(mouth.say(how), mouth.rate_hz, how, rate_hz)
            waves.append(voices.with_noise(wave, noise.uniform(*SNR_DB), noise))
            facts.append((label, repetition, wave.size / rate_hz, how))
    # One length for all clips of the speaker, since the membrane's response depends on it.
    longest_s = np.ceil(10 * max(wave.size for wave in waves) / rate_hz) / 10
    hearing = ear.Ear(int(settings["channels"]), int(settings["rate_khz"]), longest_s)
    times, units = [], []
    for k, wave in enumerate(waves):
        when, channels = hearing.hear(wave, int(seeds.integers(2**63)))
        times.append(when.astype(np.float16))
        units.append(hearing.positions[channels].astype(np.uint16))
        if k % len(voices.DIGITS) == 0:
            progress(k / len(waves), f"utterance {k} of {len(waves)}")
    store.save_arrays(
        {
            "times": np.concatenate(times),
            "units": np.concatenate(units),
            "ptr": np.cumsum([0, *(len(t) for t in times)], dtype=np.int64),
            "labels": np.array([label for label, *_ in facts], np.uint16),
            "repetition": np.array([r for _, r, *_ in facts], np.uint16),
            "duration_s": np.array([seconds for *_, seconds, _ in facts], np.float32),
            "voice": np.array([how.voice for *_, how in facts]),
            "text": np.array([how.text for *_, how in facts]),
            "rate": np.array([how.rate for *_, how in facts], np.int16),
            "pitch": np.array([how.pitch for *_, how in facts], np.int16),
            "pitch_range": np.array([how.pitch_range for *_, how in facts], np.int16),
            "scale": np.array([how.scale for *_, how in facts], np.float32),
            "espeak": np.array(mouth.version),
        },
        path,
    )


def gather(shards: Sequence[Path], folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """Put what all speakers said into the two files of the SHD layout and a table.

    Args:
        shards: Files of `speak`, speaker by speaker.
        folder: Of the data set.

    Returns:
        The files, and facts about them for the description.
    """
    loaded = [store.load_arrays(path) for path in shards]
    rows: dict[str, list[Any]] = {"speaker": [], "shard": [], "index": [], "test": []}
    for speaker, shard in enumerate(loaded):
        n = len(shard["labels"])
        rows["speaker"] += [speaker] * n
        rows["shard"] += [speaker] * n
        rows["index"] += range(n)
        rows["test"] += list(test_trials(speaker, shard["labels"]))
    speakers, index, test = (np.array(rows[k]) for k in ("speaker", "index", "test"))
    files = []
    for name, chosen in (("train", ~test), ("test", test)):
        which = np.flatnonzero(chosen)
        # Mixed once, so that the first of a file are a fair sample.
        which = Streams(0).rng(f"spoken order {name}").permutation(which)
        path = folder / "SHD" / f"shd_{name}.h5"
        _write(path, [(loaded[speakers[i]], int(index[i])) for i in which], speakers[which])
        # The package tonic reads the .h5 only beside the archive it would have fetched.
        path.with_name(path.name + ".zip").write_bytes(b"")
        files.append(path)
    table = folder / "samples.csv"
    _table(table, loaded, speakers, index, test)
    facts = {
        "espeak_version": str(loaded[0]["espeak"]),
        "utterances": {"train": int((~test).sum()), "test": int(test.sum())},
        "held_out_speakers": [s for s in voices.HELD_OUT if s < len(loaded)],
    }
    return [*files, table], facts


def described(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was used to make the data, beyond the settings.

    Args:
        settings: `data.spoken` of the config.
    """
    return {
        "jitter": voices.JITTER,
        "snr_db": list(SNR_DB),
        "bushy_cell_weight_per_s": ear.WEIGHT_PER_S[int(settings["rate_khz"])],
        "published_weight_per_s": ear.WEIGHT_PER_S[48],
        "time_step_s": 2 / (1000 * int(settings["rate_khz"])),
        "unit": "number among the 700 published channels",
    }


def test_trials(speaker: int, labels: NDArray) -> NDArray[np.bool_]:
    """Which utterances of a speaker are for the test: all of some, every tenth of the others.

    Args:
        speaker: Who.
        labels: Classes of the utterances, (utterance,).
    """
    if speaker in voices.HELD_OUT:
        return np.ones(len(labels), bool)
    rng = Streams(0).rng(f"test trials of speaker {speaker}")
    # Class after class, in random order within: every tenth is about one per ten of each class.
    order = np.lexsort((rng.random(len(labels)), labels))
    chosen = np.zeros(len(labels), bool)
    chosen[order[rng.integers(10) :: 10]] = True
    return chosen


def _write(path: Path, utterances: list[tuple[dict[str, NDArray], int]], who: NDArray) -> None:
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    with h5py.File(partial, "w", track_order=False) as file:
        n = len(utterances)
        times = file.create_dataset("spikes/times", (n,), h5py.vlen_dtype(np.float16))
        units = file.create_dataset("spikes/units", (n,), h5py.vlen_dtype(np.uint16))
        for k, (shard, i) in enumerate(utterances):
            part = slice(shard["ptr"][i], shard["ptr"][i + 1])
            times[k] = shard["times"][part]
            units[k] = shard["units"][part]
        file["labels"] = np.array([s["labels"][i] for s, i in utterances], np.uint16)
        file["extra/speaker"] = who.astype(np.uint16)
        file["extra/keys"] = np.array([word.encode("utf-8") for word in voices.DIGITS])
    partial.replace(path)


def _table(
    path: Path, loaded: Sequence[dict[str, NDArray]], who: NDArray, index: NDArray, test: NDArray
) -> None:
    """One row per utterance, for whoever wants to look at the data."""
    columns = (
        "labels", "repetition", "voice", "text", "rate", "pitch", "pitch_range", "scale",
        "duration_s",
    )  # fmt: skip
    lines = ["speaker,held_out,file,word,n_spikes," + ",".join(columns)]
    for speaker, i, in_test in zip(who, index, test, strict=True):
        shard = loaded[speaker]
        values = [str(shard[name][i]) for name in columns]
        # A comma is one of the endings of a text.
        values[3] = f'"{values[3]}"'
        lines.append(
            f"{speaker},{int(speaker in voices.HELD_OUT)},{'test' if in_test else 'train'},"
            f"{voices.DIGITS[shard['labels'][i]]},{shard['ptr'][i + 1] - shard['ptr'][i]},"
            + ",".join(values)
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
