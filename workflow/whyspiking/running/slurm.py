"""What Slurm says of partitions and jobs, so that no run waits, fails or submits in vain."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import re
import subprocess
import time
from collections import namedtuple
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

from whyspiking.errors import UserError

LONGEST_PAUSE_S = 180
"""Between two looks of Snakemake at its jobs."""
PATIENCE_S = 60
"""Slurm's commands give up by themselves, after ten seconds if nobody answers."""
PAUSE_S = 1.0
"""After which a job that was ended has left the queue, or is about to."""
RUN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""The name that Snakemake gives to all jobs of a run, perhaps after a prefix."""
RUNS = Path(".snakemake", "whyspiking-slurm")
"""A file for every run that submitted jobs; it is locked as long as the run lives."""

_held: list[IO[str]] = []
"""Open as long as this process lives."""


Queued = namedtuple("Queued", "number run state reason")
"""A job in the queue: its number, the run that submitted it, its state, why it waits."""


def queue(folder: Path) -> list[Queued] | None:
    """Jobs that Snakemake submitted in a folder; None where Slurm does not answer."""
    status, said = _answer("squeue", "--noheader", "--format=%i|%j|%T|%r|%Z")
    if status:
        return None
    own = rf"([^|]+)\|([^|]*{RUN})\|([^|]*)\|(.*)\|{re.escape(str(folder))}"
    found = (re.fullmatch(own, line.strip()) for line in said.splitlines())
    return [Queued(line[1], line[2], line[4], line[5]) for line in found if line]


def orphans(folder: Path) -> list[str]:
    """Numbers of the jobs in the queue whose run in this folder has ended; none without Slurm."""
    return [job.number for job in queue(folder) or () if not _lives(job.run)]


def hold(run: str) -> None:
    """Have other runs in this folder know that a run lives, until this process ends."""
    RUNS.mkdir(parents=True, exist_ok=True)
    _held.append((RUNS / run).open("a", encoding="utf-8"))
    # Where the file system has no locks, who asks takes the run for a living one.
    with contextlib.suppress(OSError):
        fcntl.flock(_held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lives(run: str) -> bool:
    try:
        with (RUNS / run).open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, FileNotFoundError)
    return False


def end(run: str, folder: Path, *options: str) -> str:
    """End all jobs of a run, those too that it has not heard of yet.

    Args:
        run: The name of all its jobs.
        folder: Where it submitted them.
        options: More words for `scancel`.

    Returns:
        Which jobs are left, and what ends them; empty where none is.
    """
    _answer("scancel", f"--name={run}", *options)
    time.sleep(PAUSE_S)
    jobs = queue(folder)
    if jobs is None:
        return f"Slurm does not answer; jobs may be left. When it does: scancel --name={run}"
    left = " ".join(job.number for job in jobs if job.run == run and job.state != "COMPLETING")
    return f"jobs of this run are still in the queue; end them: scancel {left}" if left else ""


def cpus(asked: Collection[str]) -> int | None:
    """Processors that are up for the jobs of a run, busy or not; None where Slurm does not tell.

    Args:
        asked: Names of partitions, several in one after commas; empty is the cluster's own choice.

    Raises:
        UserError: If there is no such partition.
    """
    status, said = _answer("sinfo", "--all", "--noheader", "--format=%P|%C")
    rows = [line.split("|") for line in said.split() if line.count("|") == 1]
    if status or not rows:
        return None
    named = {name for text in asked for name in text.split(",") if name}
    wanted = named or {name.rstrip("*") for name, _ in rows if name.endswith("*")}
    known = {name.rstrip("*") for name, _ in rows}
    if not wanted or wanted - known:
        raise UserError(
            f"Slurm: it has no {', '.join(sorted(wanted - known)) or 'default'} partition; nothing "
            f"was submitted. Expected one of {', '.join(sorted(known))}: add --default-resources "
            "slurm_partition=NAME"
        )
    taking = [counted for name, counted in rows if name.rstrip("*") in wanted]
    return sum(int(part) for counted in taking for part in counted.split("/")[:2]) or None


def ask_squeue(settings: Any) -> None:
    """Have Snakemake ask `squeue` how jobs fare where there is no accounting to ask.

    Args:
        settings: Those of Snakemake's plugin for Slurm.

    Raises:
        UserError: If the controller does not answer, or forgets jobs before anybody has looked.
    """
    _, said = _answer("scontrol", "show", "config")
    kept = re.search(r"MinJobAge\s*=\s*(\d+)", said)
    if kept is None:
        raise UserError(
            f"Slurm: its controller does not answer ({said.strip() or 'no word'}); nothing was "
            "submitted. See whether `sinfo` answers, ask those who run the cluster, and start again"
        )
    if _answer("sacct", "--allocations", "--noheader")[0] == 0:
        return
    first = settings.init_seconds_before_status_checks
    needed = max(LONGEST_PAUSE_S, 3 * first)
    if int(kept[1]) < needed:
        raise UserError(
            f"Slurm: it has no accounting (`sacct` fails) and forgets jobs {kept[1]} s after their "
            f"end (MinJobAge), but Snakemake looks every {LONGEST_PAUSE_S} s and would wait for "
            f"ever; expected accounting, or MinJobAge of {needed} s or more. Ask those who run the "
            "cluster, or run without the profile inside one job (`salloc`)"
        )
    if settings.status_command != "squeue":
        settings.status_command = "squeue"
        logging.getLogger("snakemake.logging").info(
            "Slurm has no accounting (`sacct` fails): `squeue` is asked how jobs fare"
        )


def _answer(*words: str) -> tuple[int, str]:
    """Exit status of a command of Slurm and what it said; a second Ctrl-C does not reach it."""
    try:
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return 1, str(error)
    return done.returncode, done.stdout
