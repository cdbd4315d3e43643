"""Files that the original authors released, read from a folder of the user's, or refused."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whyspiking.errors import UserError


class Unavailable(Exception):
    """Why a file of others is not there, in one line; a network without it is not measured."""


class File(NamedTuple):
    """A file as it was released.

    Attributes:
        name: Its name in `data.originals_dir` of the config.
        sha256: Its SHA-256.
    """

    name: str
    sha256: str

    def read(self, folder: Path | None) -> bytes:
        """Read its content.

        Args:
            folder: `data.originals_dir`.

        Raises:
            Unavailable: If the user has no such file.
            UserError: If it is another file.
        """
        if folder is None:
            raise Unavailable(f"file not available: {self.name} (data.originals_dir is not set)")
        if not (folder / self.name).is_file():
            raise Unavailable(f"file not available: {self.name} is not in data.originals_dir")
        raw = (folder / self.name).read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        if digest != self.sha256:
            raise UserError(
                f"{folder / self.name}: the SHA-256 is {digest}; expected {self.sha256}. Download "
                "the file again"
            )
        return raw

    def stored(self, folder: Path | None) -> Stored:
        """Its arrays, if it is an .npz file; argument and errors as for `read`."""
        raw = self.read(folder)
        try:
            with np.load(io.BytesIO(raw), allow_pickle=False) as file:
                return Stored(self.name, dict(file))
        except (EOFError, OSError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise UserError(
                f"{self.name}: this is not a file of arrays ({error}). Download the file again"
            ) from None


class Stored(NamedTuple):
    """Arrays of a file, each given out if it is what it should be.

    Attributes:
        file: Name of the file, for messages.
        arrays: All that it holds.
    """

    file: str
    arrays: Mapping[str, Any]

    def take(self, key: str, *shape: int | None) -> NDArray[np.float64]:
        """Return one array in double precision.

        Args:
            key: What the authors call it.
            shape: Its shape; None where any length will do.

        Raises:
            UserError: If it is missing, has another shape, or does not hold numbers.
        """
        if key not in self.arrays:
            raise UserError(f"{self.file}: the file has no array '{key}'. Download the file again")
        array = np.asarray(self.arrays[key])
        is_fitting = [
            expected in (None, size) for expected, size in zip(shape, array.shape, strict=False)
        ]
        if len(shape) != array.ndim or not all(is_fitting) or array.dtype.kind not in "biuf":
            raise UserError(
                f"{self.file}: array '{key}' is {array.dtype} of shape {array.shape}; expected "
                f"numbers of shape {shape}; check the sizes in talk.yaml, or download the file "
                "again"
            )
        return np.ascontiguousarray(array, np.float64)
