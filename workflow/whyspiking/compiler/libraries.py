"""Small C++ libraries of this project: compiled at first use, called through ctypes.

A library is kept under a hash of its sources, the headers (`*.hpp`) beside them and in `compiler`,
the flags and the compiler, so that a change of any of them compiles anew. The
compiler is the one that Brian2's standalone mode needs as well.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from whyspiking import arithmetic
from whyspiking.compiler import toolchain
from whyspiking.compiler.toolchain import FULL_DISK, REMEDY
from whyspiking.errors import UserError
from whyspiking.records import whole_files

COMPILER_FOLDER = Path(__file__).parent
FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-fno-trapping-math")
"""Of the compiler, beside the one of `arithmetic`. The last changes no number: with it GCC makes
vectors of loops that choose between numbers on AVX2 too, as it does on AVX-512 without."""


def load(name: str, sources: Sequence[Path]) -> ctypes.CDLL:
    """A library, compiled if no fitting one is stored.

    Args:
        name: What it is called in the cache.
        sources: C++ files.

    Raises:
        UserError: If there is no compiler or it fails, the disk is full, or $WHYSPIKING_VECTORS is
            not known.
    """
    path = build(name, sources, folder())
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        # A file from before there were seals, cut short.
        path.unlink(missing_ok=True)
        return ctypes.CDLL(str(build(name, sources, folder())))


class Array(ctypes.c_void_p):
    """Argument of a kernel: where the numbers of a contiguous array are; null for None."""

    @classmethod
    def from_param(cls, value: NDArray | None) -> Array:
        """What ctypes passes for an array; it refuses one with gaps between its rows."""
        if value is None:
            return cls()
        if not value.flags.c_contiguous:
            raise TypeError("a kernel accepts contiguous arrays only")
        return cls(value.ctypes.data)


REAL = object()
"""In `declare`: the number of the precision."""


def declare(library: ctypes.CDLL, name: str, arguments: Sequence[Any], result: Any = None) -> None:
    """Say what a function of both precisions, `<name>_f32` and `<name>_f64`, takes and returns.

    Args:
        library: From `load`.
        name: Without the ending.
        arguments: Types of ctypes, `Array` or `REAL`.
        result: Type of ctypes; None for nothing.
    """
    for kind, real in ((np.float32, ctypes.c_float), (np.float64, ctypes.c_double)):
        function = of_precision(library, name, kind)
        function.argtypes = [real if argument is REAL else argument for argument in arguments]
        function.restype = result


def of_precision(library: ctypes.CDLL, name: str, kind: DTypeLike) -> Any:
    """The function of `declare` for float32, or else for float64."""
    return getattr(library, f"{name}_{'f32' if kind == np.float32 else 'f64'}")


def folder() -> Path:
    """Where compiled libraries are kept: $WHYSPIKING_CACHE, or the user's cache folder."""
    cache_folder = os.environ.get("WHYSPIKING_CACHE")
    if cache_folder:
        return Path(cache_folder)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "whyspiking"


def build(name: str, sources: Sequence[Path], into: Path) -> Path:
    """Compile a library, unless it is there already.

    Args:
        name: What it is called in the cache.
        sources: C++ files.
        into: The cache.

    Raises:
        UserError: If there is no compiler or it fails, the disk is full, or $WHYSPIKING_VECTORS is
            not known.
    """
    compiler = toolchain.compiler()
    try:
        version = subprocess.run(
            [*compiler, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"the C++ compiler {compiler[0]} does not run ({error}); {REMEDY}"
        ) from None
    local_headers = {header for source in sources for header in source.parent.glob("*.hpp")}
    headers = sorted({*local_headers, *COMPILER_FOLDER.glob("*.hpp")})
    options = (*FLAGS, arithmetic.compiler_flag())
    key = hashlib.sha256()
    for text in (
        *(s.read_text() for s in (*sources, *headers)),
        *options,
        *compiler,
        version,
        arithmetic.target(),
    ):
        key.update(text.encode() + b"\0")
    target = into / f"{name}-{key.hexdigest()[:20]}.so"
    if target.is_file():
        with contextlib.suppress(UserError):
            whole_files.read(target)
            return target
    # Each process compiles under its own name; the rename is atomic, so a reader never sees half.
    with whole_files.replacing(target, sealed=True) as partial:
        include = ("-iquote", str(COMPILER_FOLDER.parent))
        command = [*compiler, *options, *include, "-o", str(partial), *map(str, sources)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if FULL_DISK in process.stderr:
            raise UserError(
                f"compiling '{name}' failed: {FULL_DISK}. Free some space and start snakemake again"
            )
        if process.returncode != 0:
            raise UserError(
                f"compiling '{name}' failed; {REMEDY}. The compiler said:\n{process.stderr[-2000:]}"
            )
    return target
