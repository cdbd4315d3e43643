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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.datasets.prepared import Part, of_part, verified
from whyspiking.errors import UserError

N_UNITS = 700
N_CLASSES = 20
FILES = {"train": "SHD/shd_train.h5", "test": "SHD/shd_test.h5"}
"""File -> where it lies in the folder of the data set."""
KINDS = {
    "spikes/times": ("f", True),
    "spikes/units": ("iu", True),
    "labels": ("iu", False),
    "extra/speaker": ("iu", False),
    "extra/keys": ("S", False),
}
"""Array -> kinds of number it may hold (S: text), and whether every entry is a list of its own."""
MOST_UTTERANCES = 1_000_000
MOST_SPIKES = 500_000_000
"""The published training file has 8156 utterances and about 65 million spikes."""
ROWS_AT_ONCE = 64


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
            if missing := [name for name in KINDS if name not in file]:
                raise bad(f"it lacks {', '.join(missing)}")
            times, units, labels, speakers, keys = (_array(file, name) for name in KINDS)
    except _Unfit as error:
        raise bad(str(error)) from None
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise bad(f"it cannot be read as HDF5 ({first})") from None
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


class _Unfit(Exception):
    """Why an array of a file is not taken."""


def _array(file: Any, name: str) -> NDArray:
    """One array, if it lies in this very file, is of the expected kind and of bearable size.

    HDF5 lets a file point to others: by links, as a virtual data set, or by raw data elsewhere.
    """
    import h5py

    parts = name.split("/")
    for k in range(len(parts)):
        link = file.get("/".join(parts[: k + 1]), getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise _Unfit(f"'{name}' is a link to somewhere else")
    found = file[name]
    if not isinstance(found, h5py.Dataset) or found.ndim != 1:
        raise _Unfit(f"'{name}' is no list")
    if found.is_virtual or found.external:
        raise _Unfit(f"'{name}' takes its content from another file")
    kind, ragged = KINDS[name]
    inner = h5py.check_vlen_dtype(found.dtype) if ragged else found.dtype
    text = h5py.check_string_dtype(found.dtype) is not None or found.dtype.kind == "S"
    if not (text if kind == "S" else inner is not None and not text and inner.kind in kind):
        raise _Unfit(f"'{name}' is of another kind ({found.dtype})")
    if len(found) > MOST_UTTERANCES:
        raise _Unfit(f"'{name}' has {len(found)} entries")
    if not ragged:
        return np.asarray(found)
    # Several entries may share their bytes in the file, so that its size bounds nothing.
    rows, n = np.empty(len(found), object), 0
    for start in range(0, len(found), ROWS_AT_ONCE):
        part = found[start : start + ROWS_AT_ONCE]
        rows[start : start + len(part)] = part
        n += sum(len(row) for row in part)
        if n > MOST_SPIKES:
            raise _Unfit(f"'{name}' has more than {MOST_SPIKES} spikes")
    return rows
