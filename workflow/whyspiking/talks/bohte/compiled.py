"""Recurrent layers in C++ (`layer.cpp`, `gated.cpp`) that JAX calls on a CPU in single precision.

XLA runs the same loop (`model.course`) at about twice the cost of its matrix products: it writes
every intermediate array of a step to memory, copies what it carries, and multiplies by spikes that
are zero. Both give the same numbers up to rounding; where this one cannot run, that one does.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp

from whyspiking import arithmetic
from whyspiking.compiler import libraries
from whyspiking.records import whole_files
from whyspiking.talks.bohte.model import Array

SOURCES = tuple(Path(__file__).with_name(name) for name in ("layer.cpp", "gated.cpp"))
NAMES = tuple(
    f"{kind}_{direction}"
    for kind in ("layer", "gated_layer", "plain_layer")
    for direction in ("forward", "backward")
)


def usable(*arrays: Array) -> bool:
    """Return whether layers of these arrays can be computed here: float32, on a CPU."""
    return all(array.dtype == jnp.float32 for array in arrays) and registered()


def call(name: str, shapes: Sequence[tuple[int, ...]], *arguments: Array) -> tuple[Array, ...]:
    """Call a compiled function.

    Args:
        name: One of `NAMES`; the C++ files describe its arguments and results.
        shapes: Of its results.
        arguments: Of the function.
    """
    results = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return tuple(jax.ffi.ffi_call(_target(name), results)(*arguments))


@functools.cache
def registered() -> bool:
    """Register the compiled functions where JAX runs on the CPU; return whether it does."""
    if jax.default_backend() != "cpu":
        return False
    header = Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h"
    text = "\n".join([f'#include "{header}"\n', *(source.read_text("utf-8") for source in SOURCES)])
    source_file = libraries.folder() / f"layer-{hashlib.sha256(text.encode()).hexdigest()[:20]}.cpp"
    if not source_file.is_file():
        with whole_files.replacing(source_file) as partial:
            partial.write_text(text, encoding="utf-8")
    library = libraries.load("bohte_layer", [source_file])
    for name in NAMES:
        capsule = jax.ffi.pycapsule(getattr(library, name))
        jax.ffi.register_ffi_target(_target(name), capsule, platform="cpu")
    return True


def _target(name: str) -> str:
    """Name a function for JAX; a registered name cannot get another function."""
    return f"{name}_{arithmetic.vectors()}"
