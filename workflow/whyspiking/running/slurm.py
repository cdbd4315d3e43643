"""What Slurm says of partitions and jobs, so that no run waits, fails or submits in vain."""

from __future__ import annotations

import fcntl
import logging
import re
import subprocess
import time
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any, NamedTuple

from whyspiking.errors import UserError

LONGEST_PAUSE_S = 180
"""Between two looks of Snakemake at its jobs."""
PATIENCE_S = 60
"""Slurm's commands give up by themselves, after ten seconds if nobody answers."""
GRACE_S, PAUSE_S = 5.0, 0.5
"""How long a job that was ended may stay in the queue, and how often that is looked at."""
RUN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""The name that Snakemake gives to all jobs of a run, perhaps after a prefix."""
RUNS = Path(".snakemake", "whyspiking-slurm")
"""A file for every run that submitted jobs; it is locked as long as the run lives."""
LEFT = "jobs of this run are still in the queue ({numbers}); end them: scancel {numbers}"
UNKNOWN = "Slurm does not answer: jobs may be left; end them when it does: scancel --name={run}"

_held: list[IO[str]] = []
"""Open as long as this process lives."""


class Queued(NamedTuple):
    """A job in the queue: its number, the run that submitted it, its state, why it waits."""

    number: str
    run: str
    state: str
    reason: str


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
    file = (RUNS / run).open("a", encoding="utf-8")
    _held.append(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # the file system has no locks: who asks takes the run for a living one


def _lives(run: str) -> bool:
    try:
        with (RUNS / run).open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
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
    until = time.monotonic() + GRACE_S
    while True:
        jobs = queue(folder)
        if jobs is None:
            return UNKNOWN.format(run=run)
        left = [job.number for job in jobs if job.run == run and job.state != "COMPLETING"]
        if not left or time.monotonic() > until:
            return LEFT.format(numbers=" ".join(left)) if left else ""
        time.sleep(PAUSE_S)


def cpus(asked: Collection[str]) -> int | None:
    """Processors of the nodes that take the jobs of a run; None where Slurm does not tell.

    Args:
        asked: Names of partitions, several in one after commas; empty is the cluster's own choice.

    Raises:
        UserError: If there is no such partition.
    """
    status, said = _answer("sinfo", "--all", "--noheader", "--format=%P|%C")
    rows = [line.split("|") for line in said.split() if line.count("|") == 1]
    if status or not rows:
        return None
    known = {name.rstrip("*") for name, _ in rows}
    standard = {name.rstrip("*") for name, _ in rows if name.endswith("*")}
    named = {name for text in asked for name in text.split(",") if name}
    if (unknown := named - known) or not (named or standard):
        what = f"no partition {', '.join(sorted(unknown))}" if unknown else "no default partition"
        raise UserError(
            f"Slurm: it has {what}; nothing was submitted. Expected one of "
            f"{', '.join(sorted(known))}: add --default-resources slurm_partition=NAME"
        )
    free = 0
    for name, counted in rows:
        if name.rstrip("*") in (named or standard):
            allocated, idle, *_ = map(int, counted.split("/"))
            free += allocated + idle
    return free or None


def settle(settings: Any) -> None:
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
