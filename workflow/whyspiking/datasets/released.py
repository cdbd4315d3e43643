"""Files that the original authors released, read from a folder of the user's, or refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

from whyspiking.errors import UserError


class Unavailable(Exception):
    """Why a file of others is not there, in one line."""


def read(folder: Path | None, name: str, digest: str) -> bytes:
    """Content of a released file.

    Args:
        folder: `data.originals_dir` of the config.
        name: Name of the file in it.
        digest: SHA-256 of the file as it was released.

    Raises:
        Unavailable: If the user has no such file.
        UserError: If it is another file.
    """
    if folder is None:
        raise Unavailable(f"file not available: {name} (data.originals_dir is not set)")
    if not (folder / name).is_file():
        raise Unavailable(f"file not available: {name} is not in data.originals_dir")
    raw = (folder / name).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != digest:
        raise UserError(
            f"{folder / name}: SHA-256 is {found}; expected {digest}; fetch the file again"
        )
    return raw
