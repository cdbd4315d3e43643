"""What a reader sees while the workflow runs: the logger plugin, fed with Snakemake's records."""

import csv
import io
import logging
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from made.hangs import limit
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_whyspiking import LogHandler, announce
from snakemake_logger_plugin_whyspiking.plan import Durations, Job, Plan
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
        self.handler.began = self.handler._last_line = 0.0
        # The heartbeat is called by the tests, not by its thread.
        self.handler._stop.set()

    def feed(self, event=None, msg=None, level=logging.INFO, **fields):
        record = logging.LogRecord("snakemake.logging", level, __file__, 1, msg, None, None)
        record.__dict__.update(event=event, **fields)
        self.handler.emit(record)
        return self

    def start(self, number, rule="train", wildcards=YINYANG, log=(), reason="", at=0.0):
        self.now = at
        return self.feed(
            LogEvent.JOB_INFO,
            jobid=number,
            rule_name=rule,
            wildcards=wildcards,
            log=list(log),
            reason=reason,
        )

    def finish(self, number, at):
        self.now = at
        return self.feed(LogEvent.JOB_FINISHED, msg="Finished", job_id=number)

    def fail(self, number, log=(), shellcmd=None, at=0.0):
        self.now = at
        return self.feed(
            LogEvent.JOB_ERROR,
            level=logging.ERROR,
            jobid=number,
            rule_name="train",
            rule_msg=None,
            log=list(log),
            shellcmd=shellcmd,
        )

    @property
    def text(self):
        return self.stream.getvalue()


def expecting(screen, n, rule="train"):
    return screen.feed(LogEvent.RUN_INFO, stats={rule: n, "total": n})


def test_a_finished_job_is_one_line_with_talk_stage_and_time():
    screen = expecting(Screen(), 53)
    screen.start(7).finish(7, at=192)
    assert "53 jobs to do: train 53" in screen.text
    last = screen.text.splitlines()[-1]
    assert last.startswith("[ 3:12, about ")
    assert last.endswith(" left, 1/53] goeltz yinyang spiking seed 3: trained (3:12 min)")


def test_the_last_job_is_followed_by_a_closing_line():
    screen = expecting(Screen(), 1)
    screen.start(0).finish(0, at=61)
    assert screen.text.endswith("finished 1 job in 1:01\n")


def test_heartbeat_in_a_pipe_tells_the_progress_of_a_running_job_every_half_minute(tmp_path):
    log = tmp_path / "seed-3.log"
    screen = expecting(Screen(), 2)
    screen.start(1, log=[str(log)])
    reporter(log, "a")(0.25, "epoch 5/20")
    before = screen.text
    screen.now = 29
    screen.handler.beat()
    assert screen.text == before
    screen.now = 31
    screen.handler.beat()
    line = screen.text.removeprefix(before)
    # 31 s for a quarter: 93 s to go for this job, and one more like it on the same core.
    assert line.endswith("0/2] goeltz yinyang spiking seed 3: training 25% (epoch 5/20)\n")
    assert "about 2 min left" in line


def test_on_a_terminal_the_status_line_is_rewritten_and_wiped():
    screen = expecting(Screen(), 2)
    screen.handler.on_terminal = True
    screen.start(1)
    screen.now = 5
    screen.handler.beat()
    assert not screen.text.endswith("\n")
    screen.finish(1, at=6)
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
    screen = expecting(Screen(), 2)
    screen.start(4, log=[str(log)]).fail(4, [str(log)], at=12)
    assert "FAILED after 12 s: goeltz yinyang spiking seed 3: training" in screen.text
    assert "  | ERROR goeltz: lr is -1; mend it\n  | yes\n" in screen.text
    assert "noise" not in screen.text
    assert f"full log: {log}" in screen.text


def test_an_unexpected_failure_shows_the_end_of_the_log(tmp_path):
    log = tmp_path / "seed-3.log"
    lines = [f"line {i}" for i in range(100)]
    log.write_text("\n".join([*lines, "ERROR goeltz: unexpected failure; see above"]))
    screen = expecting(Screen(), 2)
    screen.start(4, log=[str(log)]).fail(4, [str(log)])
    assert "line 99" in screen.text
    assert "line 50" not in screen.text


def test_a_failure_without_a_log_shows_the_command():
    screen = expecting(Screen(), 2)
    screen.start(4).fail(4, [], shellcmd="dot  -Tsvg\n graph")
    assert "command: dot -Tsvg graph" in screen.text


def test_failures_are_listed_again_at_the_end():
    screen = expecting(Screen(), 2)
    screen.start(4).fail(4)
    message = "WorkflowError:\nAt least one job did not complete successfully."
    screen.feed(LogEvent.ERROR, message, logging.ERROR, exception="WorkflowError")
    assert screen.text.count("goeltz yinyang spiking seed 3") == 2


@pytest.mark.parametrize("quiet", [["PROGRESS"], ["RULES"], ["PROGRESS", "RULES"], ["ALL"]])
def test_quiet_hides_progress_but_not_failures(quiet):
    screen = Screen(quiet=[SimpleNamespace(name=level) for level in quiet])
    expecting(screen, 3).start(1).finish(1, at=9).start(2).fail(2)
    assert ("trained" in screen.text) == (quiet == ["RULES"])
    assert ("FAILED" in screen.text) == (quiet != ["ALL"])


def test_a_user_error_is_shown_without_the_place_that_raised_it():
    text = (
        'UserError in file "/x/Snakefile", line 3:\nlr is -1; mend it\n  File "/x/S", line 3, in f'
    )
    screen = Screen().feed(LogEvent.ERROR, text, logging.ERROR, exception="UserError")
    assert screen.text == "error: lr is -1; mend it\n"


def test_other_errors_are_shown_in_full():
    text = 'ValueError in file "/x/Snakefile", line 3:\nboom\n  File "/x/S", line 3, in <module>'
    screen = Screen().feed(LogEvent.ERROR, text, logging.ERROR, exception="ValueError")
    assert screen.text == text + "\n"


def test_chatter_is_hidden_but_results_of_other_commands_are_not():
    screen = Screen()
    for text in (
        "Building DAG of jobs...",
        "Using shell: /bin/bash",
        "Unlocked working directory.",
    ):
        screen.feed(None, text)
    assert screen.text == "Unlocked working directory.\n"


def test_dry_run_gives_one_line_per_job_with_its_reason():
    screen = expecting(Screen(dryrun=True), 1)
    reason = "Missing output files: a.npz; Updated input files: a.py, b.py, c.py, d.py, e.py"
    screen.start(1, reason=reason)
    expecting(screen, 1)
    assert screen.text.splitlines() == [
        "1 job to do: train 1",
        "goeltz yinyang spiking seed 3: training, because missing output files; updated input "
        "files: a.py, b.py, c.py and 2 more",
        "dry run: nothing was done",
    ]


def test_a_flaw_in_the_output_does_not_stop_the_run(capsys):
    Screen().feed(LogEvent.JOB_INFO, jobid=1)  # lacks everything else
    assert "AttributeError" in capsys.readouterr().err


def test_announce_hands_over_the_jobs_that_must_run():
    job = SimpleNamespace(rule=SimpleNamespace(name="train"), wildcards_dict=YINYANG)
    screen = Screen()
    logger = logging.getLogger("snakemake.logging")
    before = logger.level
    logger.addHandler(screen.handler)
    logger.setLevel(logging.INFO)
    try:
        announce(SimpleNamespace(needrun_jobs=lambda: [job, job]))
    finally:
        logger.removeHandler(screen.handler)
        logger.setLevel(before)
    assert screen.handler.plan.total == 2
    assert screen.handler.plan.waiting == [Job.of("train", YINYANG)] * 2


# ---- the time that is left ----

ROWS = [
    {"rule": "train", "talk": "a", "experiment": "x", "variant": "spiking", "seconds": "10"},
    {"rule": "train", "talk": "a", "experiment": "x", "variant": "control", "seconds": "30"},
    {"rule": "train", "talk": "b", "experiment": "y", "variant": "spiking", "seconds": "200"},
]


def job(talk="a", variant="spiking", seed=0, rule="train"):
    return Job.of(rule, {"talk": talk, "experiment": "x", "variant": variant, "seed": seed})


def test_durations_are_looked_up_by_what_is_most_alike():
    durations = Durations(ROWS)
    assert durations.of(job()) == 10
    assert durations.of(job(variant="new")) == 20
    assert durations.of(job(talk="c")) == 80
    assert durations.of(job(rule="page")) is None


def test_durations_of_another_scale_are_not_used(tmp_path):
    for folder, scale in (("reference", "default"), ("smoke", "smoke")):
        (tmp_path / folder).mkdir()
        with (tmp_path / folder / "durations.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["scale", *ROWS[0]])
            writer.writeheader()
            writer.writerows({**row, "scale": scale} for row in ROWS[:1])
    reference, smoke = (tmp_path / f / "durations.csv" for f in ("reference", "smoke"))
    assert Durations.read([reference], "default")
    assert not Durations.read([reference], "smoke")
    assert Durations.read([tmp_path / "none.csv", reference, smoke], "smoke")


def test_nothing_is_estimated_from_nothing():
    plan = Plan(cores=2)
    plan.expect([job(seed=seed) for seed in range(4)])
    assert plan.seconds_left(0.0) is None


def test_time_left_is_the_sum_over_the_cores_but_at_least_the_longest_job():
    plan = Plan(durations=Durations(ROWS), cores=2)
    plan.expect([job(seed=seed) for seed in range(6)])
    assert plan.seconds_left(0.0) == pytest.approx(6 * 10 / 2)
    plan.expect([job(talk="b")])
    plan.start(0, job(talk="b"), 0.0)
    assert plan.seconds_left(50.0) == pytest.approx(150)


def test_a_slower_machine_corrects_the_estimate():
    plan = Plan(durations=Durations(ROWS), cores=1)
    plan.expect([job(seed=seed) for seed in range(20)])
    now = 0.0
    for seed in range(10):
        plan.start(seed, job(seed=seed), now)
        now += 30.0
        plan.finish(seed, now)
    # 300 s measured, 100 s expected, with a prior of 20 s.
    assert plan.seconds_left(now) == pytest.approx(10 * 10 * 320 / 120)


def test_progress_of_a_running_job_beats_the_earlier_duration():
    plan = Plan(durations=Durations(ROWS), cores=1)
    plan.expect([job()])
    plan.start(0, job(), 0.0)
    plan.running[0].fraction = 0.5
    assert plan.seconds_left(100.0) == pytest.approx(100)


def test_a_job_that_takes_longer_than_expected_never_has_negative_time_left():
    plan = Plan(durations=Durations(ROWS), cores=1)
    plan.expect([job()])
    plan.start(0, job(), 0.0)
    left = plan.seconds_left(1000.0)
    assert left is not None
    assert left > 0


def test_a_retried_job_is_counted_once():
    plan = Plan(cores=1)
    plan.expect([job()])
    plan.start(0, job(), 0.0)
    plan.fail(0, job(), 1.0)
    plan.start(0, job(), 2.0)
    plan.finish(0, 3.0)
    assert (plan.done, plan.total, plan.waiting) == (1, 1, [])


# ---- the whole, in Snakemake ----

SNAKEFILE = """
from snakemake_logger_plugin_whyspiking import announce

onstart:
    announce(workflow.dag)

rule all:
    input: expand("{talk}.txt", talk=["one", "two"])

rule train:
    output: "{talk}.txt"
    log: "results/default/logs/{talk}.log"
    shell:
        "echo ERROR: {wildcards.talk} is wrong >{log}; "
        "test {wildcards.talk} = one && touch {output}"
"""


def test_snakemake_uses_it_in_a_pipe(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--keep-going"]
    command += ["--scheduler", "greedy", "--show-failed-logs", "--logger", "whyspiking"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=limit(),
    )
    assert done.returncode == 1
    assert "3 jobs to do: train 2" in done.stderr
    assert "1/3] one: trained (" in done.stderr
    assert "two: training" in done.stderr
    assert "| ERROR: two is wrong" in done.stderr
    assert "Building DAG" not in done.stderr
    assert "Building DAG" not in done.stdout
