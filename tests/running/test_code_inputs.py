"""Which files are inputs of which jobs: the intent, for every talk; and what a job may load."""

import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from whyspiking.declared import registry
from whyspiking.running import code_inputs

PACKAGE = code_inputs.PACKAGE
TALKS = registry.available()
LEARN_IN_BRIAN2 = ("clopath", "neftci")
NEVER_TRAIN = {"measures", "battery", "verdicts", "declared", "plots", "report"}
PROTOCOL = {"ground": {"declared"}}
"""Floors are what protocol.yaml says, whose reader stands in `declared`; they take seconds."""


def places(talk: str, stage: str) -> set[str]:
    """The inputs of a stage, relative to the package."""
    return {str((Path.cwd() / f).relative_to(PACKAGE)) for f in code_inputs.of_talk(talk, stage)}


def rooms(files: set[str]) -> set[str]:
    """Rooms of the package that files lie in."""
    return {f.partition("/")[0] for f in files}


def brian_files() -> set[str]:
    found = (PACKAGE / "brian").rglob("*.[ch]pp"), (PACKAGE / "brian").rglob("*.py")
    files = {path for paths in found for path in paths}
    return {str(path.relative_to(PACKAGE)) for path in files}


def test_all_lists_name_rooms():
    assert all((PACKAGE / name / "__init__.py").is_file() for name in NEVER_TRAIN)


@pytest.mark.parametrize("talk", TALKS)
def test_brian2_decides_what_is_simulated_and_what_is_learned_in_it(talk):
    """Also the file that writes inputs and reads spikes, `brian/run_files.py`."""
    assert "brian/run_files.py" in brian_files()
    assert brian_files() <= places(talk, "simulate")
    learned = brian_files() & places(talk, "train")
    assert learned == (brian_files() if talk in LEARN_IN_BRIAN2 else set())


def test_headers_of_compiled_code_are_inputs():
    """What a file includes, and what lies beside a source: the key of its library has both."""
    n_headers = 0
    for inputs in (places(talk, stage) for talk in TALKS for stage in ("train", "simulate")):
        for name in (name for name in inputs if name.endswith((".cpp", ".hpp"))):
            folder = (PACKAGE / name).parent
            beside = {str(header.relative_to(PACKAGE)) for header in folder.glob("*.hpp")}
            assert beside <= inputs, name
            text = (PACKAGE / name).read_text()
            for header in re.findall(r'^#include "(.+)"', text, re.MULTILINE):
                assert {header, str(Path(name).parent / header)} & inputs, f"{name}: {header}"
                n_headers += 1
    assert n_headers > 0


@pytest.mark.parametrize("talk", TALKS)
def test_no_measure_retrains_a_network(talk):
    trained = places(talk, "train")
    assert not rooms(trained) & (NEVER_TRAIN - PROTOCOL.get(talk, set()))
    # The ground's settings are tried by a command, beside its floors.
    assert talk in PROTOCOL or not {"records/tables.py", "records/glossary.py"} & trained
    own = {f for f in trained if f.startswith(f"talks/{talk}/")}
    for pattern in ("measures*", "exhibits*", "figures*"):
        assert not fnmatch.filter(own, f"*/{pattern}")
    assert own, "but the talk's other files do"


def test_what_readers_enter_by_is_an_input_of_no_job():
    """`whyspiking.results` stands in the package's own `__init__.py`, which every job loads."""
    front = {"__init__.py", "records/finished.py"}
    assert all((PACKAGE / file).is_file() for file in front)
    stages = ("train", "simulate", "page")
    found = {file for talk in TALKS for stage in stages for file in places(talk, stage)}
    assert "records/tables.py" in found and not front & found
    text = "from whyspiking.running import code_inputs; code_inputs.check_loaded('train', [])"
    subprocess.run([sys.executable, "-c", text], check=True)
    with pytest.raises(subprocess.CalledProcessError):
        text = f"import whyspiking; whyspiking.results(); {text}"
        subprocess.run([sys.executable, "-c", text], check=True, capture_output=True)


def test_every_place_that_is_left_out_is_there():
    files = [p.relative_to(PACKAGE) for p in PACKAGE.rglob("*.py")]
    for pattern in (*code_inputs.NOT_IN, *code_inputs.INERT):
        assert any(file.match(pattern) for file in files), pattern


@pytest.fixture
def package(tmp_path):
    """A copy of the package that may be changed, and a way to run a script of jobs in it."""
    shutil.copytree(
        PACKAGE.parent, tmp_path / "workflow", ignore=shutil.ignore_patterns("__pycache__")
    )

    def run(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", text],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path / "workflow"), "PATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )

    return tmp_path / "workflow" / "whyspiking", run


INPUTS = """
from whyspiking.running import code_inputs
print(*code_inputs.of_talk("goeltz", {stage!r}), sep="\\n")
"""


def test_no_file_is_left_out_for_its_bare_name(package):
    """A module of a talk is what its place says, whatever a module of the core is called."""
    folder, run = package
    own = folder / "talks" / "goeltz"
    names = {f"{name}.py" for name in ("svg", "report", "config", "jobs", "progress")}
    (own / "network").mkdir()
    for name in names:
        (own / "network" / name).write_text("")
        (own / name).touch()
    for stage in ("train", "simulate"):
        said = {Path(path) for path in run(INPUTS.format(stage=stage)).stdout.split()}
        place = Path("workflow/whyspiking/talks/goeltz")
        assert {place / "network" / name for name in names} <= said
        assert {place / name for name in names} <= said


def test_what_only_a_type_checker_reads_is_no_input(package):
    folder, run = package
    path = folder / "talks" / "goeltz" / "task.py"
    guarded = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import whyspiking.plots.svg\n"
    )
    path.write_text(f"{path.read_text()}\n{guarded}")
    assert (
        "workflow/whyspiking/plots/svg.py" not in run(INPUTS.format(stage="train")).stdout.split()
    )
    path.write_text(f"{path.read_text()}\ndef late():\n    import whyspiking.plots.svg\n")
    assert "workflow/whyspiking/plots/svg.py" in run(INPUTS.format(stage="train")).stdout.split()


JOB = """
from whyspiking.running import code_inputs
from whyspiking.running.jobs import job
with job("log.txt", "goeltz yinyang"):
    import importlib
    for name in {loaded!r}:
        importlib.import_module(f"whyspiking.{{name}}")
    code_inputs.check_loaded("train", code_inputs.of_talk("goeltz", "train"))
"""


def test_a_job_that_loads_what_is_no_input_of_it_fails(package, tmp_path):
    _, run = package
    fine = ["stages.train", "talks.goeltz.learning", "running.progress", "errors"]
    assert run(JOB.format(loaded=fine)).returncode == 0, (tmp_path / "log.txt").read_text()
    for name in ("measures.scoring", "talks.goeltz.exhibits", "talks.goeltz.figures"):
        assert run(JOB.format(loaded=[name])).returncode == 1
        said = (tmp_path / "log.txt").read_text()
        assert "a job of 'train' has loaded" in said
        assert f"{name.replace('.', '/')}.py" in said.rpartition("RuntimeError")[2]
        assert "code_inputs.py" in said
