"""The C++ compiler: flags, precompiled headers, compiling and starting a program."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from whyspiking import arithmetic
from whyspiking.compiler.toolchain import FULL_DISK, compiler
from whyspiking.errors import UserError
from whyspiking.records import whole_files

FLAGS = (
    *("-w", "-O3", "-ffast-math", "-fno-finite-math-only", "-std=c++11"),
    "--param=vect-max-version-for-alias-checks=1000",
)
"""Brian2's own defaults for GCC but for the instructions, which `arithmetic` names; stated here
because the hash of a build covers them. And one more: updates of neurons touch so many arrays that
GCC would not check at run time whether they overlap, and so would not vectorise."""

TOLD_EVERY_S = 1.0
SPACE_BYTES = 1 << 20
"""With less free space than this, a simulation that failed is taken to have failed for that."""

# Every generated file includes these; compiling them once nearly halves the time of a build.
HEADERS = (
    *("algorithm", "chrono", "cmath", "cstdint", "cstdlib", "ctime", "fstream", "iostream"),
    *("iterator", "map", "random", "set", "sstream", "string", "tuple", "utility", "vector"),
)

UNITS = ("steps.cpp", "once.cpp")
"""What is compiled: the code of every step, and that of start and end."""


def flags() -> tuple[str, ...]:
    """All flags by which programs are compiled."""
    return (*FLAGS, arithmetic.compiler_flag())


def precompiled_headers(shared: Path) -> Path:
    """The standard headers, beside which their precompiled form lies; made at the first call.

    Args:
        shared: Folder for all builds.

    Raises:
        UserError: If the compiler cannot compile the standard headers.
    """
    version = subprocess.run([*compiler(), "--version"], capture_output=True, text=True).stdout
    text = "".join(f"#include <{name}>\n" for name in HEADERS)
    # A header made with other flags or by another compiler would silently be ignored.
    key = hashlib.sha256(f"{version}{arithmetic.target()}{FLAGS}{text}".encode()).hexdigest()[:12]
    folder = (shared / f"headers-{key}").resolve()
    header = folder / "standard.h"
    finished = folder / "standard.h.gch"
    if not (finished.exists() and header.exists() and _undamaged(finished)):
        with whole_files.replacing(header) as partial:
            partial.write_text(text)
        with whole_files.replacing(finished, sealed=True) as partial:
            result = subprocess.run(
                [*compiler(), "-x", "c++-header", *flags(), str(header), "-o", str(partial)],
                capture_output=True,
                text=True,
            )
            if FULL_DISK in result.stderr:
                raise _full("the C++ standard headers", folder)
            if result.returncode or not partial.exists():
                raise UserError(
                    f"'{' '.join(compiler())}' cannot compile the C++ standard headers; install a "
                    "complete C++11 compiler, or name it in CXX. It said: "
                    f"{result.stderr[-500:] or 'nothing'}"
                )
    return header


def _undamaged(path: Path) -> bool:
    """Whether a file is what was written: GCC refuses every program beside a damaged header."""
    try:
        whole_files.read(path)
    except UserError:
        return False
    return True


def _full(what: str, folder: Path) -> UserError:
    return UserError(
        f"compiling {what} failed in {folder} or {tempfile.gettempdir()}: {FULL_DISK}. Free some "
        "space there and start snakemake again, or name another 'build_folder' in the config "
        "(TMPDIR names another folder for temporary files)"
    )


def unite(project: Path) -> None:
    """Join the generated files to two, `UNITS`, that include all others.

    A file takes 0.15 s of CPU time before its first line is compiled, and a model has fifty. What
    runs only once, at the start and at the end, is optimised less.
    """
    for number, path in enumerate(sorted(project.glob("code_objects/*.cpp"))):
        # Each file defines the same helpers: they get a namespace of their own.
        own = f"helpers_{number}"
        code = path.read_text().replace("\nnamespace {", f"\nnamespace {own} {{")
        used = "using namespace brian;"
        path.write_text(code.replace(used, f"{used} using namespace {own};"))
    parts = [f"{path.parent.name}/{path.name}" for path in sorted(project.glob("*/*.cpp"))]
    connecting = [part for part in parts if "_synapses_create_" in part]
    once = ["objects.cpp", "run.cpp", "main.cpp", *connecting]
    steps = ["network.cpp", "synapses_classes.cpp", *(p for p in parts if p not in connecting)]
    # The linker takes the first of two copies of a function: the better optimised one.
    for unit, heading, parts in zip(
        UNITS, ("", '#pragma GCC optimize("O1")\n'), (steps, once), strict=True
    ):
        text = heading + "".join(f'#include "{part}"\n' for part in parts)
        (project / unit).write_text(text)


def build(project: Path, name: str, header: Path) -> None:
    """Compile the generated code of a model, which `unite` has joined, and link it.

    Brian2's makefile would do the same through a shell, which reads more in a path than a path.

    Args:
        project: Folder of the code; the program is `main` in it.
        name: Of the model.
        header: From `precompiled_headers`.

    Raises:
        UserError: If the compiler rejects it; the whole output is in compiler.log.
    """
    into = {unit: f"{Path(unit).stem}.o" for unit in UNITS}
    first = [*compiler(), *flags(), "-c", "-I.", "-include", str(header)]
    # A compiler that comes with Python's environment brings the libraries that its programs need.
    last = ("-o", "main", "-Xlinker", "-rpath", "-Xlinker", str(Path(sys.prefix, "lib")))
    said = _run([[*first, unit, "-o", made] for unit, made in into.items()], project)
    said = said or _run([[*compiler(), *into.values(), *last]], project)
    if said is not None:
        log = project / "compiler.log"
        with contextlib.suppress(OSError):
            log.write_text(said)
        if FULL_DISK in said:
            raise _full(f"Brian2 model '{name}'", project)
        raise UserError(
            f"Brian2 model '{name}': compiling it failed. Correct the C++ code or the equations "
            f"that the compiler names ({log} has its whole output). The compiler said: "
            f"{said[-1500:]}"
        )


def _run(commands: Sequence[Sequence[str]], folder: Path) -> str | None:
    """Run commands at the same time: what they said where one failed."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = [subprocess.Popen(command, cwd=folder, **pipes) for command in commands]
    said = [process.communicate()[0] for process in started]
    return "".join(said) if any(process.returncode for process in started) else None


def run_program(
    project: Path, words: Sequence[str], progress: Callable[[float, str], None] | None = None
) -> None:
    """Run a finished program in its folder, where its static arrays are.

    Args:
        project: Folder of the build.
        words: Its command line.
        progress: Told about every second how far it is.

    Raises:
        RuntimeError: If it fails or says anything: Brian2 reports an unreadable file of values on
            stderr only, goes on with the old values, and exits with 0.
        OSError: If there is no space for what it writes.
    """
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as folder:
        told = Path(folder, "done")
        words = [*words, f"tell:file={told}"] if progress else words
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        done = subprocess.Popen(["./main", *words], cwd=project, **pipes)
        try:
            while True:
                try:
                    out, err = done.communicate(timeout=TOLD_EVERY_S if progress else None)
                    break
                except subprocess.TimeoutExpired:
                    if progress and told.is_file():
                        progress(float(told.read_text() or 0), "simulating")
        finally:
            done.kill()  # where what waits is stopped
    if done.returncode or out or err:
        place = tempfile.gettempdir()
        if shutil.disk_usage(place).free < SPACE_BYTES:
            raise OSError(errno.ENOSPC, FULL_DISK, place)
        raise RuntimeError(
            f"the simulation in {project} failed (exit code {done.returncode}): "
            f"{(err + out)[-1500:]}"
        )
