"""How a prepared data set is read: check of its files, and which trials a part has."""

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
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise UserError(
                f"{path}: the file cannot be read ({error.strerror}). Delete {described} and "
                "rerun snakemake"
            ) from None
        told = digests.get(path.name, "none")
        if found != told:
            raise UserError(
                f"{path}: this is not the file that meta.json describes (SHA-256 {found[:12]}… "
                f"instead of {told[:12]}…). Delete {described} and rerun snakemake"
            )
        paths[name] = path
    return paths


def held_for_validation(
    labels: NDArray, speakers: NDArray, who: Sequence[int]
) -> NDArray[np.bool_]:
    """Which utterances of a training file are for validation.

    Args:
        labels: Classes, (trial,).
        speakers: (trial,).
        who: All that these say; where empty, every tenth utterance of each class.

    Raises:
        UserError: If one of them is not in the file.
    """
    if who:
        if unknown := set(who) - set(speakers.tolist()):
            raise UserError(
                f"validation speakers {sorted(unknown)} are not in the training file, which has "
                f"speakers {sorted(set(speakers.tolist()))}. Correct the numbers"
            )
        return np.isin(speakers, np.asarray(who))
    rng = Streams(0).rng("validation")
    order = np.lexsort((rng.random(len(labels)), labels))
    held = np.zeros(len(labels), bool)
    held[order[rng.integers(10) :: 10]] = True
    return held


def of_part(part: str, labels: NDArray, speakers: NDArray, trained: NDArray, who: Sequence[int]):
    """Trials of one part within its file.

    Args:
        part: One of `Part`.
        labels: Classes in the part's file, (trial,).
        speakers: Speakers in the part's file, (trial,).
        trained: Speakers of the training file.
        who: Validation speakers; see `held_for_validation`.

    Raises:
        UserError: If there is no such part.
    """
    if part in ("train", "validation"):
        held = held_for_validation(labels, speakers, who)
        return np.flatnonzero(held if part == "validation" else ~held)
    if part in ("test_seen", "test_heldout"):
        seen = np.isin(speakers, trained)
        return np.flatnonzero(seen if part == "test_seen" else ~seen)
    raise UserError(
        f"there is no part '{part}' of the data set; expected train, validation, test_seen or "
        "test_heldout. Correct the name"
    )
