"""Signals end a run whose job ignores them.

The hooks of this Snakefile are those of the project's Snakefile.
"""

import signal
import time

import pytest
from made import scenes
from made.checkouts import ROOT

SNAKEFILE = """
from whyspiking.running.stopping import STOP

STOP.install()


onstart:
    STOP.include_jobs(workflow)


onerror:
    STOP.leave()


rule all:
    input: "stubborn"


rule easy:
    output: "easy"
    shell: "touch {output}"


rule stubborn:
    input: "easy"
    output: "half", "stubborn"
    shell: "trap '' TERM; touch half; sleep 1000 & setsid sleep 1000 & wait"
"""


@pytest.fixture
def folder(tmp_path):
    scenes.shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    return tmp_path


@pytest.mark.parametrize(
    ("number", "whole_group"),
    [
        pytest.param(signal.SIGINT, True, id="ctrl-c"),
        pytest.param(signal.SIGINT, False, id="SIGINT", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, True, id="SIGTERM to all", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, False, id="SIGTERM", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, True, id="closed terminal", marks=pytest.mark.slow),
    ],
)
def test_a_stubborn_job_and_what_it_started_are_ended(folder, number, whole_group):
    process = scenes.start(folder)
    while scenes.commands(folder).count("sleep 1000 ") < 2:
        assert process.poll() is None, (folder / "said.txt").read_text()
        time.sleep(0.05)
    assert (folder / "half").exists()
    scenes.stop(process, folder, number, whole_group)
    assert (folder / "easy").exists(), "finished jobs are kept"
    assert not (folder / "half").exists()
