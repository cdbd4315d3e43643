"""The utterances of the spoken words: who says what, which part is for the test, the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.datasets.speech import voices
from whyspiking.datasets.speech.espeak import Synthesiser
from whyspiking.records import whole_files

COLUMNS = (
    "labels", "repetition", "voice", "text", "rate", "pitch", "pitch_range", "scale", "duration_s",
    "espeak",
)  # fmt: skip
"""Facts about each utterance, arrays of a speaker's file and columns of the table."""


@dataclass(frozen=True)
class Utterance:
    """One word as said once, with what is known about it."""

    wave: NDArray[np.float64]
    label: int
    repetition: int
    how: voices.Manner
    duration_s: float
    espeak: str


def utterances(
    speaker: int, words: Sequence[str], repetitions: int, rate_hz: float
) -> Iterator[Utterance]:
    """Let a speaker say all words in order, then all again; see `espeak` on processes.

    Args:
        speaker: Which, from 0; the seed of the voice and its variation.
        words: What, by class.
        repetitions: How often.
        rate_hz: Sampling rate of the waves, whose peaks are 1.
    """
    streams = Streams(speaker)
    mouth = Synthesiser(streams.integer("eSpeak"))
    rng = streams.rng("words manner")
    for repetition in range(repetitions):
        for label, word in enumerate(words):
            how = voices.manner(voices.SPEAKERS[speaker], word, rng)
            wave = voices.shape(mouth.say(how), mouth.rate_hz, how, rate_hz)
            yield Utterance(wave, label, repetition, how, wave.size / rate_hz, mouth.version)


def facts(said: Sequence[Utterance]) -> dict[str, NDArray]:
    """What is known about utterances, as arrays (utterance,) by `COLUMNS`."""
    return {
        "labels": np.array([u.label for u in said], np.uint16),
        "repetition": np.array([u.repetition for u in said], np.uint16),
        "voice": np.array([u.how.voice for u in said]),
        "text": np.array([u.how.text for u in said]),
        "rate": np.array([u.how.rate for u in said], np.int16),
        "pitch": np.array([u.how.pitch for u in said], np.int16),
        "pitch_range": np.array([u.how.pitch_range for u in said], np.int16),
        "scale": np.array([u.how.scale for u in said], np.float32),
        "duration_s": np.array([u.duration_s for u in said], np.float32),
        "espeak": np.array([u.espeak for u in said]),
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
    # Class after class, in random order within: of ten of a class it is one.
    order = np.lexsort((rng.random(len(labels)), labels))
    chosen = np.zeros(len(labels), bool)
    chosen[order[rng.integers(10) :: 10]] = True
    return chosen


@dataclass(frozen=True)
class Index:
    """Where each utterance of a data set is: its speaker, its place there, its file.

    Attributes:
        shards: What each speaker said, arrays (utterance, ...).
        speakers: (utterance,).
        places: Number within the speaker's file, (utterance,).
        test: Whether it is for the test, (utterance,).
    """

    shards: Sequence[Mapping[str, NDArray]]
    speakers: NDArray[np.int64]
    places: NDArray[np.int64]
    test: NDArray[np.bool_]

    @classmethod
    def of(cls, shards: Sequence[Mapping[str, NDArray]]) -> Index:
        """All utterances of all speakers, speaker by speaker."""
        sizes = [len(shard["labels"]) for shard in shards]
        test = [test_trials(k, shard["labels"]) for k, shard in enumerate(shards)]
        return cls(
            shards,
            np.repeat(np.arange(len(shards)), sizes),
            np.concatenate([np.arange(n) for n in sizes]),
            np.concatenate(test),
        )

    def mixed(self, test: bool) -> NDArray[np.int64]:
        """Utterances of one file, in an order that makes the first ones a fair sample."""
        rng = Streams(0).rng(f"order of {'test' if test else 'train'}")
        return rng.permutation(np.flatnonzero(self.test == test))

    def part(
        self, name: str
    ) -> tuple[list[tuple[Mapping[str, NDArray], int]], dict[str, NDArray[np.uint16]]]:
        """Utterances of the file "train" or "test", mixed.

        Returns:
            Shard and place of each, and the arrays `labels` and `speakers` (utterance,).
        """
        which = self.mixed(name == "test")
        chosen = [(self.shards[int(self.speakers[k])], int(self.places[k])) for k in which]
        labels = np.array([shard["labels"][place] for shard, place in chosen], np.uint16)
        return chosen, {"labels": labels, "speakers": self.speakers[which].astype(np.uint16)}

    def summary(self) -> dict[str, Any]:
        """What `meta.json` says about the parts."""
        counts = {"train": int((~self.test).sum()), "test": int(self.test.sum())}
        return {"utterances": counts, "held_out_speakers": list(voices.HELD_OUT)}


def table(
    path: Path, index: Index, words: Sequence[str], more: Mapping[str, Sequence[NDArray]]
) -> None:
    """Write one row per utterance, for whoever wants to look at the data.

    Args:
        path: The .csv.
        index: All utterances.
        words: By class.
        more: Further columns: one array (utterance,) per speaker.
    """
    lines = [",".join(("speaker", "held_out", "file", "word", *more, *COLUMNS))]
    for speaker, place, in_test in zip(index.speakers, index.places, index.test, strict=True):
        shard = index.shards[speaker]
        values = {name: str(shard[name][place]) for name in COLUMNS}
        # A comma is one of the endings of a text.
        values["text"] = f'"{values["text"]}"'
        own = [
            str(speaker),
            str(int(speaker in voices.HELD_OUT)),
            "test" if in_test else "train",
            words[shard["labels"][place]],
            *(str(column[speaker][place]) for column in more.values()),
        ]
        lines.append(",".join([*own, *values.values()]))
    with whole_files.replacing(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
