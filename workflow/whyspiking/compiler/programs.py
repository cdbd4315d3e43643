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
                raise _make_disk_error("the C++ standard headers", folder)
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


def _make_disk_error(target_name: str, folder: Path) -> UserError:
    return UserError(
        f"compiling {target_name} failed in {folder} or {tempfile.gettempdir()}: "
        f"{FULL_DISK}. Free some space there and start snakemake again, or name "
        "another 'build_folder' in the config (TMPDIR names another folder for temporary files)"
    )


def unite(project: Path) -> None:
    """Write two files, `UNITS`, that include all generated files.

    A file takes 0.15 s of CPU time before its first line is compiled, and a model has fifty. What
    runs only once, at the start and at the end, is optimised less.
    """
    for number, path in enumerate(sorted(project.glob("code_objects/*.cpp"))):
        # Each file defines the same helpers: they get a namespace of their own.
        namespace = f"helpers_{number}"
        code = path.read_text().replace("\nnamespace {", f"\nnamespace {namespace} {{")
        statement = "using namespace brian;"
        path.write_text(code.replace(statement, f"{statement} using namespace {namespace};"))
    sources = [f"{path.parent.name}/{path.name}" for path in sorted(project.glob("*/*.cpp"))]
    connecting = [source for source in sources if "_synapses_create_" in source]
    once = ["objects.cpp", "run.cpp", "main.cpp", *connecting]
    steps = ["network.cpp", "synapses_classes.cpp", *(s for s in sources if s not in connecting)]
    # The linker takes the first of two copies of a function: the better optimised one.
    for unit, heading, included in zip(
        UNITS, ("", '#pragma GCC optimize("O1")\n'), (steps, once), strict=True
    ):
        text = heading + "".join(f'#include "{source}"\n' for source in included)
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
    object_files = {unit: f"{Path(unit).stem}.o" for unit in UNITS}
    compile_command = [*compiler(), *flags(), "-c", "-I.", "-include", str(header)]
    # A compiler that comes with Python's environment brings the libraries that its programs need.
    link_options = ("-o", "main", "-Xlinker", "-rpath", "-Xlinker", str(Path(sys.prefix, "lib")))
    output = _run_commands(
        [[*compile_command, unit, "-o", object_file] for unit, object_file in object_files.items()],
        project,
    )
    output = output or _run_commands(
        [[*compiler(), *object_files.values(), *link_options]], project
    )
    if output is not None:
        log = project / "compiler.log"
        with contextlib.suppress(OSError):
            log.write_text(output)
        if FULL_DISK in output:
            raise _make_disk_error(f"Brian2 model '{name}'", project)
        raise UserError(
            f"Brian2 model '{name}': compiling it failed. Correct the C++ code or the equations "
            f"that the compiler names ({log} has its whole output). The compiler said: "
            f"{output[-1500:]}"
        )


def _run_commands(commands: Sequence[Sequence[str]], folder: Path) -> str | None:
    """Run commands at the same time; gives their output if one failed, else None."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    processes = [subprocess.Popen(command, cwd=folder, **pipes) for command in commands]
    outputs = [process.communicate()[0] for process in processes]
    return "".join(outputs) if any(process.returncode for process in processes) else None


def run_program(
    project: Path, arguments: Sequence[str], progress: Callable[[float, str], None] | None = None
) -> None:
    """Run a finished program in its folder, where its static arrays are.

    Args:
        project: Folder of the build.
        arguments: Its command line.
        progress: Told about every second how far it is.

    Raises:
        RuntimeError: If it fails or says anything: Brian2 reports an unreadable file of values on
            stderr only, goes on with the old values, and exits with 0.
        OSError: If there is no space for what it writes.
    """
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as folder:
        progress_file = Path(folder, "done")
        arguments = [*arguments, f"tell:file={progress_file}"] if progress else arguments
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(["./main", *arguments], cwd=project, **pipes)
        try:
            while True:
                try:
                    out, err = process.communicate(timeout=TOLD_EVERY_S if progress else None)
                    break
                except subprocess.TimeoutExpired:
                    if progress and progress_file.is_file():
                        progress(float(progress_file.read_text() or 0), "simulating")
        finally:
            process.kill()  # where what waits is stopped
    if process.returncode or out or err:
        temporary_folder = tempfile.gettempdir()
        if shutil.disk_usage(temporary_folder).free < SPACE_BYTES:
            raise OSError(errno.ENOSPC, FULL_DISK, temporary_folder)
        raise RuntimeError(
            f"the simulation in {project} failed (exit code {process.returncode}): "
            f"{(err + out)[-1500:]}"
        )
