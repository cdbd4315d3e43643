"""The environment's three descriptions agree, and no file knows this machine."""

import ast
import contextlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from made.checkouts import ROOT, repository
from made.hangs import limit
from made.programs import program
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
    optional = PROJECT["optional-dependencies"]
    for_tests = {
        canonicalize_name(Requirement(x).name) for x in optional["dev"] + optional["peers"]
    }
    # One comes with pytest, the other with the peers.
    for_tests |= {"packaging", "torch"}
    for path, owners in imported_distributions():
        declared_names = allowed | for_tests if "tests" in Path(path).parts else allowed
        assert {canonicalize_name(owner) for owner in owners} & declared_names, f"{path}: {owners}"


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


def test_the_tool_of_the_audit_and_all_that_it_needs_is_pinned_by_hash():
    lock = (ROOT / ".ci/audit.txt").read_text(encoding="utf-8")
    pins = [entry["name"] for entry in ENTRY.finditer(lock)]
    assert "pip-audit" in pins
    assert len(pins) == len(re.findall(r"^[^ #]", lock, re.MULTILINE))


def test_no_file_names_a_registry_or_a_place_on_one_machine():
    # Put together here, so that this file does not contain what it looks for.
    hosts = ("py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "deb." + "debian.org")
    folders = ("/" + "work/", "/" + "root/", "/home" + "/", "/" + "tmp/env", "/" + "farm/")
    pattern = re.compile(
        "|".join(re.escape(registry_or_folder) for registry_or_folder in hosts + folders)
    )
    matches = [
        f"{name}:{number}"
        for name, text in tracked()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert not matches


# ---- making it: `make environment` in a folder whose PATH has only the programs of a test ----

TOOLS = ("bash", "cat", "cksum", "env", "make", "mkdir", "mktemp", "rm", "sed", "touch")
# It writes its words into a file, finds one version of Python, and makes a folder.
UV = """\
echo "$@" >>words
case "$*" in
*"python find"*) [ "$5" = "{python}" ] && echo "/usr/bin/python$5" ;;
"--quiet venv"*) for folder; do :; done; mkdir -p "$folder/bin"; touch "$folder/bin/python"
  chmod +x "$folder/bin/python" ;;
esac"""


class Machine:
    """A folder with what `make environment` reads, and programs that a test puts on PATH."""

    def __init__(self, folder: Path):
        self.folder = folder / "a b (c)"
        (self.folder / ".ci").mkdir(parents=True)
        for name in ("Makefile", ".ci/environment", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, self.folder / name)
        self.home = folder / "home"
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.path = str(self.programs)
        for name in (*TOOLS, "chmod"):
            (self.programs / name).symlink_to(str(shutil.which(name)))

    def add_program(self, name: str, script: str) -> None:
        program(self.programs / name, script)

    def make(self, target: str = "environment") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", target], cwd=self.folder, env={"PATH": self.path, "HOME": str(self.home)},
            capture_output=True, text=True, timeout=limit(), check=False,
        )  # fmt: skip

    def read_calls(self) -> list[str]:
        """Read the arguments that uv got since the last reading."""
        file = self.folder / "words"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path):
    fake_machine = Machine(tmp_path)
    fake_machine.add_program("uv", UV.format(python="3.13"))
    return fake_machine


def test_an_environment_is_kept_until_its_sources_python_or_place_change(machine):
    assert machine.make().returncode == 0
    _, venv, sync, install = machine.read_calls()
    assert venv == "--quiet venv --python /usr/bin/python3.13 .venv"
    assert sync.endswith("--require-hashes --compile-bytecode requirements.txt")
    assert "--no-deps --no-build-isolation --editable . --editable ./packages" in install
    lock = machine.folder / "requirements.txt"
    lock.touch()
    assert machine.make().stdout == "" and machine.read_calls() == []
    lock.write_text(f"{LOCK}# another\n")
    assert "the environment is ready" in machine.make().stdout and machine.read_calls()
    (machine.folder / ".venv/bin/python").unlink()
    assert machine.make().returncode == 0 and machine.read_calls()
    machine.folder = machine.folder.rename(machine.folder.with_name("moved"))
    assert machine.make().returncode == 0 and machine.read_calls()
    assert machine.make().returncode == 0 and not machine.read_calls()


def test_a_failing_step_shows_its_output_and_the_remedy_and_leaves_no_finished_environment(machine):
    assert machine.make().returncode == 0
    (machine.folder / "requirements.txt").write_text(LOCK + "# another\n")
    uv_script = UV.format(python="3.13")
    machine.add_program(
        "uv", f'case "$*" in *sync*) echo "no space left"; exit 2;; esac\n{uv_script}'
    )
    process = machine.make()
    assert process.returncode != 0
    assert re.search(r"pip sync .*\nno space left\n.*run make again", process.stderr)
    assert "is ready" not in process.stdout
    machine.read_calls()
    machine.add_program("uv", uv_script)
    assert machine.make().returncode == 0 and machine.read_calls()


def test_a_machine_without_a_fitting_python_gets_one_message(machine):
    machine.add_program("uv", UV.format(python="none"))
    machine.add_program("python3", "echo Python 3.11.7")
    process = machine.make()
    message = r"error: Python: 3\.12 or newer is needed, found Python 3\.11\.7\. .*apt-get install"
    assert re.match(message, process.stderr) and process.returncode != 0
    assert not (machine.folder / ".venv").exists()


@pytest.mark.parametrize("python", ["3.12", ">=3.12"])
def test_tested_pythons_come_before_newer_ones(machine, python):
    machine.add_program("uv", UV.format(python=python))
    assert machine.make().returncode == 0
    requested_versions = [
        line.split()[-1] for line in machine.read_calls() if "python find" in line
    ]
    assert requested_versions == ["3.13", "3.12", ">=3.12"][: 2 if python == "3.12" else 3]


def test_pythons_of_pyenv_are_found_and_the_environment_that_is_made_anew_is_not(machine):
    folder = machine.home / ".pyenv/versions/3.13.0/bin"
    folder.mkdir(parents=True)
    program(machine.folder / ".venv/bin/uv", "echo the old one; exit 1")
    machine.path = f"{machine.folder}/.venv/bin:{machine.path}"
    machine.add_program("uv", f'echo "$PATH" >path\n{UV.format(python="3.13")}')
    assert machine.make().returncode == 0
    searched = (machine.folder / "path").read_text().strip().split(":")
    assert searched == [str(machine.programs), str(folder)]


# A pip that puts a uv where it is told to, and checks that its file has the pinned entry.
PIP = """\
while [ "$1" != --target ]; do shift; done
cat "$4" >pinned
mkdir -p "$2/bin"; cp uv "$2/bin/uv"; """


@pytest.mark.parametrize("pip", ["of Python", "of an environment", "none", "no Python", "no entry"])
def test_a_machine_without_uv_fetches_the_pinned_one(machine, pip):
    (machine.programs / "uv").rename(machine.folder / "uv")
    (machine.programs / "cp").symlink_to(str(shutil.which("cp")))
    fail_pip = 'case "$*" in *"pip install"*) echo "No module named pip"; exit 1;;'
    make_venv = 'mkdir -p "$3/bin"; cp pip "$3/bin/python"'
    program(machine.folder / "pip", PIP)
    pythons = {
        "of Python": f'case "$*" in *"pip install"*) {PIP};; esac',
        "of an environment": f'{fail_pip}\n*"-m venv"*) {make_venv};; esac',
        "none": f'{fail_pip}\n*) echo "No module named venv"; exit 1;; esac',
    }
    if pip != "no Python":
        machine.add_program("python3", pythons.get(pip, ""))
    if pip == "no entry":
        (machine.folder / "requirements.txt").write_text("numpy==1\n")
    process = machine.make()
    messages = {
        "none": r"could not be fetched:\nNo module named pip\n[^$]*python3-venv",
        "no Python": r"error: Python: no python3 on PATH; install Python 3.12",
        "no entry": r"no entry of uv with hashes; restore it",
    }
    if pip in messages:
        assert re.search(messages[pip], process.stderr) and process.returncode != 0
        assert not (machine.folder / ".venv").exists()
    else:
        assert process.returncode == 0, process.stderr
        pinned = (machine.folder / "pinned").read_text()
        locked = ENTRIES[canonicalize_name("uv")]
        assert pinned.startswith(f"uv=={locked['version']} ")
        assert pinned.count("--hash=sha256:") == locked["hashes"].count("--hash")


def test_the_audit_runs_the_pinned_tool_in_an_environment_of_its_own(machine):
    tool = 'echo "$0" "$@"; exit 3'
    machine.add_program(
        "uv",
        f"{UV.format(python='3.13')}\n"
        f'case "$*" in *audit.txt) printf "#!/bin/sh\\n%s\\n" \'{tool}\' '
        '>"$5/bin/pip-audit"; chmod +x "$5/bin/pip-audit";; esac',
    )
    process = machine.make("audit")
    assert "bin/pip-audit --requirement requirements.txt" in process.stdout
    assert process.returncode != 0, "a finding fails"
    assert machine.read_calls()[-1].endswith("--require-hashes --compile-bytecode .ci/audit.txt")
    assert not (machine.folder / ".venv").exists()


def test_what_ci_and_make_call_can_be_run():
    assert all((ROOT / ".ci" / name).stat().st_mode & 0o100 for name in ("run", "environment"))
