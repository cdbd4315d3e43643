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


def forward(
    drive: Array,
    w_rec: Array,
    alpha: Array,
    rho: Array,
    constants: Array,
    start: tuple[Array, Array, Array],
) -> tuple[Array, ...]:
    """Spikes, membrane and adaptation of a layer, each (time, trial, neuron).

    Args:
        drive: W x + bias, (time, trial, neuron).
        w_rec: Recurrent weights, (pre, post).
        alpha: Decay of the membrane per step, (neuron,).
        rho: Decay of the adaptation per step, (neuron,).
        constants: Threshold at rest and strength of the adaptation, (2,).
        start: Membrane, adaptation and spikes before the first step, each (trial, neuron).
    """
    shapes = [drive.shape] * 3
    return _call("layer_forward", shapes, drive, w_rec, alpha, rho, constants, *start)


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
    """Gradients by drive, recurrent weights and both decays (README, Eqs. 17 to 19).

    Args:
        g_out: Gradient by the spikes, (time, trial, neuron).
        slope: Surrogate derivative of the spikes, (time, trial, neuron).
        course: Spikes, membrane and adaptation, as from `forward`.
        w_rec: As for `forward`, as are the following.
        alpha: Decay of the membrane.
        rho: Decay of the adaptation.
        constants: Threshold and strength of the adaptation.
        start: State before the first step.
    """
    per_trial = g_out.shape[1:]
    g_drive, g_rec, g_alpha, g_rho = _call(
        "layer_backward", [g_out.shape, w_rec.shape, per_trial, per_trial],
        g_out, slope, *course, w_rec, alpha, rho, constants, *start,
    )  # fmt: skip
    return g_drive, g_rec, g_alpha.sum(axis=0), g_rho.sum(axis=0)


def gated_forward(drive: Array, w_rec: Array, bias_rec: Array, start: Array) -> tuple[Array, ...]:
    """Activity (time, trial, unit) of `control_units.gated`, and what its gradient needs.

    The second is (time, trial, 4 unit): reset and update gate, fresh value, and h w_rec + bias_rec
    of the candidate. `start` is the activity before the first step, (trial, unit).
    """
    *lead, wide = drive.shape
    shapes = [(*lead, k * wide // 3) for k in (1, 4)]
    return _call("gated_layer_forward", shapes, drive, w_rec, bias_rec, start)


def gated_backward(
    g_out: Array, h: Array, gates: Array, w_rec: Array, start: Array
) -> tuple[Array, ...]:
    """Gradients by drive, recurrent weights and their bias; `g_out` is that by the activity."""
    *lead, n = g_out.shape
    shapes = [(*lead, 3 * n), (n, 3 * n), (3 * n,)]
    return _call("gated_layer_backward", shapes, g_out, h, gates, w_rec, start)


def tanh_forward(drive: Array, w_rec: Array) -> Array:
    """Activity of `control_units.tanh_units`, (time, trial, unit)."""
    return _call("plain_layer_forward", [drive.shape], drive, w_rec)[0]


def tanh_backward(g_out: Array, h: Array, w_rec: Array) -> tuple[Array, ...]:
    """Gradients by drive and recurrent weights."""
    return _call("plain_layer_backward", [g_out.shape, w_rec.shape], g_out, h, w_rec)


def _call(name: str, shapes: Sequence[tuple[int, ...]], *given: Array) -> tuple[Array, ...]:
    """Results of these shapes of a compiled function."""
    results = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    return tuple(jax.ffi.ffi_call(_target(name), results)(*given))


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
