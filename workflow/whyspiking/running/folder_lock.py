"""Snakemake's lock of a folder, removed where the run that made it was killed.

Snakemake's lock is a file, which stays after `kill -9` or a power cut. So every run holds a lock of
the operating system as well, which ends with its process: where nobody holds one, Snakemake's is
left over.
"""

from __future__ import annotations

import fcntl
import logging
import platform
import shutil
from pathlib import Path
from typing import IO

from whyspiking.errors import UserError
from whyspiking.running import slurm

SNAKEMAKE = Path(".snakemake")
SUBMITTED = "slurm_logs"
"""In Snakemake's folder, from the first job on that was handed to Slurm."""

beside: list[str] = []
"""Says so where another run lives in the folder, whose lock of Snakemake is no left-over."""
_held: list[IO[str]] = []
"""Open as long as this process lives; no process that it starts inherits it."""


def acquire(folder: Path = SNAKEMAKE) -> None:
    """Hold the folder until this process ends, and remove what killed runs have left of locks.

    Nothing is removed where other machines have run in the folder, which may not tell each other of
    such locks, or where the file system has none: then Snakemake says what to do.

    Args:
        folder: Snakemake's own, in the working directory.

    Raises:
        UserError: If a cluster still has jobs of a killed run, which would be submitted again.
    """
    host = platform.node()
    try:
        folder.mkdir(exist_ok=True)
        file = (folder / "whyspiking-runs").open("a+", encoding="utf-8")
        _held.append(file)
        _refuse_orphans(folder)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(file, fcntl.LOCK_SH)  # somebody runs here, perhaps another talk
            beside.append("another run lives in this folder")
        else:
            _clear(folder / "locks", file, host)
            fcntl.flock(file, fcntl.LOCK_SH)
        print(host, file=file, flush=True)
    except OSError:
        return  # Snakemake tells what is wrong with the folder


def _refuse_orphans(folder: Path) -> None:
    """Whoever else runs here: jobs of a killed run would be submitted again."""
    if (folder / SUBMITTED).exists() and (jobs := slurm.orphans(Path.cwd())):
        raise UserError(
            f"Slurm: jobs of an earlier run in this folder ({', '.join(jobs)}), which was killed "
            "or lives on a machine that shares no locks with this one, wait or run still, and "
            "would be submitted a second time. Wait until `squeue` no longer lists them, or end "
            f"them: scancel {' '.join(jobs)}"
        )


def _clear(locks: Path, file: IO[str], host: str) -> None:
    """Remove left-over locks, if all runs since the last ones were removed were on this machine."""
    file.seek(0)
    hosts = set(file.read().split())
    left = any(locks.glob("*.lock"))
    if left and hosts != {host}:
        return
    if left:
        shutil.rmtree(locks)
        logging.getLogger("snakemake.logging").info(
            "an earlier run was killed: its lock is removed, what it had finished is kept"
        )
    file.truncate(0)
