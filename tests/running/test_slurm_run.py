"""No job is forgotten or left behind, told by Snakemake's own loop over jobs of a made-up Slurm."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

from whyspiking.running import slurm_run
from whyspiking.running.slurm import Queued

RUN, TRAIN = "14efc27a-80e8-40f4-878c-a7e54fc4c8c7", SimpleNamespace(name="train")
AT_ONCE = SimpleNamespace(
    executor_plugin=SimpleNamespace(
        common_settings=SimpleNamespace(init_seconds_before_status_checks=0)
    )
)


def executor_of(*answers):
    """Snakemake's, whose plugin is answered as told: None is no answer, else ids that ended."""
    answers = list(answers)

    async def check(active_jobs):
        ended = answers.pop(0)
        made.looks.append([job.external_jobid for job in active_jobs])
        for job in active_jobs if ended is not None else ():
            if job.external_jobid in ended:
                made.report_job_success(job)
            else:
                yield job

    async def sleep():
        made.wait = bool(answers)

    made = SimpleNamespace(
        run_uuid=RUN, lock=threading.Lock(), wait=True, workflow=AT_ONCE,
        active_jobs=[SimpleNamespace(external_jobid=number, job=TRAIN) for number in ("12", "13")],
        check_active_jobs=check, sleep=sleep, looks=[], reported=[], report_job_error=None,
        report_job_success=lambda job: made.reported.append(job.external_jobid),
        wait_thread=threading.Thread(target=threading.Event().wait, daemon=True),
        shutdown=lambda: made.wait_thread.join(), _submitted_job_clusters=set(),
        _job_submission_executor=ThreadPoolExecutor(1),
    )  # fmt: skip
    return made


def watched(monkeypatch, queue, *answers):
    """Snakemake's loop over the jobs, until Slurm has no more to say."""
    monkeypatch.setattr(slurm_run.slurm, "queue", lambda folder: queue)
    executor = executor_of(*answers)
    slurm_run.watch(executor)
    asyncio.run(RemoteExecutor._wait_for_jobs(executor))
    return executor


def test_a_controller_that_is_away_for_a_while_costs_no_job(monkeypatch, caplog):
    executor = watched(monkeypatch, None, None, ["12"], None, ["13"])
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
def test_why_a_job_waits_is_told_once_where_one_can_act(monkeypatch, caplog, reason, told):
    queue = [Queued(number, RUN, "PENDING", reason) for number in ("12", "13", "99")]
    watched(monkeypatch, queue, [], [], [])
    assert [told in message for message in caplog.messages] == [True] * bool(told)


def test_a_run_that_is_stopped_ends_jobs_by_its_name_and_waits_for_no_look(monkeypatch, caplog):
    monkeypatch.setattr(slurm_run, "STOP", SimpleNamespace())
    monkeypatch.setattr(slurm_run.slurm, "end", lambda run, folder: f"scancel 12 of {run}")
    executor = executor_of()
    executor.wait_thread.start()
    slurm_run.cancel(executor)
    with pytest.raises(RuntimeError, match="after shutdown"):  # of the thread that submits
        executor._job_submission_executor.submit(print)
    assert slurm_run.STOP.left == caplog.messages[0] == f"scancel 12 of {RUN}"
