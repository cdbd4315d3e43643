"""The recorded Spiking Heidelberg Digits, where the user has their files.

They are looked for in `data.originals_dir` (or its folder SHD), and in the data folder itself, as
published archives (shd_train.h5.zip, shd_test.h5.zip), whose MD5 is known, or unpacked. Nothing is
fetched over the network.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from whyspiking.contract.data_folders import ARCHIVES, find_recorded, places_of_recorded
from whyspiking.datasets import archives, spoken
from whyspiking.errors import UserError
from whyspiking.records.whole_files import replacing

LARGEST_BYTES = 4_000_000_000
"""Of an unpacked file; the published training file has a tenth of it."""
CITATION = (
    "Cramer, Stradmann, Schemmel and Zenke, The Heidelberg spiking data sets for the systematic "
    "evaluation of spiking neural networks, IEEE TNNLS 33, 2022, doi 10.1109/TNNLS.2020.3044364"
)


def fetch(data: Mapping[str, Any]) -> tuple[list[Path], dict[str, str]]:
    """Bring both files, checked, into `<data.folder>/spoken-original/SHD`.

    Args:
        data: The `data` block of the config.

    Returns:
        The files, and how each was checked.

    Raises:
        UserError: If one is missing, or is not what it should be.
    """
    home = places_of_recorded(data)[-1]
    files, how = [], {}
    for archive, expected in ARCHIVES.items():
        found = find_recorded(data, archive)
        if found is None:
            places = ", ".join(str(place) for place in places_of_recorded(data))
            raise UserError(
                f"Spiking Heidelberg Digits: neither {archive} nor {archive.removesuffix('.zip')} "
                f"is in any of {places}; put both there, or set 'data.spoken.source: synthetic' "
                "in the config"
            )
        target = home / archive.removesuffix(".zip")
        if found.suffix == ".zip":
            _check(found, expected)
            how[target.name] = "archive of the published MD5"
        else:
            spoken.read(found)
            how[target.name] = "layout only: no hash of the unpacked file is published"
        _bring(found, target)
        spoken.read(target)
        files.append(target)
    return files, how


def _check(archive: Path, expected: str) -> None:
    with archive.open("rb") as file:
        # What is published is MD5: good against damage, and a second file of equal MD5 is unknown.
        digest = hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()
    if digest != expected:
        raise UserError(
            f"{archive}: its MD5 is {digest}, that of the published archive is {expected}; it is "
            "cut short, damaged or another file: replace it"
        )


def _bring(found: Path, target: Path) -> None:
    try:
        if found.suffix == ".zip":
            archives.unzip(found, target.name, target, LARGEST_BYTES)
        elif found != target:
            with replacing(target) as other:
                shutil.copyfile(found, other)
    except (OSError, archives.Refused) as error:
        raise UserError(
            f"{found}: cannot be brought to {target} ({error}); replace it where it is damaged, "
            "else make room there and see that the folder may be written"
        ) from None
