"""What Slurm says before a run begins, told by commands that a test puts on PATH."""

import logging
from types import SimpleNamespace

import pytest
from made.programs import program

from whyspiking.errors import UserError
from whyspiking.running import slurm

RUN = "14efc27a-80e8-40f4-878c-a7e54fc4c8c7"
DISABLED = "echo Slurm accounting storage is disabled >&2; exit 1"
SILENT = "echo Unable to contact slurm controller >&2; exit 1"


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Put commands on a machine that has no others: name -> script."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return lambda **scripts: [program(tmp_path / "bin" / n, s) for n, s in scripts.items()]


def config(age):
    return f"echo 'MessageTimeout = 10 sec'; echo 'MinJobAge               = {age} sec'"


def settled(status="sacct", first=20):
    settings = SimpleNamespace(status_command=status, init_seconds_before_status_checks=first)
    slurm.settle(settings)
    return settings.status_command


def test_only_jobs_of_runs_in_this_folder_are_found(cluster, tmp_path):
    lines = [
        f"12 {RUN} {tmp_path}",
        f"13_[1-5] mine_{RUN} {tmp_path}",
        f"14 {RUN} {tmp_path}/elsewhere",
        f"15 snakemake-itself {tmp_path}",
    ]
    cluster(squeue="\n".join(f"echo '{line}'" for line in lines))
    assert slurm.jobs_of(tmp_path) == ["12", "13_[1-5]"]


def test_without_slurm_no_job_is_found(cluster, tmp_path):
    assert slurm.jobs_of(tmp_path) == []


@pytest.mark.parametrize(
    ("sacct", "age", "told", "asked"),
    [
        ("exit 0", 10, "sacct", "sacct"),
        (DISABLED, 300, "sacct", "squeue"),
        (DISABLED, 300, "squeue", "squeue"),
    ],
)
def test_the_command_that_answers_is_asked(cluster, caplog, sacct, age, told, asked):
    cluster(sacct=sacct, scontrol=config(age))
    with caplog.at_level(logging.INFO, "snakemake.logging"):
        assert settled(told) == asked
    assert ("no accounting" in caplog.text) == (told != asked)


@pytest.mark.parametrize(("age", "first", "needed"), [(120, 20, 180), (300, 110, 330)])
def test_a_cluster_that_forgets_jobs_at_once_is_refused(cluster, age, first, needed):
    """Snakemake's plugin would go back to `sacct`, or miss the end of a job."""
    cluster(sacct=DISABLED, scontrol=config(age))
    with pytest.raises(UserError, match=rf"{age} s after.*MinJobAge of {needed} s.*salloc"):
        settled("squeue", first)


def test_a_controller_that_does_not_answer_is_told_before_anything_is_submitted(cluster):
    cluster(sacct="exit 0", scontrol=SILENT)
    with pytest.raises(UserError, match=r"Unable to contact slurm controller.*nothing was submi"):
        settled()


def test_a_machine_without_the_commands_is_told(cluster):
    with pytest.raises(UserError, match=r"controller does not answer.*scontrol"):
        settled()
