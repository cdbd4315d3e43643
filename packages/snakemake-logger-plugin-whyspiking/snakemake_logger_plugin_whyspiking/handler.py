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
from snakemake_logger_plugin_whyspiking.host import NO_MEMORY, STOP, latest, news_file
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
IGNORED_MESSAGES = (
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
METHODS = {
    LogEvent.RUN_INFO: "_run_info",
    LogEvent.JOB_INFO: "_job_info",
    LogEvent.JOB_FINISHED: "_job_finished",
    LogEvent.JOB_ERROR: "_job_error",
}
SILENT_EVENTS = (
    LogEvent.JOB_STARTED,
    LogEvent.PROGRESS,
    LogEvent.RULEGRAPH,
    LogEvent.WORKFLOW_STARTED,
)
IMPLIED_REASONS = ("Missing output files", "Input files updated by another job")
CONTINUE_HINT = "the results of finished jobs are kept; run the same command again to continue"
# On a terminal the last line is rewritten; in a pipe lines add up.
HEARTBEAT_S = {True: 1.0, False: 30.0}
TAIL_LINES = 25
# What Snakemake says of a job that ended by SIGHUP, SIGINT or SIGTERM.
ENDED_BY_SIGNAL = re.compile(r"exit status 1(29|30|43)\b|died with <Signals\.SIG(HUP|INT|TERM)")


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
        self._is_announced = False
        self._has_status = False
        self._has_told_stop = False
        self._shown_warnings: set[str] = set()
        self._last_line_s = self.began
        self._stop = threading.Event()
        self._mutex = threading.RLock()  # records come in one thread, the heartbeat is another
        self._heartbeat: threading.Thread | None = None

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
                if self._is_wanted(record):
                    self._handle_record(record)
        except BrokenPipeError:
            raise
        except Exception:
            # A flaw here must not cost a run; Python's logging prints it and goes on.
            self.handleError(record)

    def close(self) -> None:
        """End the heartbeat and leave the terminal clean."""
        self._stop.set()
        if self._heartbeat is not None:
            self._heartbeat.join(timeout=5)
            self._heartbeat = None
        with self._mutex:
            self._clear_status()
            if self.stop.ended and not self._has_told_stop and "all" not in self.quiet:
                self._has_told_stop = True
                self._write_line(
                    f"the run was stopped by you after {self._write_elapsed()}; {CONTINUE_HINT}"
                )
        super().close()

    # ---- records ----

    def _is_wanted(self, record: logging.LogRecord) -> bool:
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

    def _handle_record(self, record: logging.LogRecord) -> None:
        event: Any = getattr(record, "event", None)
        plan: Plan | None = getattr(record, "whyspiking_plan", None)  # from `announce`
        if plan is not None:
            plan.cores = self.plan.cores
            self.plan = plan
            self._announce_jobs()
        elif event == LogEvent.RESOURCES_INFO:
            cores = getattr(record, "cores", None) or getattr(record, "nodes", None)
            self.plan.cores = cores or self.plan.cores
        elif event in METHODS:
            getattr(self, METHODS[event])(record)
        elif event not in SILENT_EVENTS or self.common_settings.verbose:
            self._write_message(record, event)

    def _run_info(self, record: logging.LogRecord) -> None:
        counts: dict[str, int] = getattr(record, "stats", None) or {}
        if self.plan.total:  # a dry run tells it a second time, at its end
            if self.common_settings.dryrun:
                self._write_line("dry run: no job was run")
            return
        self.plan.expect_counts(counts)
        if self.common_settings.dryrun:
            rules = ", ".join(f"{r} {n}" for r, n in counts.items() if r not in ("total", "all"))
            total = counts.get("total", self.plan.total)
            self._write_line(f"{words.jobs(total)} to do: {rules or 'only the final target'}")

    def _announce_jobs(self) -> None:
        """The first line: how many jobs, how long they will take, where to look then."""
        self._is_announced = True
        if "progress" in self.quiet:
            return
        text = f"{words.jobs(self.plan.total)} to do"
        seconds_left = self.plan.seconds_left(self.clock())
        if seconds_left is not None:
            cores = f"{self.plan.cores} core{'s' * (self.plan.cores != 1)}"
            speed = "" if self.plan.unit is None else f" with speed factor {self.plan.unit:.2g}"
            text += f", about {words.roughly(seconds_left)} on {cores}{speed}"
        goal, pages = self.plan.goal()
        if pages:
            text += f"; {goal}: {', '.join(pages)}"
        self._write_line("\n  changed: ".join([text, *self.plan.causes]))

    def _job_info(self, record: Any) -> None:
        job = Job.of(record.rule_name, record.wildcards)
        if self.common_settings.dryrun:
            if "rules" in self.quiet:
                return
            self._write_line(f"{_name_job(job)}, because {_shorten(record.reason)}")
            return
        if not self._is_announced:  # with --no-hooks nothing is announced
            self._announce_jobs()
        for log in record.log:
            news_file(log).unlink(missing_ok=True)  # left behind by a run that was killed
        benchmark = None if getattr(record, "local", True) else record.benchmark or ""
        self.plan.start(record.jobid, job, self.clock(), tuple(record.log), benchmark)
        if self._heartbeat is None and not self._stop.is_set():
            beat = threading.Thread(target=self._run_heartbeat, daemon=True)
            beat.start()  # which fails where no memory is left
            self._heartbeat = beat

    def _job_finished(self, record: Any) -> None:
        finished = self.plan.finish(record.job_id, self.clock())
        if finished is None:
            return
        entry, seconds = finished
        for log in entry.logs:
            news_file(log).unlink(missing_ok=True)
        if "progress" in self.quiet:
            return
        if entry.job.rule != "all":
            name = _name_job(entry.job, STAGES.get(entry.job.rule, ("", "done"))[1])
            page = self.plan.pages.get(entry.job)
            page_note = "" if page is None else f": {page}"
            self._write_line(f"{self._write_head()} {name} ({words.duration(seconds)}){page_note}")
        if self.plan.done == self.plan.total:
            summary = f"finished {words.jobs(self.plan.total)} in {self._write_elapsed()}"
            self._write_line(f"{summary}{self._describe_reproduction()}")

    def _describe_reproduction(self) -> str:
        """Describe the energy and how many numbers are those recorded, from the run's manifest."""
        goal, pages = self.plan.goal()
        if goal != "report":
            tables = (Path(page).with_name("reproduced.csv") for page in pages)
            return "".join(_describe_changes(table) for table in tables if table.is_file())
        manifest = Path(pages[0]).with_name("manifest.json")
        if not manifest.is_file():
            return ""
        from whyspiking.records.footprint import kilowatt_hours

        record = json.loads(manifest.read_text(encoding="utf-8"))
        energy_note = (
            "; energy of training and simulation: about "
            f"{kilowatt_hours(record.get('talks', {})):.2g} kWh"
        )
        comparison = (
            f"\n{record.get('reproduced')}; the result of each network is in "
            f"{manifest.parent}/reproduced.csv"
        )
        return energy_note + comparison * bool(record.get("reproduced"))

    def _job_error(self, record: Any) -> None:
        self._update_queue()
        entry = self.plan.running.get(record.jobid)
        # What has not begun has written nothing: its log is that of an earlier try.
        earlier_logs = entry.logs if entry is not None and entry.queued is not None else ()
        job = entry.job if entry is not None else Job(record.rule_name)
        seconds = self.plan.fail(record.jobid, job, self.clock())
        duration = "" if seconds is None else f" after {words.duration(seconds)}"
        lines = [f"{self._write_head()} FAILED{duration}: {_name_job(job)}"]
        logs = [log for log in record.log if log not in earlier_logs and Path(log).is_file()]
        log_lines: list[str] = []
        for log in logs:  # where the job's own says what is wrong, that of a cluster says no more
            if not any(line.startswith("ERROR ") for line in log_lines):
                log_lines.extend(_read_tail(Path(log)))
        if record.rule_msg:
            lines.append(f"  {failures.of_cluster(job.rule, record.rule_msg, log_lines)}")
        if record.shellcmd and not log_lines:
            lines.append(f"  command: {' '.join(record.shellcmd.split())}")
        if self.common_settings.show_failed_logs:
            lines.extend(f"  | {line}" for line in log_lines)
        lines.extend(f"  full log: {log}" for log in logs)
        self._write_line("\n".join(lines), "red")

    def _write_message(self, record: logging.LogRecord, event: str | None) -> None:
        text = self.format(record)
        is_ignored = text.startswith(IGNORED_MESSAGES) and not self.common_settings.verbose
        if text in ("", "None") or is_ignored or text in self._shown_warnings:
            return
        colour, is_error = "", event == LogEvent.ERROR and record.levelno >= logging.WARNING
        if is_error and ENDED_BY_SIGNAL.search(text) and self.stop.signalled():
            return
        # The command line of a failed script says nothing that its log does not say better.
        if is_error and "returned non-zero exit status" in text:
            return
        if is_error and (signal_match := re.search(r"died with <Signals\.(SIG\w+)", text)):
            text = (
                f"a job was ended by {signal_match[1]}, as happens to a job for which {NO_MEMORY}"
            )
        if record.levelno >= logging.WARNING:
            colour = "red" if record.levelno >= logging.ERROR else "yellow"
            if colour == "yellow":  # a cluster's plugin says some of them for every job
                self._shown_warnings.add(text)
            exception_name = getattr(record, "exception", "")
            if exception_name in failures.ALONE:
                text = failures.ALONE[exception_name](text)
            elif is_error and not self.plan.total:
                text = failures.of_config(sys.argv) or text
        self._write_line(text.rstrip(), colour)
        if colour and "At least one job did not complete" in text:
            self._write_failures()

    def _write_failures(self) -> None:
        if self.plan.failed:
            names = "\n".join(f"  {_name_job(job, job.rule)}" for job in self.plan.failed)
            self._write_line(
                f"failed ({len(self.plan.failed)}), after {self._write_elapsed()}:\n{names}\n"
                "Fix the cause that is shown above and run the same command again. The results of "
                "finished jobs are kept.",
                "red",
            )

    # ---- output ----

    def _write_elapsed(self) -> str:
        """Time since the start."""
        return words.clock(self.clock() - self.began).strip()

    def _update_queue(self) -> float:
        """See which jobs have left the queue of a cluster; the time."""
        time_s = self.clock()
        for entry in self.plan.running.values():
            entry.look(time_s)
        return time_s

    def _write_head(self) -> str:
        time_s = self._update_queue()
        for entry in self.plan.running.values():
            news = next(
                (latest_news for log in entry.logs if (latest_news := latest(log)) is not None),
                None,
            )
            if news is not None:
                entry.tell(news[0], news[1], time_s)
        fields = [words.clock(time_s - self.began)]
        seconds_left = self.plan.seconds_left(time_s)
        if seconds_left is not None and self.plan.done < self.plan.total:
            fields.append(f"about {words.roughly(seconds_left)} left")
        fields.append(f"{self.plan.done}/{self.plan.total}")
        return f"[{', '.join(fields)}]"

    def _write_line(self, text: str, colour: str = "") -> None:
        with self._mutex:
            self._clear_status()
            code = {"red": 31, "yellow": 33}.get(colour)
            if code and self.on_terminal and not self.common_settings.nocolor:
                text = f"\033[{code}m{text}\033[0m"
            self.stream.write(text + "\n")
            self.stream.flush()
            self._last_line_s = self.clock()

    def _clear_status(self) -> None:
        if self._has_status:
            self.stream.write("\r\033[K")
            self.stream.flush()
            self._has_status = False

    def _run_heartbeat(self) -> None:
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
        if self._update_queue() - self._last_line_s < HEARTBEAT_S[self.on_terminal]:
            return
        head = self._write_head()  # which reads how far each job is
        status = (
            f"{head} {'; '.join(_describe_status(entry) for entry in self.plan.running.values())}"
        )
        if not self.on_terminal:
            self._write_line(status)
            return
        width = shutil.get_terminal_size().columns - 1
        self._clear_status()
        self.stream.write(status if len(status) <= width else status[: width - 1] + "…")
        self.stream.flush()
        self._has_status = True


def _describe_status(entry: Running) -> str:
    if entry.queued is not None:
        return f"{entry.job.label}: in the queue"
    progress = f" {entry.fraction:.0%} ({entry.text})" if entry.text else ""
    return _name_job(entry.job) + progress


def _name_job(job: Job, stage: str = "") -> str:
    """A job and what it does, or another stage; that alone where it has no name but its rule's."""
    stage = stage or STAGES.get(job.rule, (job.rule,))[0]
    if job.label != job.rule:
        return f"{job.label}: {stage}"
    return stage if job.rule in STAGES or stage == job.rule else f"{job.rule}: {stage}"


def _describe_changes(table: Path) -> str:
    """Describe in a line how many numbers of a talk differ from the record; empty if none do."""
    n_changed = table.read_bytes().count(b"\n") - 1
    sentence = (
        f"\nnumbers that differ from the reference results: {n_changed}; the table of old values, "
        f"new values and differences is {table}"
    )
    return sentence * (n_changed > 0)


def _read_tail(log: Path) -> Sequence[str]:
    """The end of a log: from the last line that tells an error to a reader, else the last lines."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    except OSError:
        return []
    error_indices = [i for i, line in enumerate(lines) if line.startswith("ERROR ")]
    if error_indices and "unexpected failure" not in lines[error_indices[-1]]:
        return lines[error_indices[-1] :]
    return lines[-TAIL_LINES:]


def _shorten(reason: str) -> str:
    """Snakemake's reason without the files that the job's name implies."""
    clauses = []
    for clause in reasons.named(reason).split("; "):
        cause, _, files = clause.partition(": ")
        names = [] if cause in IMPLIED_REASONS else files.split(", ") if files else []
        ending = f" and {len(names) - 3} more" if len(names) > 3 else ""
        listed = f": {', '.join(names[:3])}{ending}" if names else ""
        clauses.append(cause[:1].lower() + cause[1:] + listed)
    return "; ".join(clauses)
