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
    f"{kind}_{way}"
    for kind in ("layer", "gated_layer", "plain_layer")
    for way in ("forward", "backward")
)


def usable(*arrays: Array) -> bool:
    """Whether layers of these arrays can be computed here: float32, on a CPU."""
    return all(array.dtype == jnp.float32 for array in arrays) and registered()


def call(name: str, shapes: Sequence[tuple[int, ...]], *given: Array) -> tuple[Array, ...]:
    """Results of a compiled function.

    Args:
        name: One of `NAMES`; what it takes and gives stands in the C++ files.
        shapes: Of its results.
        given: Its arguments.
    """
    results = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return tuple(jax.ffi.ffi_call(_target(name), results)(*given))


@functools.cache
def registered() -> bool:
    """Whether JAX runs on the CPU; there the compiled functions are made known to it."""
    if jax.default_backend() != "cpu":
        return False
    header = Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h"
    text = "\n".join([f'#include "{header}"\n', *(source.read_text("utf-8") for source in SOURCES)])
    written = libraries.folder() / f"layer-{hashlib.sha256(text.encode()).hexdigest()[:20]}.cpp"
    if not written.is_file():
        with whole_files.replacing(written) as partial:
            partial.write_text(text, encoding="utf-8")
    library = libraries.load("bohte_layer", [written])
    for name in NAMES:
        own = jax.ffi.pycapsule(getattr(library, name))
        jax.ffi.register_ffi_target(_target(name), own, platform="cpu")
    return True


def _target(name: str) -> str:
    """What JAX knows a function by; one that it knows cannot become another."""
    return f"{name}_{arithmetic.vectors()}"
