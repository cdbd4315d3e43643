"""What Slurm says before anything is submitted to it, so that no run waits or fails in vain."""

from __future__ import annotations

import logging
import re
import subprocess
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError

LONGEST_PAUSE_S = 180
"""Between two looks of Snakemake at its jobs."""
PATIENCE_S = 60
"""Slurm's commands give up by themselves, after ten seconds if nobody answers."""
# The name that Snakemake gives to all jobs of a run, perhaps after a prefix.
RUN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def jobs_of(folder: Path) -> list[str]:
    """Numbers of the jobs in the queue that Snakemake submitted in a folder; none without Slurm."""
    own = rf"(\S+) \S*{RUN} {re.escape(str(folder))}"
    lines = _answer("squeue", "--noheader", "--format=%i %j %Z")[1].splitlines()
    return [found[1] for line in lines if (found := re.fullmatch(own, line.strip()))]


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
    """Exit status of a command of Slurm and what it said."""
    try:
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return 1, str(error)
    return done.returncode, done.stdout
