"""The profile for Slurm on a real cluster of two nodes, made for a test and ended with it.

Skipped where Slurm is not installed (Debian: slurmctld slurmd slurm-client), without the plugin
(`uv pip install snakemake-executor-plugin-slurm`), for others than root, and where the machine is
part of a cluster already. Job steps read /etc/slurm only, so that is where the test writes.
"""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from made.checkouts import ROOT, copy_workflow, finish, name_template, only, snakemake
from made.hangs import limit, wait_until
from snakemake.cli import get_argument_parser

TALK = "tempotron"
ETC = Path("/etc/slurm")
NETWORK = f"results/smoke/{TALK}/patterns/spiking/seed-0/network.npz"
DRAIN = ["scontrol", "update", "nodename=n[1-2]"]
SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/slurm
CredType=cred/slurm
SlurmctldPort=17817
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=1
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17818-17819] CPUs=1 \
  RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# There is no accounting, which the profile has to find out; one machine sees its files at once.
HERE = [
    "--workflow-profile", "workflow/profiles/slurm", "--configfile", "config/smoke.yaml",
    "--default-resources", "slurm_partition=main", "mem_mb=1000", "runtime=10", "disk_mb=100",
    "--jobs", "2", "--latency-wait", "15", "--slurm-init-seconds-before-status-checks", "5",
]  # fmt: skip


def lacking() -> str:
    """Why there can be no cluster here; empty where there can."""
    if not all(shutil.which(name) for name in ("slurmctld", "slurmd", "sinfo")):
        return "Slurm is not installed: apt-get install slurmctld slurmd slurm-client"
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "no plugin: uv pip install snakemake-executor-plugin-slurm"
    if os.geteuid():
        return "only root can start a cluster"
    if (ETC / "slurm.conf").exists():
        return f"{ETC}/slurm.conf exists: this machine is part of a cluster"
    return ""


def told(*command: str) -> list[str]:
    """Lines that a command of Slurm says."""
    return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[:-1]


def idle() -> bool:
    """Whether both nodes take jobs."""
    return told("sinfo", "-h", "-N", "-o", "%T") == ["idle", "idle"]


@pytest.fixture
def cluster(tmp_path):
    """A running cluster of two nodes; its daemons end and its files go with the test."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool-n1", "spool-n2"):
        (tmp_path / name).mkdir()
    files = {
        "slurm.conf": SETTINGS.format(host=host, folder=tmp_path).encode(),
        "cgroup.conf": b"CgroupPlugin=disabled\n",
        "slurm.key": os.urandom(1024),
    }
    ETC.mkdir(exist_ok=True)
    daemons = []
    try:
        for name, content in files.items():
            (ETC / name).write_bytes(content)
            (ETC / name).chmod(0o600 if name.endswith("key") else 0o644)
        for words in (["slurmctld"], ["slurmd", "-N", "n1"], ["slurmd", "-N", "n2"]):
            with (tmp_path / f"{words[-1]}.out").open("w") as out:
                daemons.append(
                    subprocess.Popen([*words, "-D"], stdout=out, stderr=out, start_new_session=True)
                )
        wait_until(idle, daemons[0])
        assert idle(), (tmp_path / "slurmctld.log").read_text()[-3000:]
        yield host
    finally:
        subprocess.run(["scancel", "-u", "root"], check=False, capture_output=True)
        for daemon in daemons:
            daemon.terminate()
            daemon.wait(limit())
        for name in files:
            (ETC / name).unlink(missing_ok=True)


def project(folder: Path) -> Path:
    """A copy with one small talk, made from the template."""
    copy_workflow(folder)
    name_template(folder, TALK)
    only(folder, TALK)
    return folder


def numbers(folder: Path, name: str) -> pd.DataFrame:
    """A table of the talk without what a clock measured."""
    table = pd.read_csv(folder / "results" / "smoke" / TALK / name)
    return table[~table["metric"].str.contains("seconds")].reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")
def test_a_cluster_gives_the_numbers_of_a_local_run(cluster, tmp_path):
    here, there = project(tmp_path / "here"), project(tmp_path / "there")
    finish(here, TALK, "--configfile", "config/smoke.yaml")
    said = finish(there, TALK, *HERE)
    print(f"through Slurm:\n{said[-3000:]}")
    assert "`squeue` is asked how jobs fare" in said
    for node in ("n1", "n2"):
        assert "Launching batch job" in (tmp_path / f"slurmd-{node}.log").read_text(), node
    for name in ("metrics.csv", "verdicts.csv", "history.csv"):
        pd.testing.assert_frame_equal(numbers(here, name), numbers(there, name), check_exact=True)
    assert len(numbers(there, "metrics.csv")) > 20


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")
def test_jobs_that_outlive_a_killed_run_are_not_submitted_again(cluster, tmp_path):
    """They wait in the queue, since no node takes jobs."""
    folder = project(tmp_path / "a")
    words = (NETWORK, *HERE)
    subprocess.run([*DRAIN, "state=drain", "reason=test"], check=True)
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", *words],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(folder / "workflow")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: told("squeue", "-h"), run)
    run.kill()
    run.wait(limit())
    (job,) = told("squeue", "-h", "-o", "%i")
    again = snakemake(folder, *words)
    assert again.returncode != 0
    assert f"scancel {job}" in again.stderr
    assert told("squeue", "-h", "-o", "%i") == [job]
    subprocess.run(["scancel", job], check=True)
    subprocess.run([*DRAIN, "state=resume"], check=True)
    assert "trained (" in finish(folder, *words)
    assert (folder / NETWORK).is_file()


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")
def test_without_a_controller_nothing_is_submitted(cluster, tmp_path):
    subprocess.run(["scontrol", "shutdown", "slurmctld"], check=True)
    done = snakemake(project(tmp_path / "a"), NETWORK, *HERE)
    assert done.returncode != 0
    assert "its controller does not answer" in done.stderr
    assert "FAILED" not in done.stderr


def test_the_documented_command_works_as_it_stands_and_takes_what_a_site_names():
    """A word to be replaced would be taken for a name; targets come first, or after two dashes."""
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```bash\nsource .venv/bin/activate\nuv .*\nsnakemake (.*)\n```", page)
    target, *options = shlex.split(shown)
    assert "=" not in shown
    for more in ([], shlex.split(re.findall(r"`(--default-resources .*?)`", page)[0])):
        for words in ([target, *options, *more], [*options, *more, "--", target]):
            told = get_argument_parser().parse_args(words)
            assert told.targets == ["goeltz"]
            assert {"slurm_partition", "runtime"} <= set(told.default_resources or ()) or not more
