"""A shared task is one folder: adding one needs no other file, and no other file names one."""

import os
import re
import subprocess
import sys

import pytest
from made.checkouts import ROOT, copy_workflow, name_template, only

from whyspiking.declared.shared_tasks import shared_tasks

PACKAGE = ROOT / "workflow" / "whyspiking"
NAMED_IN = {
    # They show one trial of one task to readers.
    "workflow/whyspiking/report/tasks_section.py",
    "maintain/whyspiking_maintain/watched.py",
}
TASK = """
position: 9
title: Toy task
description: Two inputs, one of which fires first
question: Does the earlier input decide?
input_kind: "one number per input"
chance: 0.5
input_times: constructed
parameters:
  window_ms: {value: 50.0, unit: ms, source: "ours: length of a sample"}
  n_input: {value: 2, source: "ours: two inputs"}
  n_hidden: {value: 5, source: "ours: a small layer"}
  n_output: {value: 2, source: "ours: one class per input"}
  n_train: {value: 100, source: "ours: few samples"}
  n_validation: {value: 20, source: "ours: few samples"}
  n_test: {value: 30, source: "ours: few samples"}
  epochs: {value: 2, source: "ours: few epochs"}
scale_overrides: {}
"""
GENERATOR = """
import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.tasks.generators import Latencies


def draw_latencies(params, split):
    features = Streams(params.seed).rng(split).random((getattr(params, f"n_{split}"), 2))
    return Latencies(features * params.window_ms, features, features.argmin(axis=1))
"""
PICTURE = """
CAPTION = "The network must name the input that fires first."


def draw(params, axes):
    axes[0].plot([0, 1], [0, 1])
    return "A line."
"""
READ = """
from pathlib import Path
from whyspiking.declared import registry
from whyspiking.report import task_pictures
from whyspiking.running import code_inputs

print("pictures", task_pictures.list_pictures())
print("caption", task_pictures.picture("toy").caption)
inputs = {str(Path(file)) for file in code_inputs.of_talk("newspeaker", "train")}
print("inputs", sorted(file for file in inputs if "/tasks/" in file))
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the project with a task `toy` and a talk that is set this task."""
    project = copy_workflow(tmp_path_factory.mktemp("project"))
    folder = project / "workflow" / "whyspiking" / "tasks" / "toy"
    folder.mkdir()
    contents = {
        "__init__.py": "", "task.yaml": TASK, "generator.py": GENERATOR, "picture.py": PICTURE,
    }  # fmt: skip
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    talk = name_template(project, "newspeaker")
    for path in (talk / "talk.yaml", talk / "__init__.py"):
        text = path.read_text(encoding="utf-8").replace("shared_yinyang", "shared_toy")
        path.write_text(text.replace("data_set: yinyang", "data_set: toy"), encoding="utf-8")
    only(project, "newspeaker")
    return project


def run(project, *words):
    """Run Python in the copy; return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(project / "workflow")}
    done = subprocess.run(
        [sys.executable, *words], cwd=project, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_network_learns_a_task_that_was_added_as_one_folder(checkout):
    run(
        checkout, "workflow/scripts/train.py", "newspeaker", "shared_toy", "spiking",
        "--scale", "smoke", "--seed", "0",
    )  # fmt: skip
    place = "results/alone/newspeaker/shared_toy/spiking/seed-0/network.npz"
    assert (checkout / place).is_file()


def test_its_picture_is_drawn_and_its_files_are_inputs_of_the_talks_that_use_it(checkout):
    printed = run(checkout, "-c", READ)
    assert re.search(r"pictures .*'toy'", printed)
    assert "caption Toy task. The network must name the input that fires first." in printed
    (inputs,) = re.findall("inputs (.*)", printed)
    assert "toy/generator.py" in inputs and "yinyang/generator.py" not in inputs
    assert "picture" not in inputs, "pictures change no number"


def test_no_file_outside_the_folder_the_talks_and_the_config_names_a_task():
    names = "|".join(shared_tasks())
    quoted = re.compile(rf"""["'](shared_)?({names})["']|whyspiking\.tasks\.({names})""")
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in ("workflow", "exchange", "maintain", "article")
        for pattern in ("*.py", "*.smk", "*.j2", "*.js")
        for path in (ROOT / folder).rglob(pattern)
    ]
    outside = [
        file
        for file in files
        if not file.startswith(("workflow/whyspiking/tasks/", "workflow/whyspiking/talks/"))
        and "/tests/" not in file
    ]
    assert len(outside) > 200
    naming = {file for file in outside if quoted.search((ROOT / file).read_text("utf-8"))}
    assert naming == NAMED_IN
