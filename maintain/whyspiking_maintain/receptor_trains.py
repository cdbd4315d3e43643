"""Two spike trains of a grasshopper's auditory receptors (Rokem et al. 2006), from nitime's files.

They lie in the package nitime, or in its wheel, which is a zip archive: a file counts only if its
SHA-256 is the stated one. Nothing is fetched, nothing of the package is imported, and no run needs
them: the numbers that the report shows stand in `verdicts/biology.yaml`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from whyspiking.contract.spikes import Spikes
from whyspiking.datasets import archives
from whyspiking.datasets.archives import Refused
from whyspiking.errors import UserError

PACKAGE, FOLDER = "nitime", "nitime/data"
LARGEST_BYTES = 100_000
"""Of a file of spike times."""
REMEDY = (
    "install nitime, or let `pip download --no-deps nitime` fetch its wheel, and name the wheel or "
    "the folder with the files"
)


def find() -> Path | None:
    """Folder of the files in an installed nitime; None without one."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "data"


def trains(place: Path, files: Mapping[str, str], duration_ms: float) -> list[Spikes]:
    """The recorded trains, each as the one trial of one neuron.

    Args:
        place: A folder with the files, or a wheel of nitime.
        files: Name -> SHA-256.
        duration_ms: Length of the recording.

    Raises:
        UserError: If a file is missing or another.
    """
    found = []
    for name, digest in files.items():
        try:
            raw = _read(place, name)
        except (OSError, Refused) as reason:
            raise UserError(f"{place}: {name} cannot be read ({reason}); {REMEDY}") from None
        if hashlib.sha256(raw).hexdigest() != digest:
            raise UserError(f"{place}: {name} is not the file whose SHA-256 is {digest}; {REMEDY}")
        # Lines of a header begin with a number sign; times are in microseconds.
        lines = [line for line in raw.decode().split("\n") if line and line[0] != "#"]
        times_ms = np.array(lines, float) / 1000
        none = np.zeros(times_ms.size, int)
        shape = {"n_trials": 1, "n_units": 1, "duration_ms": duration_ms}
        found.append(Spikes.sorted(times_ms, none, none, **shape))
    return found


def _read(place: Path, name: str) -> bytes:
    if place.is_dir():
        return (place / name).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / name
        archives.unzip(place, f"{FOLDER}/{name}", target, LARGEST_BYTES)
        return target.read_bytes()
