"""What a run will take: durations of earlier jobs, and the order in which cores take jobs."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    def kind(self) -> Job:
        """What it has in common with jobs that differ in the seed alone."""
        return Job(self.rule, tuple(item for item in self.wildcards if item[0] != "seed"))

    @property
    def label(self) -> str:
        """What a reader calls it: "goeltz yinyang spiking seed 3"; the rule where nothing else."""
        values = [f"seed {v}" if name == "seed" else v for name, v in self.wildcards]
        return " ".join(values) or self.rule


class Durations:
    """Seconds that jobs took in earlier runs, on a machine of unit 1; what is most alike counts."""

    def __init__(self, *sources: Iterable[Mapping[str, str]]):
        """Take rows of tables of durations, the best ones first."""
        self._means = [_compute_means(rows) for rows in sources]

    @classmethod
    def read(
        cls, folder_rows: Iterable[Mapping[str, str]], recorded: Path, scale: str
    ) -> Durations:
        """What jobs took in this folder counts first, then recorded runs of its scale, then others.

        Args:
            folder_rows: Rows of earlier jobs in this folder.
            recorded: Table of recorded runs.
            scale: That of this run.
        """
        rows = _read_rows(recorded)
        return cls(
            folder_rows,
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


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        _compute_means(rows)
    except (OSError, ArithmeticError, ValueError, KeyError, TypeError, csv.Error):
        return []  # an estimate less is no reason to stop a run
    return rows


def _compute_means(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, ...], float]:
    """Mean seconds of each kind of job: of a rule, of its talk, and so on."""
    seconds_by_kind: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        values = tuple(row.get(key) or "" for key in KEYS)
        at_unit_1 = float(row["cpu_seconds"]) / float(row["speed_factor"]) + OVERHEAD_S
        for depth in range(1, len(KEYS) + 1):
            seconds_by_kind.setdefault(values[:depth], []).append(at_unit_1)
    return {key: sum(values) / len(values) for key, values in seconds_by_kind.items()}


def makespan(
    waiting: Sequence[tuple[Job, float]],
    running: Sequence[tuple[Job, float]],
    cores: int,
    needs: Mapping[Job, Sequence[Job]],
    priority: Mapping[Job, float],
) -> float:
    """Seconds until all jobs are done if a free core takes the ready job of highest priority.

    Args:
        waiting: Jobs and the seconds that each takes; of equal priority the first are taken first.
        running: Jobs at work and the seconds that each has left.
        cores: Jobs that can run at a time.
        needs: Jobs that must have ended before a job starts; what is not named here has.
        priority: Of jobs; 0 where it is not told.
    """
    jobs = [job for job, _ in (*running, *waiting)]
    seconds = [seconds_left for _, seconds_left in (*running, *waiting)]
    indices = {job: n for n, job in enumerate(jobs)}
    n_missing = [0] * len(jobs)
    successors: list[list[int]] = [[] for _ in jobs]
    for n in range(len(running), len(jobs)):
        for predecessor in needs.get(jobs[n], ()):
            if predecessor in indices:
                n_missing[n] += 1
                successors[indices[predecessor]].append(n)
    # heapq pops the smallest entry, so a high priority is a negative number.
    order = [(-priority.get(job, 0), n) for n, job in enumerate(jobs)]
    busy_jobs = [(seconds_left, n) for n, (_, seconds_left) in enumerate(running)]
    ready_jobs = [order[n] for n in range(len(running), len(jobs)) if not n_missing[n]]
    heapq.heapify(busy_jobs)
    heapq.heapify(ready_jobs)
    time_s = 0.0
    while ready_jobs or busy_jobs:
        while ready_jobs and len(busy_jobs) < max(cores, 1):
            _, n = heapq.heappop(ready_jobs)
            heapq.heappush(busy_jobs, (time_s + seconds[n], n))
        time_s, i_ended = heapq.heappop(busy_jobs)
        for n in successors[i_ended]:
            n_missing[n] -= 1
            if not n_missing[n]:
                heapq.heappush(ready_jobs, order[n])
    return time_s
