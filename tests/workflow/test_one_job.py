"""One job of the workflow, run alone as a script: its numbers, its messages, and its debugger."""

import subprocess
import sys

import numpy as np
import pytest
from made.checkouts import copy_workflow, finish

from whyspiking.records.array_files import load_arrays

PLACE = "comsa/boolean/spiking/seed-0/network.npz"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the workflow."""
    folder = tmp_path_factory.mktemp("project")
    copy_workflow(folder)
    return folder


def run(project, script, *words, stdin=""):
    command = [sys.executable, f"workflow/scripts/{script}.py", *words]
    environment = {"PYTHONPATH": str(project / "workflow"), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=project, input=stdin, capture_output=True, text=True, env=environment
    )


def test_a_job_alone_gives_the_numbers_of_the_workflow(project):
    small = ("--scale", "smoke")
    done = run(project, "train", "comsa", "boolean", "spiking", *small)
    assert done.returncode == 0, done.stderr
    lacking = run(project, "simulate", "comsa", "boolean", "--seed", "0", *small)
    command = "train.py comsa boolean linear --seed 0 --scale smoke --folder alone"
    assert lacking.returncode == 1 and command in lacking.stderr
    done = run(project, "train", "comsa", "boolean", "linear", *small)
    assert done.returncode == 0, done.stderr
    finish(
        project, "--cores", "1", "--configfile", "config/smoke.yaml", "--config",
        "results_folder=workflow", "--", f"results/workflow/{PLACE}",
    )  # fmt: skip
    networks = [load_arrays(project / "results" / name / PLACE) for name in ("alone", "workflow")]
    assert networks[0].keys() == networks[1].keys()
    for name, array in networks[0].items():
        np.testing.assert_array_equal(array, networks[1][name])
    done = run(project, "simulate", "comsa", "boolean", "--seed", "0", *small)
    assert done.returncode == 0, done.stderr
    assert (project / "results" / "alone" / "comsa" / "boolean" / "metrics.csv").is_file()


@pytest.mark.parametrize(
    ("script", "words", "message"),
    [
        ("train", ["comsa", "booleans", "spiking"], "'booleans' is not known in talk 'comsa'"),
        ("train", ["comsa", "boolean", "spikes"], "'boolean/spikes' is not known"),
        ("train", ["goeltz", "substrates", "ideal"], "expected one of none, at this scale"),
        ("train", ["comsa", "boolean", "spiking", "--set", "comsa.boolean.epoch=3"], "'epochs'"),
        ("simulate", ["goeltz", "yinyang", "--folder", "none"], "is missing; another job makes it"),
    ],
)
def test_what_cannot_be_run_is_one_message(project, script, words, message):
    done = run(project, script, *words)
    assert done.returncode != 0
    assert message in done.stderr and "Traceback" not in done.stderr
