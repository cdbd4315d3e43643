"""The jobs of a run: which are waiting, running, finished or failed, and how long is left."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEYS = ("rule", "talk", "experiment", "variant")
# A rule of which nothing is known; most unmeasured rules only collect tables.
UNKNOWN_S = 5.0
# Seconds after which the ratio of measured to expected durations is believed.
PRIOR_S = 20.0


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


@dataclass
class Running:
    """A job at work: when it started (seconds), its logs, and the fraction it has told."""

    job: Job
    started: float
    logs: Sequence[str] = ()
    fraction: float = 0.0
    text: str = ""


def announce(dag: Any) -> None:
    """Tell the terminal output which jobs are to come; called by `onstart` in the Snakefile.

    Without this call the time left is estimated from the number of jobs per rule.

    Args:
        dag: `workflow.dag` of the Snakefile.
    """
    jobs = [Job.of(job.rule.name, job.wildcards_dict) for job in dag.needrun_jobs()]
    logging.getLogger("snakemake.logging").info(
        f"{len(jobs)} jobs to do", extra={"whyspiking_jobs": jobs}
    )


class Durations:
    """Seconds that jobs took in an earlier run, looked up by what is most alike."""

    def __init__(self, rows: Iterable[Mapping[str, str]] = ()):
        sums: dict[tuple[str, ...], list[float]] = {}
        for row in rows:
            values = tuple(row.get(key) or "" for key in KEYS)
            for depth in range(1, len(KEYS) + 1):
                sums.setdefault(values[:depth], []).append(float(row["seconds"]))
        self._means = {key: sum(values) / len(values) for key, values in sums.items()}

    @classmethod
    def read(cls, paths: Iterable[Path], scale: str) -> Durations:
        """Read the first file that has rows of this scale.

        Args:
            paths: Tables with the columns rule, talk, experiment, variant, seconds and, where they
                the folder does not tell it, scale.
            scale: The scale of this run; durations of another one would mislead.
        """
        for path in paths:
            try:
                with path.open(encoding="utf-8", newline="") as file:
                    rows = [row for row in csv.DictReader(file) if _scale_of(row, path) == scale]
                if rows:
                    return cls(rows)
            except (OSError, ValueError, KeyError):
                continue  # an estimate less is no reason to stop a run
        return cls()

    def __bool__(self) -> bool:
        return bool(self._means)

    def of(self, job: Job) -> float | None:
        """Seconds of the same job, else of its experiment, its talk, its rule; None if unknown."""
        wildcards = dict(job.wildcards)
        values = (job.rule, *(wildcards.get(key, "") for key in KEYS[1:]))
        for depth in range(len(KEYS), 0, -1):
            mean = self._means.get(values[:depth])
            if mean is not None:
                return mean
        return None


def _scale_of(row: Mapping[str, str], path: Path) -> str:
    folder = path.parent.name
    return row.get("scale") or ("full" if folder == "reference" else folder)


@dataclass
class Plan:
    """The state of a run.

    Attributes:
        durations: What an earlier run took.
        cores: Jobs that can run at a time.
        total: Number of jobs in all.
        done: Number of finished jobs.
    """

    durations: Durations = field(default_factory=Durations)
    cores: int = 1
    total: int = 0
    done: int = 0
    waiting: list[Job] = field(default_factory=list)
    running: dict[int, Running] = field(default_factory=dict)
    failed: list[Job] = field(default_factory=list)
    _took: list[tuple[Job, float]] = field(default_factory=list)

    def expect(self, jobs: Iterable[Job]) -> None:
        """Take over the jobs to come."""
        self.waiting = list(jobs)
        self.total = len(self.waiting)

    def expect_counts(self, counts: Mapping[str, int]) -> None:
        """The same when only the number of jobs per rule is known."""
        self.expect(Job(r) for r, n in counts.items() if r != "total" for _ in range(n))

    def start(self, number: int, job: Job, now: float, logs: Sequence[str] = ()) -> None:
        """A job starts; `number` is Snakemake's."""
        for known in (job, Job(job.rule)):
            if known in self.waiting:
                self.waiting.remove(known)
                break
        self.running[number] = Running(job, now, logs)

    def finish(self, number: int, now: float) -> tuple[Running, float] | None:
        """A job has finished; gives it and the seconds it took, None if it is not known."""
        entry = self.running.pop(number, None)
        if entry is None:
            return None
        self.done += 1
        if entry.job in self.failed:
            self.failed.remove(entry.job)  # a retry went well
        self._took.append((entry.job, now - entry.started))
        return entry, now - entry.started

    def fail(self, number: int, job: Job, now: float) -> float | None:
        """A job has failed; gives the seconds it took, None if its start is not known."""
        entry = self.running.pop(number, None)
        self.failed.append(job)
        return None if entry is None else now - entry.started

    def seconds_left(self, now: float) -> float | None:
        """Estimated wall time that is left; None while there is nothing to estimate it from.

        A job takes what it took in an earlier run, corrected by how this run compares so far; else
        as long as finished jobs of its rule; a running job that tells its progress is extrapolated.
        """
        known = bool(self.durations) or bool(self._took)
        ratio = self._ratio()
        parts = []
        for entry in self.running.values():
            elapsed = now - entry.started
            if entry.fraction > 0.05:
                known = True
                parts.append(elapsed * (1 - entry.fraction) / entry.fraction)
            else:
                parts.append(max(self._expected(entry.job, ratio) - elapsed, 0.1 * elapsed))
        if not known:
            return None
        total = sum(parts) + sum(self._expected(job, ratio) for job in self.waiting)
        return max(total / self.cores, max(parts, default=0.0))

    def _expected(self, job: Job, ratio: float) -> float:
        earlier = self.durations.of(job)
        if earlier is not None:
            return earlier * ratio
        alike = [seconds for done, seconds in self._took if done.rule == job.rule]
        return sum(alike) / len(alike) if alike else UNKNOWN_S

    def _ratio(self) -> float:
        """How much slower this run is than the earlier one, near 1 while little is measured."""
        pairs = [
            (seconds, earlier)
            for job, seconds in self._took
            if (earlier := self.durations.of(job)) is not None
        ]
        measured, expected = (
            (sum(column) for column in zip(*pairs, strict=True)) if pairs else (0, 0)
        )
        return (measured + PRIOR_S) / (expected + PRIOR_S)
