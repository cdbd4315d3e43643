"""Reading of a prepared data set: check of its files, and selection of the trials of a part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.records.whole_files import read_json

Part = Literal["train", "validation", "test_seen", "test_heldout"]


def verified(folder: Path, files: Mapping[str, str]) -> dict[str, Path]:
    """Paths of the files of a data set, if they are those that its `meta.json` describes.

    Args:
        folder: Of the data set.
        files: Name -> where the file lies in the folder.

    Raises:
        UserError: If the description or a file is missing, or they do not fit.
    """
    described = folder / "meta.json"
    if not described.is_file():
        raise UserError(
            f"{folder}: meta.json is missing, so the data set is not complete. Rerun snakemake, "
            "which generates it"
        )
    digests = dict(read_json(described, "sha256")["sha256"])
    paths = {}
    for name, file in files.items():
        path = folder / file
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise UserError(
                f"{path}: the file cannot be read ({error.strerror}). Delete {described} and "
                "rerun snakemake"
            ) from None
        described_digest = digests.get(path.name, "none")
        if digest != described_digest:
            raise UserError(
                f"{path}: this is not the file that meta.json describes (SHA-256 {digest[:12]}… "
                f"instead of {described_digest[:12]}…). Delete {described} and rerun snakemake"
            )
        paths[name] = path
    return paths


def held_for_validation(
    labels: NDArray, speakers: NDArray, validation_speakers: Sequence[int]
) -> NDArray[np.bool_]:
    """Mark the utterances of a training file that are for validation.

    Args:
        labels: Classes, (trial,).
        speakers: (trial,).
        validation_speakers: All that these say; where empty, every tenth utterance of each
            class.

    Raises:
        UserError: If one of them is not in the file.
    """
    if validation_speakers:
        if unknown := set(validation_speakers) - set(speakers.tolist()):
            raise UserError(
                f"validation speakers {sorted(unknown)} are not in the training file, which has "
                f"speakers {sorted(set(speakers.tolist()))}. Correct the numbers"
            )
        return np.isin(speakers, np.asarray(validation_speakers))
    rng = Streams(0).rng("validation")
    order = np.lexsort((rng.random(len(labels)), labels))
    is_validation = np.zeros(len(labels), bool)
    is_validation[order[rng.integers(10) :: 10]] = True
    return is_validation


def of_part(
    part: str,
    labels: NDArray,
    speakers: NDArray,
    training_speakers: NDArray,
    validation_speakers: Sequence[int],
):
    """Select the trials of one part within its file.

    Args:
        part: One of `Part`.
        labels: Classes in the part's file, (trial,).
        speakers: Speakers in the part's file, (trial,).
        training_speakers: Speakers of the training file.
        validation_speakers: See `held_for_validation`.

    Raises:
        UserError: If there is no such part.
    """
    if part in ("train", "validation"):
        is_validation = held_for_validation(labels, speakers, validation_speakers)
        return np.flatnonzero(is_validation if part == "validation" else ~is_validation)
    if part in ("test_seen", "test_heldout"):
        is_seen = np.isin(speakers, training_speakers)
        return np.flatnonzero(is_seen if part == "test_seen" else ~is_seen)
    raise UserError(
        f"there is no part '{part}' of the data set; expected train, validation, test_seen or "
        "test_heldout. Correct the name"
    )
