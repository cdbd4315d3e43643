"""The CPU time that a job's log states: its own, and that of the programs it ran."""

import subprocess
import sys

import numpy as np
import pytest

from whyspiking.running import jobs

BURN = """
import time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""
SCRIPT = """
import subprocess, sys
from whyspiking.running.jobs import job
{burn}
burn(0.2)
with job({log!r}, "toy"):
    burn(0.3)
    subprocess.run([sys.executable, "-c", {burn!r} + "burn(0.5)"], check=True)
    {end}
"""


def run(tmp_path, end="pass"):
    log = tmp_path / "logs" / "train.log"
    script = SCRIPT.format(burn=BURN, log=str(log), end=end)
    return log, subprocess.run([sys.executable, "-c", script], check=False).returncode


def test_cpu_time_counts_the_programs_that_a_job_ran(tmp_path):
    log, code = run(tmp_path)
    total, start = jobs.used(log)
    assert code == 0
    assert 0.2 <= start < total
    assert total - start == pytest.approx(0.8, abs=0.25)


def test_a_failed_job_states_nothing(tmp_path):
    log, code = run(tmp_path, "raise ValueError")
    assert code == 1
    assert np.isnan([jobs.used(log), jobs.used(tmp_path / "missing.log")]).all()
