"""The environment's three descriptions agree, and no file knows this machine."""

import ast
import contextlib
import importlib.metadata
import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from made.checkouts import ROOT, repository
from made.programs import program
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from whyspiking_maintain import environment

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
ENTRY = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^ \\]+)(?: ; (?P<marker>[^\\]+?))? \\\n"
    r"(?P<hashes>(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)
ENTRIES = {canonicalize_name(entry["name"]): entry for entry in ENTRY.finditer(LOCK)}


def tracked():
    """Text files of the repository: name, content."""
    for path in repository():
        with contextlib.suppress(UnicodeDecodeError):
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def imported_distributions():
    """Distributions whose modules our own code imports, with the file that does."""
    owners = importlib.metadata.packages_distributions()
    for folder in ("workflow", "exchange", "maintain", "packages", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    modules = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules = [node.module]
                else:
                    continue
                for module in modules:
                    top = module.partition(".")[0]
                    if top not in sys.stdlib_module_names and top in owners:
                        yield str(path.relative_to(ROOT)), owners[top]


def test_what_the_code_imports_is_a_direct_dependency():
    allowed = {canonicalize_name(Requirement(d).name) for d in PROJECT["dependencies"]}
    allowed |= {"whyspiking"}
    # They define the interfaces of Snakemake and JAX that we implement, and come with them.
    allowed |= {"snakemake-interface-logger-plugins", "jaxlib"}
    # Scripts of tests/peers run where those of `peers` are installed, and nowhere else.
    more = PROJECT["optional-dependencies"]
    for_tests = {canonicalize_name(Requirement(x).name) for x in more["dev"] + more["peers"]}
    # They come with pytest and with Snakemake, and torch with the peers.
    for_tests |= {"packaging", "snakemake-interface-executor-plugins", "torch"}
    for path, owners in imported_distributions():
        known = allowed | for_tests if "tests" in Path(path).parts else allowed
        assert {canonicalize_name(owner) for owner in owners} & known, f"{path}: {owners}"


def test_conda_gets_the_same_environment():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [d for d in conda["dependencies"] if isinstance(d, str)]
    (nested,) = (d for d in conda["dependencies"] if not isinstance(d, str))
    assert nested == {"pip": ["-r requirements.txt"]}
    names = [re.split(r"[ <>=]", d)[0] for d in plain]
    # Compilers, make and Python come from conda; every Python package from requirements.txt.
    assert names == ["python", "cxx-compiler", "make", "git", "pip"]
    assert PROJECT["requires-python"] in plain[0].removeprefix("python ").split(",")


def test_the_lock_names_no_registry_and_no_path():
    assert LOCK.split("\n", 2)[:2][1] == "#    make lock"
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|^-c |/tmp|/home", LOCK)


def test_no_file_names_a_registry_or_a_place_on_one_machine():
    # Put together here, so that this file does not contain what it looks for.
    hosts = ("py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org")
    places = ("/" + "work/", "/" + "root/", "/home" + "/", "/" + "tmp/env", "/" + "farm/")
    pattern = re.compile("|".join(re.escape(word) for word in hosts + places))
    found = [
        f"{name}:{number}"
        for name, text in tracked()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


# ---- making it ----


def test_uv_is_taken_from_the_lock_with_its_hashes():
    entry = environment.pinned_uv(LOCK)
    locked = ENTRIES[canonicalize_name("uv")]
    assert entry.startswith(f"uv=={locked['version']} ")
    assert entry.count("--hash=sha256:") == locked["hashes"].count("--hash")
    with pytest.raises(environment.EnvironmentProblem, match="restore it"):
        environment.pinned_uv("numpy==1")


@pytest.fixture
def project(tmp_path):
    for name in environment.SOURCES:
        (tmp_path / name).write_text("one")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    return tmp_path


def test_an_environment_is_current_until_its_sources_python_or_place_change(project):
    assert not environment.is_current(project), "without a stamp it is not finished"
    (project / ".venv" / environment.STAMP).write_text(environment.fingerprint(project))
    (project / "requirements.txt").touch()
    assert environment.is_current(project)
    (project / "requirements.txt").write_text("two")
    assert not environment.is_current(project)
    (project / "requirements.txt").write_text("one")
    moved = project.rename(project.with_name("moved"))
    assert not environment.is_current(moved)
    moved.rename(project)
    assert environment.is_current(project)
    (project / ".venv/bin/python").unlink()
    assert not environment.is_current(project)


def test_a_failing_step_shows_its_output_and_the_remedy(tmp_path):
    command = [sys.executable, "-c", "print('no space left'); raise SystemExit(2)"]
    with pytest.raises(environment.EnvironmentProblem, match=r"no space left\n.*run make again"):
        environment._run(command, tmp_path, {})


# ---- finding a Python ----

UV = shutil.which("uv") or "uv"


def find(*folders, home):
    environ = {"PATH": os.pathsep.join(map(str, folders)), "HOME": str(home)}
    return environment.find_python(UV, environ)


@pytest.fixture
def base(tmp_path):
    """A folder with the Python from which the environment of the tests was made, and no other."""
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    return folder


def test_a_machine_without_python_gets_one_message(tmp_path):
    with pytest.raises(environment.EnvironmentProblem) as caught:
        find(tmp_path, home=tmp_path)
    told = rf"Python: 3\.12 or newer is needed, found {sys.executable} is 3\.\d.*apt-get install"
    assert re.match(told, str(caught.value))


def test_a_python_that_does_not_run_is_passed_over(base, tmp_path):
    for name in ("python3", "python3.12", "python3.13"):
        program(tmp_path / "shims" / name, "echo 'pyenv: version not installed' >&2; exit 127")
    assert find(tmp_path / "shims", base, home=tmp_path) == str(base / "python3")


def test_inside_a_virtual_environment_another_python_is_meant(base, tmp_path):
    """Otherwise `make` would build the new .venv on the old one that it has just removed."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("the tests do not run in a virtual environment")
    assert find(Path(sys.prefix) / "bin", base, home=tmp_path) == str(base / "python3")
    assert str(Path(sys._base_executable).parent) in environment._path().split(os.pathsep)


def test_pythons_of_pyenv_are_found_without_being_on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".pyenv/versions/3.13.0/bin"
    folder.mkdir(parents=True)
    assert environment._path().split(os.pathsep)[-1] == str(folder)


def test_tested_pythons_come_before_newer_ones(tmp_path):
    """A uv that finds what is asked for, if it is there."""
    for there, wanted in (("3.13 3.12", "3.13"), ("3.12", "3.12"), ("3.14", ">=3.12")):
        asked = f'for v in {there}; do [ "$v" = "$5" ] && echo "$5" && exit 0; done'
        newer = '[ "$5" = ">=3.12" ] && echo "$5" && exit 0'
        uv = program(tmp_path / "uv", f"{asked}\n{newer}\nexit 2")
        assert environment.find_python(str(uv), {"PATH": ""}) == wanted


def test_uv_is_fetched_by_the_first_pip_that_works(tmp_path, monkeypatch):
    (tmp_path / "requirements.txt").write_text(LOCK)
    program(tmp_path / "bin" / "python3", "echo 'No module named pip' >&2; exit 1")
    made = 'while [ "$1" != --target ]; do shift; done; mkdir -p "$2/bin"; touch "$2/bin/uv"'
    pip = program(tmp_path / "bin" / "pip3", made)
    monkeypatch.setattr(environment.sys, "executable", str(tmp_path / "bin" / "python3"))
    monkeypatch.setattr(environment, "_path", lambda: f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert environment._fetch_uv(tmp_path, tmp_path) == str(tmp_path / "target/bin/uv")
    pip.unlink()
    shutil.rmtree(tmp_path / "target")
    monkeypatch.setattr(environment, "_path", lambda: str(tmp_path / "bin"))
    with pytest.raises(
        environment.EnvironmentProblem, match=r"No module named pip\n.*python3-venv"
    ):
        environment._fetch_uv(tmp_path, tmp_path)
