"""What a reader sees while the workflow runs: the logger plugin, fed with Snakemake's records."""

import io
import json
import logging
import os
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_whyspiking import LogHandler
from snakemake_logger_plugin_whyspiking.estimate import Durations, Job
from snakemake_logger_plugin_whyspiking.plan import Plan
from whyspiking.running.jobs import USED
from whyspiking.running.progress import news_file, reporter

SETTINGS = {
    "printshellcmds": False,
    "nocolor": True,
    "quiet": None,
    "debug_dag": False,
    "verbose": False,
    "show_failed_logs": True,
    "stdout": False,
    "dryrun": False,
}
YINYANG = {"talk": "goeltz", "experiment": "yinyang", "variant": "spiking", "seed": "3"}


class Screen:
    """A handler with a stream and a clock of its own."""

    def __init__(self, **settings):
        common: Any = SimpleNamespace(**{**SETTINGS, **settings})
        self.handler = LogHandler(common, None)
        self.handler.stream = self.stream = io.StringIO()
        self.handler.on_terminal = False
        self.now = 0.0
        self.handler.clock = lambda: self.now
        self.handler.began = self.handler._last_line_s = 0.0
        # The heartbeat is called by the tests, not by its thread.
        self.handler._stop.set()

    def feed(self, event=None, msg=None, level=logging.INFO, **fields):
        record = logging.LogRecord("snakemake.logging", level, __file__, 1, msg, None, None)
        record.__dict__.update(event=event, **fields)
        self.handler.emit(record)
        return self

    def start(
        self,
        number,
        rule="train",
        wildcards=YINYANG,
        log=(),
        reason="",
        time_s=0.0,
        **cluster_fields,
    ):
        self.now = time_s
        return self.feed(
            LogEvent.JOB_INFO,
            jobid=number,
            rule_name=rule,
            wildcards=wildcards,
            log=list(log),
            reason=reason,
            **cluster_fields,
        )

    def finish(self, number, time_s):
        self.now = time_s
        return self.feed(LogEvent.JOB_FINISHED, msg="Finished", job_id=number)

    def fail(self, number, log=(), shellcmd=None, time_s=0.0, message=None):
        self.now = time_s
        return self.feed(
            LogEvent.JOB_ERROR,
            level=logging.ERROR,
            jobid=number,
            rule_name="train",
            rule_msg=message,
            log=list(log),
            shellcmd=shellcmd,
        )

    @property
    def text(self):
        return self.stream.getvalue()


def expect_jobs(screen, n, rule="train"):
    return screen.feed(LogEvent.RUN_INFO, stats={rule: n, "total": n})


def test_a_finished_job_is_one_line_with_talk_stage_and_time():
    screen = expect_jobs(Screen(), 53)
    screen.start(7).finish(7, time_s=192)
    assert screen.text.splitlines()[0] == "53 jobs to do"
    last_line = screen.text.splitlines()[-1]
    assert last_line.startswith("[ 3:12, about ")
    assert last_line.endswith(" left, 1/53] goeltz yinyang spiking seed 3: trained (3:12 min)")


def test_the_last_job_is_followed_by_a_closing_line():
    screen = expect_jobs(Screen(), 1)
    screen.start(0).finish(0, time_s=61)
    assert screen.text.endswith("finished 1 job in 1:01\n")


def test_a_stopped_run_ends_with_one_line_and_waits_no_failure():
    screen = expect_jobs(Screen(), 3)
    screen.start(1).start(2)
    old_text = screen.text
    screen.handler.stop = SimpleNamespace(number=2, ended=False)
    screen.fail(1, time_s=190).feed(LogEvent.ERROR, "At least one job did not ...", logging.ERROR)
    screen.handler.beat()
    screen.handler.stop.ended = True
    screen.now = 192
    screen.handler.close()
    screen.handler.close()
    assert screen.text.removeprefix(old_text) == (
        "the run was stopped by you after 3:12; the results of finished jobs are kept; "
        "run the same command again to continue\n"
    )


@pytest.mark.parametrize(
    ("ending", "is_ignored"),
    [
        ("returned non-zero exit status 143", True),
        ("died with <Signals.SIGTERM: 15>", True),
        ("returned non-zero exit status 1", False),
    ],
)
def test_a_signal_that_reaches_a_job_first_is_waited_for(ending, is_ignored):
    screen = expect_jobs(Screen(), 3).start(1)
    old_text = screen.text
    stop = SimpleNamespace(number=None, ended=False)

    def signalled():
        stop.number = 15
        return True

    stop.signalled = signalled
    screen.handler.stop = stop
    screen.feed(LogEvent.ERROR, f"Command 'python a' {ending}.", logging.ERROR).fail(1, time_s=3)
    assert ("FAILED" in screen.text.removeprefix(old_text)) != is_ignored


BENCHMARK = "s\th:m:s\tmax_rss\n40.25\t0:00:40\t1\n"


@pytest.mark.parametrize(
    ("benchmark", "log_line", "duration"),
    [
        (BENCHMARK, "", "40 s"),
        (None, USED.format(total=12.0, start=0.5), "12 s"),
        ("s\n", "no number", "2:40 min"),  # 160 s since the log was there
    ],
)
def test_of_a_job_on_a_cluster_neither_queue_nor_polling_counts(
    tmp_path, benchmark, log_line, duration
):
    log, table = tmp_path / "seed-3.log", tmp_path / "benchmark.tsv"
    log.write_text("of a run before\n")
    os.utime(log, (0, 0))
    if benchmark is not None:
        table.write_text("s\n7\n")  # that of a run before
    screen = expect_jobs(Screen(), 2)
    cluster_fields = {"local": False, "benchmark": benchmark and str(table)}
    screen.start(1, log=[str(log)], **cluster_fields)
    screen.now = 3600
    screen.handler.beat()
    assert screen.text.endswith("0/2] goeltz yinyang spiking seed 3: in the queue\n")
    log.write_text(f"begins\n{log_line}\n")
    screen.handler.beat()
    if benchmark is not None:
        table.write_text(benchmark)
    screen.finish(1, time_s=3760)
    assert screen.text.endswith(f"trained ({duration})\n")


def test_heartbeat_in_a_pipe_waits_the_progress_of_a_running_job_every_half_minute(tmp_path):
    log = tmp_path / "seed-3.log"
    screen = expect_jobs(Screen(), 2)
    screen.start(1, log=[str(log)])
    reporter(log, "a")(0.01, "data read")
    screen.now = 31
    screen.handler.beat()
    reporter(log, "a")(0.25, "epoch 5/20")
    old_text = screen.text
    screen.now = 60
    screen.handler.beat()
    assert screen.text == old_text
    screen.now = 62
    screen.handler.beat()
    line = screen.text.removeprefix(old_text)
    # 31 s for nearly a quarter: 97 s to go for this job, and one more like it on the same core.
    assert line.endswith("0/2] goeltz yinyang spiking seed 3: training 25% (epoch 5/20)\n")
    assert "about 2 min left" in line


def test_on_a_terminal_the_status_line_is_rewritten_and_wiped():
    screen = expect_jobs(Screen(), 2)
    screen.handler.on_terminal = True
    screen.start(1)
    screen.now = 5
    screen.handler.beat()
    assert not screen.text.endswith("\n")
    screen.finish(1, time_s=6)
    assert "\r\033[K[ 0:06" in screen.text
    assert screen.text.endswith("trained (6 s)\n")


def test_stale_news_of_a_killed_run_is_removed_at_the_start(tmp_path):
    log = tmp_path / "seed-3.log"
    reporter(log, "a")(0.9, "long ago")
    Screen().start(1, log=[str(log)])
    assert not news_file(log).exists()


def test_a_failure_shows_the_message_for_the_user_and_where_the_log_is(tmp_path):
    log = tmp_path / "seed-3.log"
    log.write_text(
        "noise\nERROR goeltz: an older one\nnoise\nERROR goeltz: lr is -1; mend it\nyes\n"
    )
    screen = expect_jobs(Screen(), 2)
    screen.start(4, log=[str(log)]).fail(4, [str(log)], time_s=12)
    for text in (
        "FAILED after 12 s: goeltz yinyang spiking seed 3: training",
        "  | ERROR goeltz: lr is -1; mend it\n  | yes\n",
        f"full log: {log}",
    ):
        assert text in screen.text
    assert "noise" not in screen.text


@pytest.mark.parametrize(("job_log", "n_lines"), [("ERROR goeltz: it is full\n", 1), ("", 2)])
def test_the_log_of_a_cluster_is_shown_where_the_job_has_not_said_what_is_wrong(
    tmp_path, job_log, n_lines
):
    logs = [str(tmp_path / "seed-3.log"), str(tmp_path / "5.log")]
    for log, text in zip(logs, (job_log or "begins\n", "srun: error: exit code 1\n"), strict=True):
        (tmp_path / log).write_text(text)
    screen = expect_jobs(Screen(), 2).start(4, log=logs[:1]).fail(4, logs)
    assert screen.text.count("  | ") == n_lines
    assert screen.text.count("full log: ") == 2


def test_an_unexpected_failure_shows_the_end_of_the_log(tmp_path):
    log = tmp_path / "seed-3.log"
    lines = [f"line {i}" for i in range(100)]
    log.write_text("\n".join([*lines, "ERROR goeltz: unexpected failure; see above"]))
    screen = expect_jobs(Screen(), 2)
    screen.start(4, log=[str(log)]).fail(4, [str(log)])
    assert "line 99" in screen.text
    assert "line 50" not in screen.text


def test_a_failure_without_a_log_shows_the_command():
    screen = expect_jobs(Screen(), 2)
    screen.start(4).fail(4, [], shellcmd="dot  -Tsvg\n graph")
    assert "command: dot -Tsvg graph" in screen.text


def test_a_job_that_fails_at_every_try_is_counted_and_listed_once():
    screen = expect_jobs(Screen(), 2)
    screen.start(4).fail(4).start(4).fail(4)
    screen.feed(LogEvent.ERROR, "At least one job did not complete", logging.ERROR, exception="")
    assert "failed (1), after 0:00:\n  goeltz yinyang spiking seed 3: train\nFix" in screen.text


@pytest.mark.parametrize("has_log", [False, True])
def test_what_a_cluster_refuses_is_told_without_its_command_and_without_a_log(tmp_path, has_log):
    log = tmp_path / "seed-3.log"
    if has_log:
        log.write_text("ERROR of an earlier try\n")
    screen = expect_jobs(Screen(), 2).start(4, log=[str(log)], local=False, benchmark=None)
    message = "SLURM sbatch failed. The error message was 'invalid partition'."
    details = "\n    sbatch call:\n        sbatch -p a\nFor further error details see the log."
    screen.fail(4, [str(log)], time_s=12, message=message + details)
    assert screen.text.endswith(
        f"0/2] FAILED: goeltz yinyang spiking seed 3: training\n  {message}\n"
    )


@pytest.mark.parametrize(
    ("state", "setting"),
    [
        ("TIMEOUT", "train:runtime=MINUTES"),
        ("OUT_OF_MEMORY", "train:mem_mb=M"),
        ("exceeded memory limit", "train:mem_mb=M"),
        ("FAILED", ""),
    ],
)
def test_a_job_that_needs_more_than_it_may_take_is_told_how_to_get_it(tmp_path, state, setting):
    log = tmp_path / "5.log"
    log.write_text(f"slurmstepd: error: Job 5 {state} (135135232 > 62914560)\n")
    screen = expect_jobs(Screen(), 2).start(4)
    screen.fail(
        4, [str(log)], message=f"SLURM-job '5' failed, SLURM status is: '{state.upper()}'. "
    )
    assert f"--set-resources {setting}" in screen.text if setting else "--set" not in screen.text


@pytest.mark.parametrize("quiet", [["PROGRESS"], ["RULES"], ["PROGRESS", "RULES"], ["ALL"]])
def test_quiet_hides_progress_but_not_failures(quiet):
    screen = Screen(quiet=[SimpleNamespace(name=level) for level in quiet])
    expect_jobs(screen, 3).start(1).finish(1, time_s=9).start(2).fail(2)
    assert ("trained" in screen.text) == (quiet == ["RULES"])
    assert ("FAILED" in screen.text) == (quiet != ["ALL"])


@pytest.mark.parametrize("kind", ["UserError", "ValueError"])
def test_a_user_error_is_shown_without_the_place_that_raised_it_and_others_in_full(kind):
    text = f'{kind} in file "/x/Snakefile", line 3:\nlr is -1; mend it\n  File "/x/S", line 3, in f'
    screen = Screen().feed(LogEvent.ERROR, text, logging.ERROR, exception=kind)
    assert screen.text == ("error: lr is -1; mend it\n" if kind == "UserError" else text + "\n")


REWORDED = {
    "MissingRuleException": (
        "MissingRuleException:\nNo rule to produce goltz (if you use input functions ...).",
        "error: 'goltz' is no rule and no file that a rule makes; expected",
    ),
    "InputFunctionException": (
        "InputFunctionException in rule train:\nError:\n  UserError: 'x' is not known.\n"
        "Wildcards:\n  talk=goeltz\nTraceback:\n  File ...",
        "error: 'x' is not known.\n",
    ),
    "LockException": (
        "LockException:\nError: Directory cannot be locked. Please make sure that no other ...\n"
        "... It can be removed with the --unlock argument.",
        "error: this folder is locked by another run, or by a run that was killed;",
    ),
    "RuleException": (
        "RuleException:\nCommand 'python tmp.py' died with <Signals.SIGKILL: 9>.",
        "a job was ended by SIGKILL, as happens to a job for which no memory is left. Free some",
    ),
}


@pytest.mark.parametrize("kind", REWORDED)
def test_what_snakemake_says_for_developers_is_said_for_users(kind):
    text, beginning = REWORDED[kind]
    screen = Screen().feed(LogEvent.ERROR, text, logging.ERROR, exception=kind)
    assert screen.text.startswith(beginning)
    assert len(screen.text.splitlines()) == 1


def test_a_talk_that_the_config_leaves_out_is_named():
    text = "MissingRuleException:\nNo rule to produce goeltz (if you use input functions ...)."
    screen = Screen().feed(LogEvent.ERROR, text, logging.ERROR, exception="MissingRuleException")
    assert "'goeltz' is a talk that the config does not run" in screen.text
    assert screen.text.endswith("Add it to this list in config/config.yaml.\n")


def test_chatter_is_hidden_and_a_warning_told_once_but_results_of_other_commands_are_not():
    screen = Screen()
    for text, level in (
        ("Building DAG of jobs...", logging.INFO),
        ("Using shell: /bin/bash", logging.INFO),
        ("No SLURM account given", logging.WARNING),
        ("No SLURM account given", logging.WARNING),
        ("Unlocked working directory.", logging.INFO),
    ):
        screen.feed(None, text, level)
    assert screen.text == "No SLURM account given\nUnlocked working directory.\n"


def test_dry_run_gives_one_line_per_job_with_its_reason():
    screen = expect_jobs(Screen(dryrun=True), 1)
    reason = "Missing output files: a.npz; Updated input files: a.py, b.py, c.py, d.py, e.py"
    screen.start(1, reason=reason)
    expect_jobs(screen, 1)
    assert screen.text.splitlines() == [
        "1 job to do: train 1",
        "goeltz yinyang spiking seed 3: training, because missing output files; updated input "
        "files: a.py, b.py, c.py and 2 more",
        "dry run: no job was run",
    ]


def test_a_flaw_in_the_output_does_not_stop_the_run(capsys):
    Screen().feed(LogEvent.JOB_INFO, jobid=1)  # lacks everything else
    assert "AttributeError" in capsys.readouterr().err


REPORT = "results/default/why_spiking.html"
PAGE = "results/default/goeltz/report.html"
RECORDED_ROW = {"rule": "train", "talk": "goeltz", "cpu_seconds": "300", "speed_factor": "1"}


def announce_run(pages, rows=(RECORDED_ROW,), unit=1.25):
    """A run of two trainings that come before pages, as `announce` hands it over."""
    plan = Plan(durations=Durations(rows), unit=unit, pages=pages)
    plan.expect([Job.of("train", {**YINYANG, "seed": seed}) for seed in "34"] + list(pages))
    screen = Screen()
    screen.feed(LogEvent.RESOURCES_INFO, cores=2)
    screen.feed(LogEvent.RUN_INFO, stats={"train": 2, "total": 2 + len(pages)})
    return screen.feed(None, "jobs to do", whyspiking_plan=plan)


def test_the_last_line_of_a_talk_tells_where_old_and_new_numbers_stand(tmp_path):
    for rows, is_told in (([], False), (["0.9,0.8", "0.7,0.6"], True)):
        screen = announce_run({Job("page", "goeltz"): str(tmp_path / "report.html")})
        (tmp_path / "reproduced.csv").write_text("\n".join(["recorded,here", *rows, ""]))
        end = screen.handler._describe_reproduction()
        assert (
            "differ from the reference results: 2; the table of old values, new values and "
            f"differences is {tmp_path}" in end
        ) == is_told


def test_the_first_line_tells_jobs_time_machine_and_where_the_report_will_be():
    pages = {Job.of("page", {"talk": "goeltz"}): PAGE, Job("report"): REPORT}
    other_rows = [
        {**RECORDED_ROW, "rule": rule, "cpu_seconds": "48"} for rule in ("page", "report")
    ]
    screen = announce_run(pages, [RECORDED_ROW, *other_rows])
    line = f"4 jobs to do, about 7 min on 2 cores with speed factor 1.2; report: {REPORT}\n"
    assert screen.text == line


def test_the_last_line_of_a_report_tells_the_energy(tmp_path):
    """An hour of one core, and of 1 GB."""
    spent = {"cpu_seconds": 3600, "wall_seconds": 3600, "max_rss_mb": 1000}
    (tmp_path / "manifest.json").write_text(json.dumps({"talks": {"a": spent, "b": spent}}))
    screen = announce_run({Job("report"): str(tmp_path / "why_spiking.html")})
    for number in range(3):
        screen.start(number).finish(number, time_s=9)
    assert screen.text.endswith("training and simulation: about 0.025 kWh\n")


def test_the_first_line_of_a_talk_names_its_page_which_is_named_again_when_it_is_there():
    job = Job.of("page", {"talk": "goeltz"})
    screen = announce_run({job: PAGE}, unit=None)
    assert screen.text == f"3 jobs to do, about 5 min on 2 cores; page: {PAGE}\n"
    screen.start(9, "page", {"talk": "goeltz"}).finish(9, time_s=6)
    assert screen.text.endswith(f"1/3] goeltz: page written (6 s): {PAGE}\n")
