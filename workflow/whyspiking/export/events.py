"""Recordings of the event camera in the files of N-MNIST, for tonic and other readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from whyspiking.datasets import nmnist
from whyspiking.datasets.event_camera import Events
from whyspiking.errors import UserError


def write_nmnist(folder: Path, to: Path) -> int:
    """Write `Test/<digit>/<number>.bin`, five bytes an event, of all recordings that hold events.

    Args:
        folder: Of the data set, with the folder shards; only test digits keep their events.
        to: Where the folder Test goes.

    Returns:
        How many files were written.

    Raises:
        UserError: If no shard holds events.
    """
    number = 0
    for path in sorted((folder / "shards").glob("test-*.npz"), key=_index):
        with np.load(path, allow_pickle=False) as file:
            events = Events(**{name: file[name] for name in ("t_us", "x", "y", "on", "start")})
            labels = file["labels"]
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


def _index(path: Path) -> int:
    return int(path.stem.partition("-")[2])
