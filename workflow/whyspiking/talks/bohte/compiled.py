"""Recurrent layers in C++ (`layer.cpp`, `gated.cpp`) that JAX calls on a CPU in single precision.

XLA runs the same loop (`cells`) at about twice the cost of its matrix products: it writes every
intermediate array of a step to memory, copies what it carries, and multiplies by spikes that are
zero. Both give the same numbers up to rounding; where this one cannot run, that one does.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from whyspiking import arithmetic
from whyspiking.compiler import libraries
from whyspiking.records import whole_files

SOURCES = tuple(Path(__file__).with_name(name) for name in ("layer.cpp", "gated.cpp"))
NAMES = tuple(
    f"{kind}_{way}"
    for kind in ("layer", "gated_layer", "plain_layer")
    for way in ("forward", "backward")
)

type Array = Any


def usable(*arrays: Array) -> bool:
    """Whether layers of these arrays can be computed here: float32, on a CPU."""
    return all(array.dtype == jnp.float32 for array in arrays) and registered()


def forward(
    drive: Array,
    w_rec: Array,
    alpha: Array,
    rho: Array,
    constants: Array,
    start: tuple[Array, Array, Array],
) -> tuple[Array, Array, Array]:
    """Spikes, membrane and adaptation of a layer, each (time, trial, neuron).

    Args:
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
        rho: Decay of the adaptation per step, (neuron,).
        constants: Threshold at rest and strength of the adaptation, (2,).
        start: Membrane, adaptation and spikes before the first step, each (trial, neuron).
    """
    shape = jax.ShapeDtypeStruct(drive.shape, jnp.float32)
    call = jax.ffi.ffi_call(_target("layer_forward"), (shape,) * 3)
    spikes, u, eta = call(drive, w_rec, alpha, rho, constants, *start)
    return spikes, u, eta


def backward(
    g_out: Array,
    slope: Array,
    course: tuple[Array, Array, Array],
    w_rec: Array,
    alpha: Array,
    rho: Array,
    constants: Array,
    start: tuple[Array, Array, Array],
) -> tuple[Array, Array, Array, Array]:
    """Gradients by drive, recurrent weights, alpha and rho.

    Args:
        g_out: Gradient by the spikes, (time, trial, neuron).
        slope: Surrogate derivative of the spikes, of the same shape.
        course: What `forward` returned.
        w_rec: As for `forward`, as the following.
        alpha: Decay of the membrane.
        rho: Decay of the adaptation.
        constants: Threshold and strength of the adaptation.
        start: What `forward` was given.
    """
    _, n_trials, n = g_out.shape
    shapes = [g_out.shape, w_rec.shape, (n_trials, n), (n_trials, n)]
    call = jax.ffi.ffi_call(
        _target("layer_backward"), [jax.ShapeDtypeStruct(s, jnp.float32) for s in shapes]
    )
    own = (g_out, slope, *course, w_rec, alpha, rho, constants, *start)
    g_drive, g_rec, g_alpha, g_rho = call(*own)
    return g_drive, g_rec, g_alpha.sum(axis=0), g_rho.sum(axis=0)


def gated_forward(drive: Array, w_rec: Array, bias_rec: Array, start: Array) -> tuple[Array, Array]:
    """Activity (time, trial, unit) of `model.gated`, and what its gradient needs.

    The second is (time, trial, 4 unit): reset and update gate, fresh value, and h w_rec + bias_rec
    of the candidate. `start` is the activity before the first step, (trial, unit).
    """
    *lead, wide = drive.shape
    shapes = [jax.ShapeDtypeStruct((*lead, k * wide // 3), jnp.float32) for k in (1, 4)]
    h, gates = jax.ffi.ffi_call(_target("gated_layer_forward"), shapes)(
        drive, w_rec, bias_rec, start
    )
    return h, gates


def gated_backward(
    g_out: Array, h: Array, gates: Array, w_rec: Array, start: Array
) -> tuple[Array, ...]:
    """Gradients by drive, recurrent weights and their bias; `g_out` is that by the activity."""
    *lead, n = g_out.shape
    shapes = [jax.ShapeDtypeStruct(s, jnp.float32) for s in ((*lead, 3 * n), (n, 3 * n), (3 * n,))]
    call = jax.ffi.ffi_call(_target("gated_layer_backward"), shapes)
    return tuple(call(g_out, h, gates, w_rec, start))


def plain_forward(drive: Array, w_rec: Array) -> Array:
    """Activity of `model.plain`, (time, trial, unit)."""
    shape = jax.ShapeDtypeStruct(drive.shape, jnp.float32)
    return jax.ffi.ffi_call(_target("plain_layer_forward"), shape)(drive, w_rec)


def plain_backward(g_out: Array, h: Array, w_rec: Array) -> tuple[Array, ...]:
    """Gradients by drive and recurrent weights."""
    shapes = [jax.ShapeDtypeStruct(x.shape, jnp.float32) for x in (g_out, w_rec)]
    return tuple(jax.ffi.ffi_call(_target("plain_layer_backward"), shapes)(g_out, h, w_rec))


@functools.cache
def registered() -> bool:
    """Whether JAX runs on the CPU; there the compiled functions are made known to it."""
    if jax.default_backend() != "cpu":
        return False
    header = Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h"
    texts = (source.read_text(encoding="utf-8") for source in SOURCES)
    text = "\n".join([f'#include "{header}"\n', *texts])
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
