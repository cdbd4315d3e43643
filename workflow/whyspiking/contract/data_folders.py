"""Where data sets lie: folders tell source and size; `data` is that block of the config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError

RECORDED = "spoken-original"
VOWELS = "vowels"
FETCHED = ("mnist", RECORDED, VOWELS)
"""Folders whose files others made: they are found or fetched."""
SPOKEN = ("spoken", "words")
"""Keys of data sets that synthetic voices speak, one job per speaker."""
ARCHIVES = {
    "shd_train.h5.zip": "f3252aeb598ac776c1b526422d90eecb",
    "shd_test.h5.zip": "1503a5064faa34311c398fb0a1ed0a6f",
}
"""Archive of recorded digits -> published MD5."""


def folder_of(key: str, data: Mapping[str, Any]) -> str | None:
    """Folder of the data set that `data.key` of a talk.yaml names; None: it needs no files."""
    if key in ("mnist", VOWELS):
        return key
    if key == "nmnist":
        return event_recordings(data)
    if key not in SPOKEN:
        return None
    if key == "spoken" and _wants_recorded(data):
        return RECORDED
    return next((name for name, own in synthetic(data).items() if own == key), None)


def synthetic(data: Mapping[str, Any]) -> dict[str, str]:
    """Folder -> key of the data sets that synthetic voices speak, at the sizes of the config."""
    digits, words = data["spoken"], data["words"]
    return {
        f"spoken-{digits['speakers']}x20x{digits['repetitions']}"
        f"-{digits['channels']}ch-{digits['rate_khz']}k": "spoken",
        f"words-{words['speakers']}x{words['words']}x{words['repetitions']}": "words",
    }


def used_folders(data: Mapping[str, Any]) -> set[str]:
    """Folders of all data sets at the sizes of the config; others are of other scales."""
    found = (folder_of(key, data) for key in ("mnist", VOWELS, "nmnist", *SPOKEN))
    return {folder for folder in found if folder is not None}


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
            "config: 'data.nmnist.source' is 'original', but no folder with Train and Test of "
            f"N-MNIST is in data.originals_dir ({own}); expected both. Unpack both archives "
            "there, or choose 'simulated'"
        )
    return None


def places_of_recorded(data: Mapping[str, Any]) -> list[Path]:
    """Folders in which recorded digits are looked for, the last being their own."""
    own = data["originals_dir"]
    home = Path(data["folder"]) / RECORDED / "SHD"
    return [*([Path(own), Path(own) / "SHD"] if own else []), home]


def find_recorded(data: Mapping[str, Any], archive: str) -> Path | None:
    """One of `ARCHIVES` of the recorded digits if it is there, else its unpacked file."""
    candidates = [
        place / name
        for name in (archive, archive.removesuffix(".zip"))
        for place in places_of_recorded(data)
    ]
    # The package tonic keeps an empty file in place of an archive.
    return next((path for path in candidates if path.is_file() and path.stat().st_size), None)


def _wants_recorded(data: Mapping[str, Any]) -> bool:
    """Whether the recorded digits are asked for, or there and not refused."""
    source = data["spoken"]["source"]
    there = all(find_recorded(data, archive) is not None for archive in ARCHIVES)
    return source == "original" or (source == "auto" and there)
