"""The utterances of the spoken words: their speakers and manners, the test part, the table."""

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
    manner: voices.Manner
    duration_s: float
    espeak: str


def utterances(
    speaker: int, vocabulary: Sequence[str], repetitions: int, rate_hz: float
) -> Iterator[Utterance]:
    """Let a speaker say all words in order, then all again; see `espeak` on processes.

    Args:
        speaker: Which, from 0; the seed of the voice and its variation.
        vocabulary: Word of each class.
        repetitions: How often.
        rate_hz: Sampling rate of the waves, whose peaks are 1.
    """
    streams = Streams(speaker)
    synthesiser = Synthesiser(streams.integer("eSpeak"))
    rng = streams.rng("words manner")
    for repetition in range(repetitions):
        for label, word in enumerate(vocabulary):
            manner = voices.manner(voices.SPEAKERS[speaker], word, rng)
            wave = voices.shape(synthesiser.say(manner), synthesiser.rate_hz, manner, rate_hz)
            yield Utterance(
                wave, label, repetition, manner, wave.size / rate_hz, synthesiser.version
            )


def facts(spoken: Sequence[Utterance]) -> dict[str, NDArray]:
    """Collect the facts about utterances, as arrays (utterance,) by `COLUMNS`."""
    return {
        "labels": np.array([u.label for u in spoken], np.uint16),
        "repetition": np.array([u.repetition for u in spoken], np.uint16),
        "voice": np.array([u.manner.voice for u in spoken]),
        "text": np.array([u.manner.text for u in spoken]),
        "rate": np.array([u.manner.rate for u in spoken], np.int16),
        "pitch": np.array([u.manner.pitch for u in spoken], np.int16),
        "pitch_range": np.array([u.manner.pitch_range for u in spoken], np.int16),
        "scale": np.array([u.manner.scale for u in spoken], np.float32),
        "duration_s": np.array([u.duration_s for u in spoken], np.float32),
        "espeak": np.array([u.espeak for u in spoken]),
    }


def test_trials(speaker: int, labels: NDArray) -> NDArray[np.bool_]:
    """Mark the utterances for the test: all of some speakers, every tenth of the others.

    Args:
        speaker: Who.
        labels: Classes of the utterances, (utterance,).
    """
    if speaker in voices.HELD_OUT:
        return np.ones(len(labels), bool)
    rng = Streams(0).rng(f"test trials of speaker {speaker}")
    # Class after class, in random order within: of ten of a class it is one.
    order = np.lexsort((rng.random(len(labels)), labels))
    is_test = np.zeros(len(labels), bool)
    is_test[order[rng.integers(10) :: 10]] = True
    return is_test


@dataclass(frozen=True)
class Index:
    """Location of each utterance of a data set: its speaker, its number there, its file.

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
        mixed_utterances = self.mixed(name == "test")
        locations = [
            (self.shards[int(self.speakers[k])], int(self.places[k])) for k in mixed_utterances
        ]
        labels = np.array(
            [shard["labels"][i_utterance] for shard, i_utterance in locations], np.uint16
        )
        return locations, {
            "labels": labels,
            "speakers": self.speakers[mixed_utterances].astype(np.uint16),
        }

    def summary(self) -> dict[str, Any]:
        """Summarize the parts for `meta.json`."""
        counts = {"train": int((~self.test).sum()), "test": int(self.test.sum())}
        return {"utterances": counts, "held_out_speakers": list(voices.HELD_OUT)}


def table(
    path: Path,
    index: Index,
    vocabulary: Sequence[str],
    further_columns: Mapping[str, Sequence[NDArray]],
) -> None:
    """Write one row per utterance, for whoever wants to look at the data.

    Args:
        path: The .csv.
        index: All utterances.
        vocabulary: Word of each class.
        further_columns: Name -> values: one array (utterance,) per speaker.
    """
    lines = [",".join(("speaker", "held_out", "file", "word", *further_columns, *COLUMNS))]
    for speaker, i_utterance, in_test in zip(index.speakers, index.places, index.test, strict=True):
        shard = index.shards[speaker]
        values = {name: str(shard[name][i_utterance]) for name in COLUMNS}
        # A comma is one of the endings of a text.
        values["text"] = f'"{values["text"]}"'
        row = [
            str(speaker),
            str(int(speaker in voices.HELD_OUT)),
            "test" if in_test else "train",
            vocabulary[shard["labels"][i_utterance]],
            *(str(column[speaker][i_utterance]) for column in further_columns.values()),
        ]
        lines.append(",".join([*row, *values.values()]))
    with whole_files.replacing(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
