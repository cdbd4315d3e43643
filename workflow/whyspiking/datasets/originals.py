"""Files of the original authors, which a user may have and this project never ships."""

from __future__ import annotations

import hashlib
from pathlib import Path

from whyspiking.errors import UserError


class NotThere(Exception):
    """The user has no such file; the message says why, and what it belongs to is not measured."""


def read(folder: Path | None, name: str, digest: str) -> bytes:
    """Content of one file in `data.originals_dir`.

    Args:
        folder: The folder that the config names, or None.
        name: Name of the file in it.
        digest: SHA-256 of the file as the authors released it.

    Raises:
        NotThere: If no folder is named or it holds no such file.
        UserError: If the file is another one.
    """
    if folder is None:
        raise NotThere(f"file not available: {name} (data.originals_dir is not set)")
    path = folder / name
    if not path.is_file():
        raise NotThere(f"file not available: {name} is not in data.originals_dir")
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != digest:
        raise UserError(f"{path}: SHA-256 is {found}; expected {digest}; fetch the file again")
    return raw
