"""All that this project takes of Snakemake beyond what its manual promises.

A test checks that the installed version has all of it. The plugin for the terminal has the rest,
which concerns log records.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from typing import Any


def is_main(workflow: Any) -> bool:
    """Whether this process is the run itself; others are its jobs, which read the Snakefile too."""
    return workflow.is_main_process


def is_module(workflow: Any) -> bool:
    """Whether another workflow uses this one, which then has the config of that."""
    return workflow.modifier.skip_configfile


def config_files(workflow: Any) -> Iterable[str]:
    """The files that the config was read from."""
    return workflow.configfiles


def command_config(workflow: Any) -> Mapping[str, Any]:
    """What `--config` tells."""
    return workflow.config_settings.config


def is_local(workflow: Any) -> bool:
    """Whether Snakemake runs the jobs on this machine, and submits none to a cluster."""
    return workflow.local_exec


def due(workflow: Any) -> list[Any]:
    """Jobs that a run is going to do; known from `onstart` on."""
    return list(workflow.dag.needrun_jobs())


def drop_rate_limit(workflow: Any) -> None:
    """Have the scheduler keep no limit of submissions per second.

    With one, it looks at all waiting jobs again after each that has ended: up to a fifth of a core
    in a run of hundreds of jobs, which this machine starts itself.
    """
    workflow.scheduler.job_rate_limiter = None


def was_killed(workflow: Any) -> bool:
    """Whether SIGTERM came while the scheduler had taken it for itself."""
    return bool(workflow.scheduler._user_kill)


def start_no_more(workflow: Any) -> None:
    """Have the scheduler start no further job."""
    workflow.scheduler.exit_gracefully()


def name_python_without_quotes() -> None:
    """Have Snakemake start jobs by the name of this Python where a shell would need quotes.

    Snakemake writes `sys.executable` into shell commands as it is, so no job would run where the
    path of the environment has a space or a parenthesis.
    """
    if shlex.quote(sys.executable) != sys.executable:
        folder, name = os.path.split(sys.executable)
        os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
        sys.executable = name


def note_recipes() -> None:
    """Have this process, which is a job, note of what it made a file; else only the run does.

    A job that outlives its run, on a cluster or here, would leave files of which nobody knows with
    which parameters, code and inputs they were made, and which no change of these makes anew.
    """
    from snakemake.persistence import PersistenceBase
    from snakemake.settings.types import ExecMode

    finished = PersistenceBase.finished

    async def noting(self: Any, job: Any) -> None:
        settings = self.dag.workflow.workflow_settings
        mode, settings.exec_mode = settings.exec_mode, ExecMode.DEFAULT
        try:
            await finished(self, job)
        finally:
            settings.exec_mode = mode

    PersistenceBase.finished = noting
