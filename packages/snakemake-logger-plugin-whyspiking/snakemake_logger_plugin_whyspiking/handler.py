"""The log handler: turns Snakemake's log records into lines for a reader."""

from __future__ import annotations

import json
import logging
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_whyspiking import failures, reasons, words
from snakemake_logger_plugin_whyspiking.estimate import Job
from snakemake_logger_plugin_whyspiking.host import (
    NO_MEMORY,
    STOP,
    latest,
    news_file,
)
from snakemake_logger_plugin_whyspiking.plan import Plan, Running

# What each rule does, while it runs and afterwards; any other rule is called by its name.
STAGES = {
    "fetch": ("downloading", "fetched"),
    "shard": ("generating", "made"),
    "gather": ("combining", "put together"),
    "train": ("training", "trained"),
    "simulate": ("simulating and measuring", "simulated and measured"),
    "collect": ("collecting tables", "tables collected, claims judged"),
    "compare": ("comparing talks", "talks compared"),
    "page": ("writing the page", "page written"),
    "figure": ("writing a figure", "figure written"),
    "slides": ("drawing the single figures", "single figures drawn"),
    "report": ("writing the report", "report written"),
}
# Remarks of Snakemake that say nothing about this workflow (they stay in its own log file).
CHATTER = (
    "Assuming unrestricted shared filesystem usage",
    "Building DAG of jobs",
    "Config file ",
    "Conda environments: ignored",
    "Complete log(s):",
    "Elapsed time:",
    "Execute ",
    "Group jobs: inactive",
    "Select jobs to execute",
    "Singularity containers: ignored",
    "Using shell:",
    "The order of jobs does not reflect",
    "Reasons:\n",
    "This was a dry-run",
    "Exiting because a job execution failed",
)
TAKEN_BY = {
    LogEvent.RUN_INFO: "_run_info",
    LogEvent.JOB_INFO: "_job_info",
    LogEvent.JOB_FINISHED: "_job_finished",
    LogEvent.JOB_ERROR: "_job_error",
}
SILENT = (LogEvent.JOB_STARTED, LogEvent.PROGRESS, LogEvent.RULEGRAPH, LogEvent.WORKFLOW_STARTED)
IMPLIED = ("Missing output files", "Input files updated by another job")
GOES_ON = "the results of finished jobs are kept; run the same command again to continue"
# On a terminal the last line is rewritten; in a pipe lines add up.
BEAT_S = {True: 1.0, False: 30.0}
TAIL_LINES = 25
# What Snakemake says of a job that ended by SIGHUP, SIGINT or SIGTERM.
ENDED = re.compile(r"exit status 1(29|30|43)\b|died with <Signals\.SIG(HUP|INT|TERM)")


class LogHandler(LogHandlerBase):
    """Snakemake's entry into this package."""

    def __post_init__(self) -> None:
        """Prepare the output; called by the base class."""
        settings = self.common_settings
        self.stream: TextIO = sys.stdout if settings.stdout else sys.stderr
        self.on_terminal = self.stream.isatty()
        self.clock: Callable[[], float] = time.monotonic
        self.quiet = {level.name.lower() for level in settings.quiet or ()}
        self.plan = Plan()
        self.stop = STOP
        self.began = self.clock()
        self._introduced = False
        self._status_shown = False
        self._told_stop = False
        self._warned: set[str] = set()
        self._last_line = self.began
        self._stop = threading.Event()
        self._mutex = threading.RLock()  # records come in one thread, the heartbeat is another
        self._beat: threading.Thread | None = None

    @property
    def writes_to_stream(self) -> bool:
        """Replaces Snakemake's own output on the terminal."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Writes no file."""
        return False

    @property
    def has_filter(self) -> bool:
        """Does its own: Snakemake's filter would hide the reason of a failure under --quiet."""
        return True

    @property
    def has_formatter(self) -> bool:
        """Leaves what it does not know to Snakemake's formatter."""
        return False

    @property
    def needs_rulegraph(self) -> bool:
        """Needs no graph."""
        return False

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record of Snakemake."""
        try:
            with self._mutex:
                if self._wanted(record):
                    self._take(record)
        except BrokenPipeError:
            raise
        except Exception:
            # A flaw here must not cost a run; Python's logging prints it and goes on.
            self.handleError(record)

    def close(self) -> None:
        """End the heartbeat and leave the terminal clean."""
        self._stop.set()
        if self._beat is not None:
            self._beat.join(timeout=5)
            self._beat = None
        with self._mutex:
            self._wipe()
            if self.stop.ended and not self._told_stop and "all" not in self.quiet:
                self._told_stop = True
                self._say(f"the run was stopped by you after {self._since()}; {GOES_ON}")
        super().close()

    # ---- records ----

    def _wanted(self, record: logging.LogRecord) -> bool:
        settings = self.common_settings
        event = getattr(record, "event", None)
        if self.stop.number is not None:
            return False  # jobs that were ended are no failures
        if event == LogEvent.DEBUG_DAG:
            return settings.debug_dag
        if "all" in self.quiet and not settings.dryrun:
            return False
        if event == LogEvent.SHELLCMD:
            return settings.printshellcmds
        return record.levelno > logging.DEBUG or settings.verbose

    def _take(self, record: logging.LogRecord) -> None:
        event: Any = getattr(record, "event", None)
        plan: Plan | None = getattr(record, "whyspiking_plan", None)  # from `announce`
        if plan is not None:
            plan.cores = self.plan.cores
            self.plan = plan
            self._introduce()
        elif event == LogEvent.RESOURCES_INFO:
            cores = getattr(record, "cores", None) or getattr(record, "nodes", None)
            self.plan.cores = cores or self.plan.cores
        elif event in TAKEN_BY:
            getattr(self, TAKEN_BY[event])(record)
        elif event not in SILENT or self.common_settings.verbose:
            self._message(record, event)

    def _run_info(self, record: logging.LogRecord) -> None:
        counts: dict[str, int] = getattr(record, "stats", None) or {}
        if self.plan.total:  # a dry run tells it a second time, at its end
            if self.common_settings.dryrun:
                self._say("dry run: no job was run")
            return
        self.plan.expect_counts(counts)
        if self.common_settings.dryrun:
            rules = ", ".join(f"{r} {n}" for r, n in counts.items() if r not in ("total", "all"))
            total = counts.get("total", self.plan.total)
            self._say(f"{words.jobs(total)} to do: {rules or 'only the final target'}")

    def _introduce(self) -> None:
        """The first line: how many jobs, how long they will take, where to look then."""
        self._introduced = True
        if "progress" in self.quiet:
            return
        told = f"{words.jobs(self.plan.total)} to do"
        left = self.plan.seconds_left(self.clock())
        if left is not None:
            on = f"{self.plan.cores} core{'s' * (self.plan.cores != 1)}"
            unit = "" if self.plan.unit is None else f" with speed factor {self.plan.unit:.2g}"
            told += f", about {words.roughly(left)} on {on}{unit}"
        what, pages = self.plan.goal()
        if pages:
            told += f"; {what}: {', '.join(pages)}"
        self._say("\n  changed: ".join([told, *self.plan.causes]))

    def _job_info(self, record: Any) -> None:
        job = Job.of(record.rule_name, record.wildcards)
        if self.common_settings.dryrun:
            if "rules" in self.quiet:
                return
            self._say(f"{_named(job)}, because {_shorten(record.reason)}")
            return
        if not self._introduced:  # with --no-hooks nothing is announced
            self._introduce()
        for log in record.log:
            news_file(log).unlink(missing_ok=True)  # left behind by a run that was killed
        benchmark = None if getattr(record, "local", True) else record.benchmark or ""
        self.plan.start(record.jobid, job, self.clock(), tuple(record.log), benchmark)
        if self._beat is None and not self._stop.is_set():
            beat = threading.Thread(target=self._beat_on, daemon=True)
            beat.start()  # which fails where no memory is left
            self._beat = beat

    def _job_finished(self, record: Any) -> None:
        ended = self.plan.finish(record.job_id, self.clock())
        if ended is None:
            return
        entry, seconds = ended
        for log in entry.logs:
            news_file(log).unlink(missing_ok=True)
        if "progress" in self.quiet:
            return
        if entry.job.rule != "all":
            name = _named(entry.job, STAGES.get(entry.job.rule, ("", "done"))[1])
            page = self.plan.pages.get(entry.job)
            where = "" if page is None else f": {page}"
            self._say(f"{self._head()} {name} ({words.duration(seconds)}){where}")
        if self.plan.done == self.plan.total:
            done = f"finished {words.jobs(self.plan.total)} in {self._since()}"
            self._say(f"{done}{self._reproduced()}")

    def _reproduced(self) -> str:
        """What the run's manifest says: the energy, and how many numbers are those recorded."""
        what, pages = self.plan.goal()
        if what != "report":
            own = (Path(page).with_name("reproduced.csv") for page in pages)
            return "".join(_changed(table) for table in own if table.is_file())
        manifest = Path(pages[0]).with_name("manifest.json")
        if not manifest.is_file():
            return ""
        from whyspiking.records.footprint import kilowatt_hours

        made = json.loads(manifest.read_text(encoding="utf-8"))
        spent = (
            "; energy of training and simulation: about "
            f"{kilowatt_hours(made.get('talks', {})):.2g} kWh"
        )
        said = (
            f"\n{made.get('reproduced')}; the result of each network is in "
            f"{manifest.parent}/reproduced.csv"
        )
        return spent + said * bool(made.get("reproduced"))

    def _job_error(self, record: Any) -> None:
        self._look()
        entry = self.plan.running.get(record.jobid)
        # What has not begun has written nothing: its log is that of an earlier try.
        earlier = entry.logs if entry is not None and entry.queued is not None else ()
        job = entry.job if entry is not None else Job(record.rule_name)
        seconds = self.plan.fail(record.jobid, job, self.clock())
        after = "" if seconds is None else f" after {words.duration(seconds)}"
        lines = [f"{self._head()} FAILED{after}: {_named(job)}"]
        logs = [log for log in record.log if log not in earlier and Path(log).is_file()]
        shown: list[str] = []
        for log in logs:  # where the job's own says what is wrong, that of a cluster says no more
            if not any(line.startswith("ERROR ") for line in shown):
                shown.extend(_tail(Path(log)))
        if record.rule_msg:
            lines.append(f"  {failures.of_cluster(job.rule, record.rule_msg, shown)}")
        if record.shellcmd and not shown:
            lines.append(f"  command: {' '.join(record.shellcmd.split())}")
        if self.common_settings.show_failed_logs:
            lines.extend(f"  | {line}" for line in shown)
        lines.extend(f"  full log: {log}" for log in logs)
        self._say("\n".join(lines), "red")

    def _message(self, record: logging.LogRecord, event: str | None) -> None:
        text = self.format(record)
        chatter = text.startswith(CHATTER) and not self.common_settings.verbose
        if text in ("", "None") or chatter or text in self._warned:
            return
        colour, of_error = "", event == LogEvent.ERROR and record.levelno >= logging.WARNING
        if of_error and ENDED.search(text) and self.stop.signalled():
            return
        # The command line of a failed script says nothing that its log does not say better.
        if of_error and "returned non-zero exit status" in text:
            return
        if of_error and (died := re.search(r"died with <Signals\.(SIG\w+)", text)):
            text = f"a job was ended by {died[1]}, as happens to a job for which {NO_MEMORY}"
        if record.levelno >= logging.WARNING:
            colour = "red" if record.levelno >= logging.ERROR else "yellow"
            if colour == "yellow":  # a cluster's plugin says some of them for every job
                self._warned.add(text)
            raised = getattr(record, "exception", "")
            if raised in failures.ALONE:
                text = failures.ALONE[raised](text)
            elif of_error and not self.plan.total:
                text = failures.of_config(sys.argv) or text
        self._say(text.rstrip(), colour)
        if colour and "At least one job did not complete" in text:
            self._say_failures()

    def _say_failures(self) -> None:
        if self.plan.failed:
            names = "\n".join(f"  {_named(job, job.rule)}" for job in self.plan.failed)
            self._say(
                f"failed ({len(self.plan.failed)}), after {self._since()}:\n{names}\nFix the "
                "cause that is shown above and run the same command again. The results of "
                "finished jobs are kept.",
                "red",
            )

    # ---- output ----

    def _since(self) -> str:
        """Time since the start."""
        return words.clock(self.clock() - self.began).strip()

    def _look(self) -> float:
        """See which jobs have left the queue of a cluster; the time."""
        now = self.clock()
        for entry in self.plan.running.values():
            entry.look(now)
        return now

    def _head(self) -> str:
        now = self._look()
        for entry in self.plan.running.values():
            news = next((n for log in entry.logs if (n := latest(log)) is not None), None)
            if news is not None:
                entry.tell(news[0], news[1], now)
        parts = [words.clock(now - self.began)]
        left = self.plan.seconds_left(now)
        if left is not None and self.plan.done < self.plan.total:
            parts.append(f"about {words.roughly(left)} left")
        parts.append(f"{self.plan.done}/{self.plan.total}")
        return f"[{', '.join(parts)}]"

    def _say(self, text: str, colour: str = "") -> None:
        with self._mutex:
            self._wipe()
            code = {"red": 31, "yellow": 33}.get(colour)
            if code and self.on_terminal and not self.common_settings.nocolor:
                text = f"\033[{code}m{text}\033[0m"
            self.stream.write(text + "\n")
            self.stream.flush()
            self._last_line = self.clock()

    def _wipe(self) -> None:
        if self._status_shown:
            self.stream.write("\r\033[K")
            self.stream.flush()
            self._status_shown = False

    def _beat_on(self) -> None:
        while not self._stop.wait(1.0):
            try:
                with self._mutex:
                    self.beat()
            except (OSError, ValueError):
                return  # the terminal is gone; the run goes on

    def beat(self) -> None:
        """Show how far the running jobs are, if it is time to."""
        if "progress" in self.quiet or not self.plan.running or self.stop.number is not None:
            return
        if self._look() - self._last_line < BEAT_S[self.on_terminal]:
            return
        status = f"{self._head()} {'; '.join(_status(e) for e in self.plan.running.values())}"
        if not self.on_terminal:
            self._say(status)
            return
        width = shutil.get_terminal_size().columns - 1
        self._wipe()
        self.stream.write(status if len(status) <= width else status[: width - 1] + "…")
        self.stream.flush()
        self._status_shown = True


def _status(entry: Running) -> str:
    if entry.queued is not None:
        return f"{entry.job.label}: in the queue"
    told = f" {entry.fraction:.0%} ({entry.text})" if entry.text else ""
    return _named(entry.job) + told


def _named(job: Job, stage: str = "") -> str:
    """A job and what it does, or another stage; that alone where it has no name but its rule's."""
    stage = stage or STAGES.get(job.rule, (job.rule,))[0]
    if job.label != job.rule:
        return f"{job.label}: {stage}"
    return stage if job.rule in STAGES or stage == job.rule else f"{job.rule}: {stage}"


def _changed(table: Path) -> str:
    """How many numbers of a talk are not the recorded ones, in a line; nothing where all are."""
    changed = table.read_bytes().count(b"\n") - 1
    said = (
        f"\nnumbers that differ from the reference results: {changed}; the table of old values, "
        f"new values and differences is {table}"
    )
    return said * (changed > 0)


def _tail(log: Path) -> Sequence[str]:
    """The end of a log: from the last line that tells an error to a reader, else the last lines."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    except OSError:
        return []
    told = [i for i, line in enumerate(lines) if line.startswith("ERROR ")]
    if told and "unexpected failure" not in lines[told[-1]]:
        return lines[told[-1] :]
    return lines[-TAIL_LINES:]


def _shorten(reason: str) -> str:
    """Snakemake's reason without the files that the job's name implies."""
    parts = []
    for part in reasons.named(reason).split("; "):
        what, _, files = part.partition(": ")
        names = [] if what in IMPLIED else files.split(", ") if files else []
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        listed = f": {', '.join(names[:3])}{more}" if names else ""
        parts.append(what[:1].lower() + what[1:] + listed)
    return "; ".join(parts)
