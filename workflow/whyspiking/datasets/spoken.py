"""Spoken digits as spikes of 140 channels of an ear: what reads and checks the files.

    utterances = load(params.dataset_dir, "train", n_channels=140, duration_ms=1000.0)
    utterances.spikes       # Spikes: (trial, unit 0..139, time in ms)
    utterances.labels       # (trial,) 0..9 English, 10..19 German
    utterances.speakers     # (trial,)
    utterances.frames(4.0)  # (trial, time, channel) counts per bin, uint8

Splits: "train" and "validation" come from the training file, "test_seen" and "test_heldout" from
the test file (further utterances of the speakers of the training file; speakers who are not in it).
The files have the layout of the Spiking Heidelberg Digits (Cramer, Stradmann, Schemmel and Zenke
2020), so that the recorded ones and ours are read alike; units are numbered as its 700 channels,
and neighbours are put together until `n_channels` are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets.prepared import Part, of_part, verified
from whyspiking.errors import UserError
from whyspiking.spikes import Spikes

N_UNITS = 700
N_CLASSES = 20
FILES = {"train": "SHD/shd_train.h5", "test": "SHD/shd_test.h5"}
"""File -> where it lies in the folder of the data set."""


@dataclass(frozen=True)
class Utterances:
    """Spoken words as spikes.

    Attributes:
        spikes: Of the ear's channels, one trial per utterance.
        labels: Class of each, (trial,).
        speakers: Who spoke, (trial,).
        words: Word of each class, (class,).
        lost: Spikes after the end of the trial, which were dropped.
    """

    spikes: Spikes
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]
    words: tuple[str, ...]
    lost: int

    def select(self, chosen: Sequence[int] | NDArray) -> Utterances:
        """The given utterances, in the given order."""
        return replace(
            self,
            spikes=self.spikes.select_trials(chosen),
            labels=self.labels[chosen],
            speakers=self.speakers[chosen],
        )

    def frames(self, dt_ms: float) -> NDArray[np.uint8]:
        """Spike counts per time bin, (trial, time, channel).

        Args:
            dt_ms: Width of a bin, which must divide the trial.

        Raises:
            UserError: If it does not.
        """
        steps = round(self.spikes.duration_ms / dt_ms)
        if abs(steps * dt_ms - self.spikes.duration_ms) > 1e-6 * dt_ms:
            raise UserError(
                f"spoken digits: dt is {dt_ms} ms; it must divide the trial of "
                f"{self.spikes.duration_ms} ms"
            )
        counts = np.zeros((self.spikes.n_trials, steps, self.spikes.n_units), np.uint8)
        bins = np.minimum((self.spikes.times_ms / dt_ms).astype(np.int64), steps - 1)
        np.add.at(counts, (self.spikes.trials, bins, self.spikes.units), 1)
        return counts


def load(
    folder: Path,
    part: Part,
    *,
    n_channels: int,
    duration_ms: float,
    validation_speakers: Sequence[int] = (),
) -> Utterances:
    """Read one part of the data set.

    Args:
        folder: Of the data set, with `meta.json` and the folder SHD.
        part: Which.
        n_channels: Channels, a divisor of 700; neighbours are put together.
        duration_ms: Length of the trials; later spikes are dropped and counted.
        validation_speakers: Where given, validation is all that these speakers say in the training
            file, and they are left out of "train": the way to foresee new speakers. Otherwise it is
            every tenth utterance of each class in the training file.

    Raises:
        UserError: If a file is missing, has been changed since it was described, or is no such
            file; or if an argument does not fit it.
    """
    known = verified(folder, FILES)
    name = "train" if part in ("train", "validation") else "test"
    times, units, ptr, labels, speakers, words = read(known[name])
    trained = np.unique(speakers if name == "train" else read(known["train"])[4])
    chosen = of_part(part, labels, speakers, trained, validation_speakers)
    if N_UNITS % n_channels:
        raise UserError(
            f"spoken digits: n_channels is {n_channels}; it must divide {N_UNITS}, for example 140"
        )
    trials = np.repeat(np.arange(len(labels)), np.diff(ptr))
    times_ms = 1000.0 * times.astype(np.float64)
    kept = times_ms < duration_ms
    spikes = Spikes.sorted(
        times_ms[kept],
        units[kept] // (N_UNITS // n_channels),
        trials[kept],
        n_trials=len(labels),
        n_units=n_channels,
        duration_ms=duration_ms,
    )
    everything = Utterances(spikes, labels, speakers, words, 0)
    lost = int((~kept & np.isin(trials, chosen)).sum())
    return replace(everything.select(chosen), lost=lost)


def read(
    path: Path,
) -> tuple[NDArray, NDArray, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], tuple]:
    """Read and check one file of the SHD layout.

    Args:
        path: The .h5.

    Returns:
        Times in s (spike,), units (spike,), where each utterance begins (utterance + 1,), labels
        and speakers (utterance,), words (class,).

    Raises:
        UserError: If it is not such a file.
    """
    import h5py

    def bad(what: str) -> UserError:
        return UserError(
            f"{path}: {what}; a file of the Spiking Heidelberg Digits is expected (spikes/times, "
            f"spikes/units below {N_UNITS}, labels below {N_CLASSES}, extra/speaker, extra/keys): "
            "replace it, or set 'data.spoken.source: synthetic' in the config"
        )

    try:
        with h5py.File(path, "r") as file:
            names = ("spikes/times", "spikes/units", "labels", "extra/speaker", "extra/keys")
            if missing := [name for name in names if name not in file]:
                raise bad(f"it lacks {', '.join(missing)}")
            times, units, labels, speakers, keys = (np.asarray(file[name]) for name in names)
    except OSError as error:
        raise bad(f"it cannot be read as HDF5 ({str(error).splitlines()[0]})") from None
    n = [len(array) for array in (times, units, labels, speakers)]
    if len(set(n)) > 1 or not n[0]:
        raise bad(f"numbers of utterances differ or are 0: {n}")
    lengths = np.array([len(t) for t in times])
    if not np.array_equal(lengths, [len(u) for u in units]):
        raise bad("times and units of an utterance differ in number")
    times, units = np.concatenate(times), np.concatenate(units).astype(np.int64)
    if units.size and not 0 <= units.min() <= units.max() < N_UNITS:
        raise bad(f"units go from {units.min()} to {units.max()}")
    if not np.isfinite(times).all() or (times < 0).any():
        raise bad("some spike times are negative or no numbers")
    if labels.min() < 0 or labels.max() >= N_CLASSES or len(keys) != N_CLASSES:
        raise bad(f"labels go from {labels.min()} to {labels.max()}, with {len(keys)} words")
    words = tuple(key.decode("utf-8") if isinstance(key, bytes) else str(key) for key in keys)
    ptr = np.concatenate([[0], np.cumsum(lengths)])
    return times, units, ptr, labels.astype(np.int64), speakers.astype(np.int64), words
