"""A run on Slurm: no job of it is forgotten, left behind, or waits for ever without a word."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

from whyspiking.running import slurm
from whyspiking.running import snakemake_inside as inside
from whyspiking.running.stopping import STOP

WAITS = {
    "PartitionTimeLimit": (
        "asks for more time than its partition allows and would wait for ever. End the run, and "
        "start it again with --set-resources {rule}:runtime=MINUTES, or in another partition: "
        "`sinfo --format='%P %l'` tells what each allows"
    ),
    "BeginTime": (
        "was put back into the queue, as happens when its node fails: Slurm starts it again by "
        "itself. `sinfo --list-reasons` tells which nodes are down"
    ),
    "PartitionDown": "waits for a partition that is down: ask those who run the cluster, or end "
    "the run and start it again with --default-resources slurm_partition=NAME",
}
"""Why a job waits, as Slurm says it -> what a reader is told."""


def prepare(workflow: Any) -> tuple[int | None, float]:
    """Settle what a run needs of Slurm; called by `onstart`.

    Args:
        workflow: That of the Snakefile.

    Returns:
        Processors that may take jobs, None if that is not known; seconds until a job is looked at.

    Raises:
        UserError: If Slurm cannot take the jobs of this run.
    """
    executor, (*_, settings) = inside.cluster_jobs(workflow), inside.executor(workflow)
    slurm.ask_squeue(settings)
    cpus = slurm.cpus(
        {
            str(job.resources.get("slurm_partition") or "")
            for job in inside.due(workflow)
            if not job.is_local
        }
    )
    slurm.hold(executor.run_uuid)
    watch(executor)
    executor.cancel = lambda: cancel(executor)
    return cpus, float(settings.init_seconds_before_status_checks)


def watch(executor: Any) -> None:
    """Keep the jobs of which Slurm says nothing, and tell why jobs wait.

    Snakemake's plugin 2.8.0 gives back no job where its question fails, and Snakemake then forgets
    them all and waits for ever.

    Args:
        executor: Snakemake's, made by its plugin for Slurm.
    """
    look, ended, told = executor.check_active_jobs, set(), set()
    log = logging.getLogger("snakemake.logging")

    async def check(jobs: list[Any]) -> AsyncIterator[Any]:
        kept = set()
        async for job in look(jobs):
            kept.add(job.external_jobid)
            yield job
        for job in [job for job in jobs if job.external_jobid not in kept | ended]:
            log.warning("Slurm does not answer how jobs fare; it is asked again until it does")
            yield job
        rules = {job.external_jobid: job.job.name for job in jobs}
        for number, _, state, reason in slurm.queue(Path.cwd()) or ():
            if state == "PENDING" and reason in WAITS and number in rules and reason not in told:
                told.add(reason)
                log.warning(f"Slurm: job {number} {WAITS[reason].format(rule=rules[number])}")

    for name in ("report_job_success", "report_job_error"):
        setattr(executor, name, partial(_noting, ended, getattr(executor, name)))
    executor.check_active_jobs = check


def _noting(ended: set[str], report: Callable[..., Any], job: Any, *args: Any, **more: Any) -> None:
    """Report the end of a job to Snakemake, and note it."""
    ended.add(job.external_jobid)
    report(job, *args, **more)


def cancel(executor: Any) -> None:
    """End all jobs of a run that is stopped, and tell which are left."""
    # What waits to be submitted would be submitted after the others are ended.
    executor._job_submission_executor.shutdown(wait=True, cancel_futures=True)
    STOP.left = slurm.end(
        executor.run_uuid,
        Path.cwd(),
        *["--clusters=all"] * bool(executor._submitted_job_clusters),
    )
    if STOP.left:
        logging.getLogger("snakemake.logging").error(STOP.left)
    # It sleeps for up to three minutes between two looks, and ends with this process.
    executor.wait_thread.join = lambda timeout=None: None
    executor.shutdown()
