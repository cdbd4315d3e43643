"""Where data sets lie: folders tell source and size; `data` is that block of the config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError


def folder_of(key: str, data: Mapping[str, Any]) -> str | None:
    """Folder of the data set that `data.data_set` of a talk.yaml names; None: it needs no files."""
    if key == "nmnist":
        return event_recordings(data)
    if key == "words":
        return spoken_words(data)
    return key if key == "mnist" else None


def used_folders(data: Mapping[str, Any]) -> set[str]:
    """Folders of all data sets at the sizes of the config; others are of other scales."""
    return {"mnist", event_recordings(data), spoken_words(data)}


def spoken_words(data: Mapping[str, Any]) -> str:
    """Folder of the spoken words at the sizes of the config."""
    words = data["words"]
    return f"words-{words['speakers']}x{words['words']}x{words['repetitions']}"


def event_recordings(data: Mapping[str, Any]) -> str:
    """Folder of N-MNIST at the sizes of the config."""
    own = data["nmnist"]
    source = "simulated" if find_nmnist(data) is None else "original"
    sizes = f"{own['train']}+{own['validation']}+{own['test']}"
    return f"nmnist-{source}-{sizes}-{own['dt_ms']:g}ms-pool{own['pool']}"


def find_nmnist(data: Mapping[str, Any]) -> Path | None:
    """Folder with Train and Test of the original N-MNIST, unless it is refused or not there.

    Raises:
        UserError: If the original is asked for and not there.
    """
    if data["nmnist"]["source"] == "simulated":
        return None
    own = data["originals_dir"]
    places = [Path(own), Path(own) / "NMNIST"] if own else []
    there = [p for p in places if (p / "Train").is_dir() and (p / "Test").is_dir()]
    if there:
        return there[0]
    if data["nmnist"]["source"] == "original":
        raise UserError(
            f"config: 'data.nmnist.source' is 'original', but data.originals_dir ({own}) contains "
            "no folder with Train and Test of N-MNIST; expected both. Unpack both archives "
            "there, or choose 'simulated'"
        )
    return None
