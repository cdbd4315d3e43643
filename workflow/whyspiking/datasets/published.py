"""Files that somebody published: read from a folder, held against their hashes, kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from whyspiking.datasets import archives
from whyspiking.datasets.archives import Refused
from whyspiking.errors import UserError
from whyspiking.records.whole_files import replacing

Contents = dict[str, bytes]
"""Name of a file -> what is in it."""
Files = Mapping[str, tuple[int, str]]
"""Name of a file -> its size in bytes and its SHA-256, unzipped."""


def from_folder(folder: Path, files: Files) -> Contents:
    """Read files, raw or .gz, and check that they are the published ones.

    Raises:
        Refused: If one cannot be read, or differs.
    """
    contents: Contents = {}
    for name in files:
        plain, zipped = folder / name, folder / f"{name}.gz"
        try:
            if plain.is_file():
                contents[name] = plain.read_bytes()
            elif zipped.is_file():
                contents[name] = archives.gunzip(zipped.read_bytes(), files[name][0], zipped.name)
            else:
                raise Refused(f"neither {name} nor {name}.gz exists")
        except OSError as error:
            raise Refused(f"{name} cannot be read ({error})") from None
    check(contents, files)
    return contents


def check(contents: Contents, files: Files) -> None:
    """Refuse files that are not the published ones.

    Raises:
        Refused: If one is missing or differs.
    """
    for name, (size, digest) in files.items():
        data = contents.get(name)
        if data is None:
            raise Refused(f"{name} is missing")
        if len(data) != size:
            raise Refused(
                f"{name} has {len(data)} bytes instead of {size}, so it may be incomplete"
            )
        if hashlib.sha256(data).hexdigest() != digest:
            raise Refused(f"{name} is damaged (its SHA-256 differs)")


def keep(contents: Contents, folder: Path) -> None:
    """Write checked files into their folder.

    Raises:
        UserError: If it cannot be written.
    """
    try:
        for file, content in contents.items():
            # Two jobs may fetch at once: each writes under its own name, the last rename wins.
            with replacing(folder / file) as partial:
                partial.write_bytes(content)
    except OSError as error:
        raise UserError(
            f"{folder}: the folder cannot be written ({error.strerror}). Free some space, or set "
            "'data.folder' in the config to a writable folder"
        ) from None
