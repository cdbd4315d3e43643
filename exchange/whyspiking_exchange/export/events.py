"""Recordings of the event camera in the files of N-MNIST, for tonic and other readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets import nmnist
from whyspiking.datasets.event_camera import Events
from whyspiking.errors import UserError
from whyspiking.records import array_files


def write_nmnist(folder: Path, to: Path) -> int:
    """Write `Test/<digit>/<number>.bin`, five bytes an event, of all recordings that hold events.

    Args:
        folder: Of the data set, with the folder shards; only test digits keep their events.
        to: Where the folder Test goes.

    Returns:
        How many files were written.

    Raises:
        UserError: If no shard holds events, or one lacks an array or the digit of a recording.
    """
    number = 0
    for path in sorted(
        (folder / "shards").glob("test-*.npz"), key=lambda x: int(x.stem.partition("-")[2])
    ):
        events, labels = _recordings(path)
        for k, label in enumerate(labels):
            number += 1
            place = to / nmnist.FOLDERS["test"] / str(label)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number:05d}.bin").write_bytes(nmnist.encode(events, k))
    if not number:
        raise UserError(
            f"{folder}: no shards/test-*.npz is there; name the folder of N-MNIST below "
            "resources/data, which `snakemake neftci` makes"
        )
    return number


def _recordings(path: Path) -> tuple[Events, NDArray[np.integer]]:
    """Events and digits; a digit becomes the name of a folder, so it must be one."""
    held = array_files.load_arrays(path)
    names = ("t_us", "x", "y", "on", "start")
    lacking = [name for name in (*names, "labels") if name not in held]
    if not lacking:
        labels = held["labels"]
        digits = labels.dtype.kind in "iu" and np.isin(labels, range(10)).all()
        if digits and labels.shape == (held["start"].size - 1,):
            return Events(**{name: held[name] for name in names}), labels
    wrong = f"lacks {', '.join(lacking)}" if lacking else "has other labels than one digit each"
    raise UserError(
        f"{path}: {wrong}; expected recordings of N-MNIST with their digits; delete the file and "
        "rerun snakemake, which makes it"
    )
