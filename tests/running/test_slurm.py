"""What Slurm says before a run begins, told by commands that a test puts on PATH."""

import contextlib
import logging
from types import SimpleNamespace

import pytest
from made.programs import program

from whyspiking.errors import UserError
from whyspiking.running import slurm

RUN = "14efc27a-80e8-40f4-878c-a7e54fc4c8c7"
DEAD = "00000000-80e8-40f4-878c-a7e54fc4c8c7"
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
    slurm.ask_squeue(settings)
    return settings.status_command


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in which runs submit, and no run of this process yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(slurm, "_held", [])
    return tmp_path


def test_only_jobs_of_runs_in_this_folder_are_found(cluster, here):
    lines = [
        f"12|{RUN}|PENDING|None|{here}",
        f"13_[1-5]|mine_{RUN}|RUNNING|a | b|{here}",
        f"14|{RUN}|PENDING|None|{here}/elsewhere",
        f"15|snakemake-itself|PENDING|None|{here}",
    ]
    cluster(squeue="\n".join(f"echo '{line}'" for line in lines))
    assert slurm.orphans(here) == ["12", "13_[1-5]"]


def test_without_slurm_no_job_is_found(cluster, here):
    assert slurm.orphans(here) == []


def test_jobs_of_a_run_that_lives_are_no_orphans_until_it_ends(cluster, here):
    cluster(squeue=f"for r in '12|{RUN}' '13|{DEAD}'; do echo \"$r|RUNNING|None|{here}\"; done")
    slurm.hold(RUN)
    assert slurm.orphans(here) == ["13"]
    slurm._held.pop().close()
    assert slurm.orphans(here) == ["12", "13"]


@pytest.mark.parametrize(
    ("squeue", "told"),
    [
        (f"echo '12|{RUN}|PENDING|None|'$PWD; echo '13|{DEAD}|RUNNING|None|'$PWD", "scancel 12"),
        (f"echo '12|{RUN}|COMPLETING|None|'$PWD", ""),
        (SILENT, f"scancel --name={RUN}"),
    ],
)
def test_jobs_that_could_not_be_ended_are_named(cluster, here, monkeypatch, squeue, told):
    monkeypatch.setattr(slurm, "PAUSE_S", 0.0)
    cluster(squeue=squeue, scancel=f"echo $* >>{here}/asked; exit 1")
    left = slurm.end(RUN, here)
    assert left.endswith(told)
    assert bool(left) == bool(told)
    assert (here / "asked").read_text().startswith(f"--name={RUN}\n")


PARTITIONS = "echo 'main*|3/1/4/8'; echo 'short|0/2/0/2'"


@pytest.mark.parametrize(
    ("asked", "known", "cpus", "refused"),
    [
        ({""}, PARTITIONS, 4, ""),
        ({"short"}, PARTITIONS, 2, ""),
        ({"main,short"}, PARTITIONS, 6, ""),
        ({"a"}, SILENT, None, ""),
        (
            {"PARTITION", "short"},
            PARTITIONS,
            0,
            "no PARTITION part.*one of main, short: add",
        ),
        ({""}, "echo 'main|0/1/0/1'", 0, "no default partition; .*one of main: add"),
    ],
)
def test_a_partition_is_there_and_its_processors_count(cluster, asked, known, cpus, refused):
    cluster(sinfo=known)
    with pytest.raises(UserError, match=refused) if refused else contextlib.nullcontext():
        assert slurm.cpus(asked) == cpus


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


@pytest.mark.parametrize(
    ("scripts", "told"),
    [
        ({"sacct": "exit 0", "scontrol": SILENT}, "Unable to contact slurm .*nothing was submi"),
        ({}, "controller does not answer.*scontrol"),
    ],
)
def test_a_controller_that_does_not_answer_is_told_before_anything_is_submitted(
    cluster, scripts, told
):
    cluster(**scripts)
    with pytest.raises(UserError, match=told):
        settled()
