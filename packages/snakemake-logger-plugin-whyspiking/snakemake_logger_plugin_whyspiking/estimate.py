"""What a run will take: durations of earlier jobs, and what of them cannot run side by side."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

KEYS = ("rule", "talk", "experiment", "variant", "dataset")
# What a job costs beside the CPU seconds in its log, on a machine of unit 1: Snakemake's own work,
# the end of its interpreter, and the time until the core has its next job.
OVERHEAD_S = 0.2


@dataclass(frozen=True)
class Job:
    """One job: its rule and the values of its wildcards."""

    rule: str
    wildcards: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, rule: str, wildcards: Mapping[str, Any] | None) -> Job:
        """Make a job from a rule's name and its wildcards."""
        items = (wildcards or {}).items()
        return cls(rule, tuple((str(name), str(value)) for name, value in items))

    @property
    def label(self) -> str:
        """What a reader calls it: "goeltz yinyang spiking seed 3"; the rule where nothing else."""
        parts = [f"seed {v}" if name == "seed" else v for name, v in self.wildcards]
        return " ".join(parts) or self.rule


class Durations:
    """Seconds that jobs took in earlier runs, on a machine of unit 1; what is most alike counts."""

    def __init__(self, *sources: Iterable[Mapping[str, str]]):
        """Take rows of tables of durations, the best ones first."""
        self._means = [_means(rows) for rows in sources]

    @classmethod
    def read(cls, here: Iterable[Mapping[str, str]], recorded: Path, scale: str) -> Durations:
        """What jobs took in this folder counts first, then recorded runs of its scale, then others.

        Args:
            here: Rows of earlier jobs in this folder.
            recorded: Table of recorded runs.
            scale: That of this run.
        """
        rows = _rows(recorded)
        return cls(
            here,
            [row for row in rows if row["scale"] == scale],
            [row for row in rows if row["scale"] != scale],
        )

    def __bool__(self) -> bool:
        return any(self._means)

    def of(self, job: Job) -> float | None:
        """Seconds of the same job, else of its experiment, its talk, its rule; None if unknown."""
        wildcards = dict(job.wildcards)
        values = (job.rule, *(wildcards.get(key, "") for key in KEYS[1:]))
        for depth in range(len(KEYS), 0, -1):
            for means in self._means:
                if values[:depth] in means:
                    return means[values[:depth]]
        return None


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        _means(rows)
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError, csv.Error):
        return []  # an estimate less is no reason to stop a run
    return rows


def _means(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, ...], float]:
    """Mean seconds of each kind of job: of a rule, of its talk, and so on."""
    found: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        values = tuple(row.get(key) or "" for key in KEYS)
        at_unit_1 = float(row["cpu_seconds"]) / float(row["unit"]) + OVERHEAD_S
        for depth in range(1, len(KEYS) + 1):
            found.setdefault(values[:depth], []).append(at_unit_1)
    return {key: sum(values) / len(values) for key, values in found.items()}


def makespan(
    jobs: Sequence[tuple[Job, float]], cores: int, needs: Mapping[Job, Sequence[Job]]
) -> float:
    """Seconds that a run takes at least: all its work on all cores, or the longest chain of jobs.

    Args:
        jobs: Those to come and at work, with the seconds that each has left.
        cores: Jobs that can run at a time.
        needs: Jobs that must have ended before a job starts; what is not among `jobs` has.
    """
    seconds, ends = dict(jobs), dict[Job, float]()
    for job in TopologicalSorter({job: needs.get(job, ()) for job in seconds}).static_order():
        if job in seconds:
            ends[job] = seconds[job] + max(
                (ends.get(n, 0.0) for n in needs.get(job, ())), default=0
            )
    return max([sum(left for _, left in jobs) / max(cores, 1), *ends.values()])
