"""Save and load named arrays as plain .npz files, never with a pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking.errors import UserError
from whyspiking.records import whole_files


def save_arrays(arrays: dict[str, NDArray], path: Path) -> None:
    """Write named arrays as one compressed .npz, whole or not at all."""
    with whole_files.replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_arrays(path: Path) -> dict[str, NDArray]:
    """Read an .npz written by `save_arrays`.

    Raises:
        UserError: If the file is missing or damaged.
    """
    try:
        # Opened here: numpy would leave a file open that is no archive.
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except Exception as error:
        raise UserError(
            f"{path}: the file cannot be read ({error}); expected arrays that a finished job "
            "wrote. Delete it and rerun snakemake"
        ) from None
