"""Save and load trained networks as plain files: .npz, .json and .csv, never a pickle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whyspiking import whole_files
from whyspiking.contract import Network
from whyspiking.errors import UserError


def save_network(network: Network, folder: Path) -> None:
    """Write `network.npz` and `network.json` (facts and history) into `folder`."""
    save_arrays(network.arrays, folder / "network.npz")
    text = json.dumps({"info": network.info, "history": network.history}, indent=1, sort_keys=True)
    whole_files.write(folder / "network.json", text + "\n")


def load_network(folder: Path) -> Network:
    """Read what `save_network` wrote.

    Raises:
        UserError: If a file is missing or damaged.
    """
    arrays = load_arrays(folder / "network.npz")
    path = folder / "network.json"
    facts = whole_files.read_json(path, "info", "history")
    return Network(arrays=arrays, info=facts["info"], history=facts["history"])


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
            f"{path}: cannot be read ({error}); expected arrays that a finished job wrote; delete "
            "it and rerun snakemake"
        ) from None
