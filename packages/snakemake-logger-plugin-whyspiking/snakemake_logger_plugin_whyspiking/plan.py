"""The jobs of a run: which are waiting, running, finished or failed, and how long is left."""

from __future__ import annotations

import contextlib
import csv
import logging
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake_logger_plugin_whyspiking.estimate import Durations, Job, makespan
from snakemake_logger_plugin_whyspiking.host import machine, used
from snakemake_logger_plugin_whyspiking.reasons import causes

# A rule of which nothing is known, on a machine of unit 1; most only collect tables.
UNKNOWN_S = 5.0
# With fewer jobs than this it is not worth finding out how slow the machine is.
WORTH_MEASURING = 20
# Seconds after which the ratio of measured to expected durations is believed: the first jobs build
# programs that later ones share.
PRIOR_S = 120.0


@dataclass
class Running:
    """A job at work: when it started (seconds), its logs, the fraction it has told, and when.

    Its `first_news` tells that a program is ready or data are read, and nothing of how fast the
    rest goes: only the `new_fraction` since then is extrapolated.

    One that runs on a cluster has a `benchmark`, the table of what Snakemake measures of it there,
    or an empty name if it has no table. It waits in the queue until its log is not that of
    `queued`, the times at which its logs were written last when it was submitted.
    """

    job: Job
    started: float
    logs: Sequence[str] = ()
    fraction: float = 0.0
    text: str = ""
    news_s: float = 0.0
    first_news: tuple[float, float] = (0.0, 0.0)
    benchmark: str | None = None
    queued: list[float | None] | None = None

    def tell(self, fraction: float, text: str, time_s: float) -> None:
        """Take what it has told last; the same again is no news."""
        if not self.text:
            self.first_news = fraction, time_s
        if (fraction, text) != (self.fraction, self.text):
            self.fraction, self.text, self.news_s = fraction, text, time_s

    @property
    def new_fraction(self) -> float:
        """The fraction that was done between the first and the last news."""
        return self.fraction - self.first_news[0]

    @property
    def total_seconds(self) -> float | None:
        """Seconds that all of it takes by its last news; None while that says too little."""
        if self.new_fraction <= 0.05:
            return None
        return (
            self.first_news[1]
            - self.started
            + (self.news_s - self.first_news[1]) / self.new_fraction
        )

    def estimate_seconds_left(self, time_s: float, expected: float) -> float:
        """Seconds that it has left: by its last news, else by what was expected of it.

        Between two pieces of news this falls, and stops at a tenth of what was left at the first:
        who says nothing in a long loop must not seem to need ever more.
        """
        last_s = self.started
        if self.new_fraction > 0.05:
            expected = (self.news_s - self.first_news[1]) * (1 - self.fraction) / self.new_fraction
            last_s = self.news_s
        return max(expected - (time_s - last_s), 0.1 * expected)

    def look(self, time_s: float) -> None:
        """See whether it has left the queue: it starts when that is seen first."""
        if self.queued is not None and self.queued != _read_write_times(self.logs):
            self.queued, self.started = None, time_s

    def measure_seconds(self, time_s: float) -> float:
        """Seconds that it worked: on a cluster neither the queue counts nor who looked how late."""
        if self.benchmark is not None:
            with contextlib.suppress(OSError, LookupError, ValueError, StopIteration):
                rows = Path(self.benchmark).read_text(encoding="utf-8").splitlines()
                return float(next(csv.DictReader(rows, delimiter="\t"))["s"])
            for log in self.logs:
                if (seconds := used(Path(log))[0]) > 0:
                    return seconds
        return time_s - self.started


@dataclass
class Plan:
    """The state of a run.

    Attributes:
        durations: What earlier runs took.
        unit: How slow this machine is (`running.machine`); None if that is not known.
        cores: Jobs that can run at a time.
        total: Number of jobs in all.
        done: Number of finished jobs.
        pages: Jobs that write a page, and where.
        needs: Jobs that must have ended before a job starts.
        priority: Of jobs; those of higher priority start first.
        causes: Why finished jobs run again, a line each.
    """

    durations: Durations = field(default_factory=Durations)
    unit: float | None = None
    cores: int = 1
    total: int = 0
    done: int = 0
    pages: Mapping[Job, str] = field(default_factory=dict)
    needs: Mapping[Job, Sequence[Job]] = field(default_factory=dict)
    priority: Mapping[Job, float] = field(default_factory=dict)
    causes: Sequence[str] = ()
    waiting: list[Job] = field(default_factory=list)
    running: dict[int, Running] = field(default_factory=dict)
    failed: list[Job] = field(default_factory=list)
    _durations: list[tuple[Job, float]] = field(default_factory=list)

    def expect(self, jobs: Iterable[Job]) -> None:
        """Take over the jobs to come."""
        self.waiting = list(jobs)
        self.total = len(self.waiting)

    def expect_counts(self, counts: Mapping[str, int]) -> None:
        """The same when only the number of jobs per rule is known."""
        self.expect(Job(r) for r, n in counts.items() if r != "total" for _ in range(n))

    def goal(self) -> tuple[str, list[str]]:
        """What the run is for: the report, or else the pages of talks."""
        report = [page for job, page in self.pages.items() if job.rule == "report"]
        pages = report or list(self.pages.values())
        return "report" if report else f"page{'s' * (len(pages) > 1)}", pages

    def start(
        self,
        number: int,
        job: Job,
        time_s: float,
        logs: Sequence[str] = (),
        benchmark: str | None = None,
    ) -> None:
        """A job starts, or is handed to a cluster; `number` is Snakemake's."""
        for candidate in (job, Job(job.rule)):
            if candidate in self.waiting:
                self.waiting.remove(candidate)
                break
        queued = None if benchmark is None else _read_write_times(logs)
        self.running[number] = Running(job, time_s, logs, benchmark=benchmark, queued=queued)

    def finish(self, number: int, time_s: float) -> tuple[Running, float] | None:
        """A job has finished; gives it and the seconds it took, None if it is not known."""
        entry = self.running.pop(number, None)
        if entry is None:
            return None
        self.done += 1
        if entry.job in self.failed:
            self.failed.remove(entry.job)  # a retry went well
        seconds = entry.measure_seconds(time_s)
        self._durations.append((entry.job, seconds))
        return entry, seconds

    def fail(self, number: int, job: Job, time_s: float) -> float | None:
        """A job has failed; gives the seconds it took, None if its start is not known."""
        entry = self.running.pop(number, None)
        if job not in self.failed:  # as it is where a second try fails too
            self.failed.append(job)
        return None if entry is None or entry.queued is not None else time_s - entry.started

    def seconds_left(self, time_s: float) -> float | None:
        """Estimated wall time that is left; None while there is nothing to estimate it from.

        A job takes as long as those of this run from which only its seed differs, if some have
        ended or tell how far they are; else what it would take on this machine by an earlier run,
        corrected by how this run compares so far; else as long as finished jobs of its rule. A
        running job that tells its progress is extrapolated.
        """
        seconds_by_kind = self._average_kinds()
        is_known = bool(self.durations) or bool(seconds_by_kind)
        ratio = self._estimate_slowdown()
        running = []
        for entry in self.running.values():
            expected = self._estimate_seconds(entry.job, ratio, seconds_by_kind)
            seconds_left = (
                expected
                if entry.queued is not None
                else entry.estimate_seconds_left(time_s, expected)
            )
            running.append((entry.job, seconds_left))
        if not is_known:
            return None
        waiting = [
            (job, self._estimate_seconds(job, ratio, seconds_by_kind)) for job in self.waiting
        ]
        return makespan(waiting, running, self.cores, self.needs, self.priority)

    def _average_kinds(self) -> dict[Job, float]:
        """Mean seconds of each kind of job of this run, as far as it is known by now."""
        seconds_by_kind: dict[Job, list[float]] = {}
        estimates = ((entry.job, entry.total_seconds) for entry in self.running.values())
        for job, seconds in (*self._durations, *estimates):
            if seconds is not None:
                seconds_by_kind.setdefault(job.kind, []).append(seconds)
        return {kind: sum(seconds) / len(seconds) for kind, seconds in seconds_by_kind.items()}

    def _estimate_seconds(
        self, job: Job, ratio: float, seconds_by_kind: Mapping[Job, float]
    ) -> float:
        if job.kind in seconds_by_kind:
            return seconds_by_kind[job.kind]
        earlier = self._find_earlier_seconds(job)
        if earlier is not None:
            return earlier * ratio
        rule_seconds = [
            seconds for finished_job, seconds in self._durations if finished_job.rule == job.rule
        ]
        return (
            sum(rule_seconds) / len(rule_seconds)
            if rule_seconds
            else UNKNOWN_S * (self.unit or 1.0)
        )

    def _find_earlier_seconds(self, job: Job) -> float | None:
        """Seconds that the job would have taken in an earlier run on this machine."""
        seconds = self.durations.of(job)
        return None if seconds is None else seconds * (self.unit or 1.0)

    def _estimate_slowdown(self) -> float:
        """How much slower this run is than the earlier one, near 1 while little is measured."""
        pairs = [
            (seconds, earlier)
            for job, seconds in self._durations
            if (earlier := self._find_earlier_seconds(job)) is not None
        ]
        measured, expected = map(sum, zip((PRIOR_S, PRIOR_S), *pairs, strict=True))
        return measured / expected


def _read_write_times(logs: Iterable[str]) -> list[float | None]:
    """When each log was written last, in seconds; None of one that is not there."""
    return [os.path.getmtime(log) if os.path.exists(log) else None for log in logs]


def announce(dag: Any, config: Mapping[str, Any]) -> None:
    """Tell the terminal output which jobs are to come; called by `onstart` in the Snakefile.

    Without this call the time left is estimated from the number of jobs per rule.

    Args:
        dag: `workflow.dag` of the Snakefile.
        config: The run configuration.
    """
    jobs = {job: Job.of(job.rule.name, job.wildcards_dict) for job in dag.needrun_jobs()}
    unit = _find_unit(Path(config.get("build_folder", ".")), len(jobs))
    plan = Plan(unit=unit)
    plan.durations = Durations.read(
        _list_folder_rows(dag.jobs, plan.unit or 1.0),
        Path("results", "reference", "durations.csv"),
        config.get("scale", ""),
    )
    plan.expect(plan_job for job, plan_job in jobs.items() if not job.is_norun)
    plan.total = len(jobs)
    plan.needs = {
        plan_job: [
            jobs[predecessor] for predecessor in dag.dependencies[job] if predecessor in jobs
        ]
        for job, plan_job in jobs.items()
    }
    plan.priority = {plan_job: job.priority for job, plan_job in jobs.items()}
    plan.pages = {
        plan_job: str(page)
        for job, plan_job in jobs.items()
        if (page := job.output.get("page")) is not None
    }
    plan.causes = causes((plan_job, dag.reason(job)) for job, plan_job in jobs.items())
    record_fields = {"whyspiking_plan": plan}
    logging.getLogger("snakemake.logging").info(f"{plan.total} jobs to do", extra=record_fields)


def _find_unit(folder: Path, jobs: int) -> float | None:
    """The unit of this machine, if it is known or worth measuring."""
    if jobs < WORTH_MEASURING:
        return machine.cached(folder)
    # An estimate less is no reason to stop a run.
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return machine.unit(folder)


def _list_folder_rows(jobs: Iterable[Any], unit: float) -> Iterator[dict[str, str]]:
    """What jobs took here when they last ended well, as rows of a table of durations."""
    for job in jobs:
        for log in job.log:
            seconds, _ = used(Path(log))
            if seconds > 0:
                costs = {"cpu_seconds": str(seconds), "speed_factor": str(unit)}
                yield {**job.wildcards_dict, "rule": job.rule.name, **costs}
