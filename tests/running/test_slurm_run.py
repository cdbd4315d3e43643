"""No job is forgotten or left behind, told by Snakemake's own loop over jobs of a made-up Slurm."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

from whyspiking.running import slurm_run
from whyspiking.running.slurm import Queued

RUN = "14efc27a-80e8-40f4-878c-a7e54fc4c8c7"


class Executor(RemoteExecutor):
    """Snakemake's, whose plugin is answered as told: None is no answer, else ids that ended."""

    def __init__(self, *answers):
        self.answers, self.reported, self.looks = list(answers), [], []
        self.lock, self.wait = threading.Lock(), True
        self.active_jobs = [job(number) for number in ("12", "13")]
        common = SimpleNamespace(init_seconds_before_status_checks=0)
        self.workflow = SimpleNamespace(executor_plugin=SimpleNamespace(common_settings=common))
        self.run_uuid, self._submitted_job_clusters = RUN, set()

    async def check_active_jobs(self, active_jobs):
        ended = self.answers.pop(0)
        self.looks.append([job.external_jobid for job in active_jobs])
        for job in active_jobs if ended is not None else ():
            if job.external_jobid in ended:
                self.report_job_success(job)
            else:
                yield job

    async def sleep(self):
        self.wait = bool(self.answers)

    def report_job_success(self, job_info):
        self.reported.append(job_info.external_jobid)

    run_job = cancel_jobs = None  # nothing is submitted, and jobs are ended by the run's name


def job(number):
    return SimpleNamespace(external_jobid=number, job=SimpleNamespace(name="train"))


@pytest.fixture
def queue(monkeypatch):
    """What `squeue` lists."""
    listed: list = []
    monkeypatch.setattr(slurm_run.slurm, "queue", lambda folder: listed)
    return listed


def test_a_controller_that_is_away_for_a_while_costs_no_job(queue, caplog):
    executor = Executor(None, ["12"], None, ["13"])
    slurm_run.watch(executor)
    asyncio.run(executor._wait_for_jobs())
    assert executor.looks == [["12", "13"], ["12", "13"], ["13"], ["13"]]
    assert executor.reported == ["12", "13"]
    assert "does not answer" in caplog.text


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("PartitionTimeLimit", "--set-resources train:runtime=MINUTES"),
        ("BeginTime", "Slurm starts it again by itself"),
        ("PartitionDown", "slurm_partition=NAME"),
        ("Resources", ""),
    ],
)
def test_why_a_job_waits_is_told_once_where_somebody_can_do_something(queue, caplog, reason, told):
    queue[:] = [Queued(number, RUN, "PENDING", reason) for number in ("12", "13", "99")]
    executor = Executor([], [], [])
    slurm_run.watch(executor)
    with caplog.at_level(logging.WARNING, "snakemake.logging"):
        asyncio.run(executor._wait_for_jobs())
    assert [told in record.message for record in caplog.records] == [True] * bool(told)


def test_a_run_that_is_stopped_ends_jobs_by_its_name_and_waits_for_no_look(monkeypatch, caplog):
    asked, stop = [], SimpleNamespace(left="")
    monkeypatch.setattr(slurm_run, "STOP", stop)
    monkeypatch.setattr(slurm_run.slurm, "end", lambda *words: asked.append(words) or "scancel 12")
    executor = Executor()
    executor._job_submission_executor = ThreadPoolExecutor(1)
    executor.wait_thread = threading.Thread(target=threading.Event().wait, daemon=True)
    executor.wait_thread.start()
    monkeypatch.setattr(RemoteExecutor, "shutdown", lambda self: self.wait_thread.join())
    slurm_run.cancel(executor)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor._job_submission_executor.submit(print)
    assert asked == [(RUN, Path.cwd())]
    assert stop.left == caplog.messages[0] == "scancel 12"
