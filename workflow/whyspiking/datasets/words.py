"""Reading of the spoken words, as logarithmic mel spectra.

    words = load(params.dataset_dir, "train")
    words.log_mel   # (trial, time, band): natural log of power over the clip's largest, every 10 ms
    words.labels    # (trial,)
    words.speakers  # (trial,)

The parts are "train" and "validation", of the training file, "test_seen" (further utterances of
the training speakers) and "test_heldout" (speakers who are not in the training file).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets.prepared import Part, of_part, verified
from whyspiking.records import array_files

FILES = {"train": "words_train.npz", "test": "words_test.npz"}
"""Training or test -> file in the folder of the data set."""


@dataclass(frozen=True)
class Words:
    """Spoken words.

    Attributes:
        log_mel: Spectra, (trial, time, band), float32, at most 0.
        labels: Class of each, (trial,).
        speakers: Who spoke, (trial,).
        words: Word of each class, (class,).
    """

    log_mel: NDArray[np.float32]
    labels: NDArray[np.int64]
    speakers: NDArray[np.int64]
    words: tuple[str, ...]


def load(folder: Path, part: Part, *, validation_speakers: Sequence[int] = ()) -> Words:
    """Read one part of the data set.

    Args:
        folder: Of the data set, with `meta.json`.
        part: Which.
        validation_speakers: Where given, validation is all that these speakers say in the training
            file, and they are left out of "train"; otherwise every tenth utterance of each class.

    Raises:
        UserError: If a file is missing or has been changed since it was described.
    """
    paths = verified(folder, FILES)
    file = array_files.load_arrays(paths["train" if part in ("train", "validation") else "test"])
    training_speakers = np.unique(array_files.load_arrays(paths["train"])["speakers"])
    labels, speakers = (file[key].astype(np.int64) for key in ("labels", "speakers"))
    trials = of_part(part, labels, speakers, training_speakers, validation_speakers)
    return Words(
        file["log_mel"][trials].astype(np.float32),
        labels[trials],
        speakers[trials],
        tuple(str(word) for word in file["words"]),
    )
