"""The profile for Slurm on a real cluster of one node, made for the test and ended with it.

Skipped where Slurm is not installed (Debian: slurmctld slurmd slurm-client), without the plugin
(`uv pip install snakemake-executor-plugin-slurm`), for others than root, and where the machine is
part of a cluster already. Job steps read /etc/slurm only, so that is where the test writes.
"""

import os
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from made.checkouts import copy_workflow, finish, name_template, only
from made.hangs import limit, wait_until

TALK = "tempotron"
ETC = Path("/etc/slurm")
SETTINGS = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/slurm
CredType=cred/slurm
SlurmctldPort=17817
SlurmdPort=17818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# No accounting here, so that squeue has to tell how jobs fare; one node sees its files at once.
HERE = [
    "--default-resources", "slurm_partition=main", "mem_mb=1000", "runtime=10", "disk_mb=100",
    "--jobs", "2", "--latency-wait", "15", "--slurm-status-command", "squeue",
    "--slurm-init-seconds-before-status-checks", "5",
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


def idle() -> bool:
    """Whether the one node takes jobs."""
    told = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True)
    return told.stdout.strip() == "idle"


@pytest.fixture
def cluster(tmp_path):
    """A running cluster of one node; its daemons end and its files go with the test."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
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
        for name in ("slurmctld", "slurmd"):
            with (tmp_path / f"{name}.out").open("w") as out:
                daemons.append(
                    subprocess.Popen([name, "-D"], stdout=out, stderr=out, start_new_session=True)
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
    timed = table["metric"].str.contains("seconds")
    return table[~timed].reset_index(drop=True)


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=lacking() or "-")
def test_a_cluster_gives_the_numbers_of_a_local_run(cluster, tmp_path):
    here, there = project(tmp_path / "here"), project(tmp_path / "there")
    words = (TALK, "--configfile", "config/smoke.yaml")
    finish(here, *words)
    said = finish(there, *words, "--workflow-profile", "workflow/profiles/slurm", *HERE)
    print(f"through Slurm:\n{said[-3000:]}")
    told = (tmp_path / "slurmctld.log").read_text()
    assert "_job_complete: JobId=" in told, "no job went through Slurm"
    for name in ("metrics.csv", "verdicts.csv", "history.csv"):
        pd.testing.assert_frame_equal(numbers(here, name), numbers(there, name), check_exact=True)
    assert len(numbers(there, "metrics.csv")) > 20
