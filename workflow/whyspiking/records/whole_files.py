"""Files that appear whole or not at all, and by which a reader can tell that nobody changed them.

A table that was cut short between two rows is still a table. So what one job writes and another
reads carries a seal, a hidden file beside it with its SHA-256 in the form of `sha256sum`; formats
that check themselves (npz, zip) need none.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError


@contextmanager
def replacing(path: Path, sealed: bool = False) -> Iterator[Path]:
    """Write a file under another name, which takes its place when all went well.

    The other name is the process's own: a job that outlived a killed run does not write into the
    file of the job that replaces it. What a process that was killed has left of it is removed.

    Args:
        path: The file; its folder is made.
        sealed: Whether to write a seal.

    Yields:
        The path to write to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    own = f".{path.stem}.{platform.node()}-"
    for left in path.parent.glob(f"{glob.escape(own)}*.part{path.suffix}"):
        number = left.name.removeprefix(own).partition(".")[0]
        if number.isdecimal() and not _alive(int(number)):
            left.unlink(missing_ok=True)
    partial = path.with_name(f"{own}{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        with partial.open("rb") as file:
            # Renamed before its content is on the disk, a file could be empty after a power cut.
            os.fsync(file.fileno())
        if sealed:
            seal = seal_of(path)
            beside = seal.with_name(f"{seal.name}.{os.getpid()}")
            beside.write_text(f"{_digest(partial.read_bytes())}  {path.name}\n", encoding="utf-8")
            beside.replace(seal)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    """Whether there is a process of a number on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


def write(path: Path, text: str) -> None:
    """Write a sealed text file, whole or not at all."""
    with replacing(path, sealed=True) as partial:
        partial.write_text(text, encoding="utf-8")


def read(path: Path) -> bytes:
    """Content of a file that was written sealed; one without a seal is taken as it is.

    Raises:
        UserError: If it cannot be read, or is not what was written.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: the file cannot be read ({error.strerror}); expected a file of a finished "
            "job. Rerun snakemake, which makes it"
        ) from None
    try:
        sealed = seal_of(path).read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return raw
    if _digest(raw) != sealed:
        raise UserError(
            f"{path}: this is not the file that the run wrote, because its SHA-256 differs from "
            f"that in {seal_of(path).name}. It is incomplete, damaged or edited. Delete it and "
            "rerun snakemake"
        )
    return raw


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """Content of a JSON file that was written sealed.

    Args:
        path: The file.
        keys: What it must hold.

    Raises:
        UserError: If it cannot be read, is damaged, or lacks a key.
    """
    try:
        content = json.loads(read(path))
        missing = [key for key in keys if key not in content]
        if missing or not isinstance(content, dict):
            raise ValueError(f"it lacks {missing}")
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(
            f"{path}: this is not a file that a finished job wrote ({error}); expected JSON with "
            f"{', '.join(keys) or 'facts'}. Delete it and rerun snakemake"
        ) from None
    return content


def seal_of(path: Path) -> Path:
    """Where the seal of a file lies."""
    return path.with_name(f".{path.name}.sha256")


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
