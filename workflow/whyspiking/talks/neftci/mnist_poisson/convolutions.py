"""Convolutional layers in C++ (`convolutions.cpp`): traces, potentials, maxima and gradients.

Channels are the last axis. Equation numbers are those of the talk's README.
"""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from whyspiking.compiler import libraries
from whyspiking.compiler.libraries import Array, of_precision

SOURCES = (Path(__file__).with_name("convolutions.cpp"),)
VECTOR_BYTES = 32
LANES = 8
"""Channels of an output are a multiple of this number."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a convolutional layer.

    Attributes:
        side: Rows and columns of the input.
        channels: Channels of the input.
        outputs: Channels of the output, a multiple of `LANES`.
        pool: Side of the squares of potentials whose maximum is taken.
        size: Rows and columns of a kernel.
        padding: Rows and columns of zeros on every side of the input.
    """

    side: int
    channels: int
    outputs: int
    pool: int
    size: int = 7
    padding: int = 2

    def __post_init__(self) -> None:
        if self.outputs % LANES:
            raise ValueError(f"outputs is {self.outputs}; expected a multiple of {LANES}")

    @property
    def padded(self) -> int:
        """Rows of the padded input."""
        return self.side + 2 * self.padding

    @property
    def pooled(self) -> int:
        """Rows of the output, after the maxima."""
        return (self.padded - self.size + 1) // self.pool

    @property
    def rows(self) -> int:
        """Rows of potentials; a last row that no maximum uses is left out."""
        return self.pooled * self.pool

    @property
    def n_outputs(self) -> int:
        """Number of maxima of an image."""
        return self.pooled**2 * self.outputs

    @property
    def weights(self) -> tuple[int, int, int, int]:
        """Shape of the weights: (row, column, channel, output)."""
        return self.size, self.size, self.channels, self.outputs

    def numbers(self, n_images: int) -> NDArray[np.int32]:
        """Sizes as the kernel reads them."""
        sizes = (self.side, self.padding, self.channels, self.size, self.outputs, self.pool)
        return np.array([n_images, *sizes], np.int32)


def empty_input(shape: Shape, n_images: int, kind: DTypeLike = np.float32) -> NDArray:
    """Make a padded input of zeros, (image, row, column, channel), with a vector behind its end."""
    sizes = (n_images, shape.padded, shape.padded, shape.channels)
    return _allocate_aligned(int(np.prod(sizes)) + VECTOR_BYTES, kind)[: np.prod(sizes)].reshape(
        sizes
    )


def fill_input(shape: Shape, padded: NDArray, values: NDArray) -> None:
    """Write values (image, row, column, channel) into a padded input."""
    edge = slice(shape.padding, shape.padding + shape.side)
    padded[:, edge, edge] = values


@dataclass(frozen=True)
class Traces:
    """Traces of the inputs of a layer (Eq. 9), which change in place.

    Attributes:
        p: Membrane traces, padded, (image, row, column, channel).
        q: Synaptic traces, (image, row, column, channel).
        coefficients: Decay and gain of P, then of Q, (4, column and channel).
    """

    p: NDArray
    q: NDArray
    coefficients: NDArray

    @classmethod
    def at_rest(cls, shape: Shape, n_images: int, tau_m: NDArray, tau_s: NDArray) -> Traces:
        """Make the traces before the first step.

        Args:
            shape: Of the layer.
            n_images: Number of images.
            tau_m: Time constants of P in steps, (channel,).
            tau_s: Time constants of Q in steps, (channel,).
        """
        kind = tau_m.dtype
        q = np.zeros((n_images, shape.side, shape.side, shape.channels), kind)
        by_channel = np.stack([1 - 1 / tau_m, tau_m, 1 - 1 / tau_s, tau_s])
        return cls(empty_input(shape, n_images, kind), q, np.tile(by_channel, shape.side))


@dataclass(frozen=True)
class Response:
    """Response of a layer, (image, pooled row, pooled column, output) each.

    Attributes:
        maxima: Largest potential of each square (Eqs. 10 and 11); above 0 it is a spike.
        places: Its place among all potentials of its channel.
        activity: Its sigmoid; without numbers for a layer without traces.
    """

    maxima: NDArray
    places: NDArray[np.int32]
    activity: NDArray

    @classmethod
    def empty(cls, shape: Shape, n_images: int, kind: DTypeLike = np.float32) -> Response:
        """Reserve memory, which every step fills again."""
        sizes = (n_images, shape.pooled, shape.pooled, shape.outputs)
        return cls(np.empty(sizes, kind), np.empty(sizes, np.int32), np.empty(sizes, kind))


def respond(
    shape: Shape, inputs: NDArray | Traces, w: NDArray, b: NDArray, response: Response,
    spikes: NDArray | None = None,
) -> None:  # fmt: skip
    """Compute the response of a layer.

    Args:
        shape: Of the layer.
        inputs: A padded input from `empty_input`, or traces, which then take one step.
        w: Weights, (row, column, channel, output).
        b: Biases, (output,).
        response: Changed.
        spikes: With traces: numbers above 0 are spikes, (image, row, column, channel).
    """
    coefficients = q = activity = None
    p = inputs
    if isinstance(inputs, Traces):
        p, q, coefficients, activity = inputs.p, inputs.q, inputs.coefficients, response.activity
    of_precision(_load_library(), "step", b.dtype)(
        shape.numbers(len(response.maxima)), spikes, coefficients, q, p, _align_array(w), b,
        response.maxima, response.places, activity,
    )  # fmt: skip


def sum_gradient(shape: Shape, padded: NDArray, delta: NDArray, i_maxima: NDArray) -> NDArray:
    """Sum the gradient of the weights over images, (row, column, channel, output).

    Args:
        shape: Of the layer.
        padded: Input, from `empty_input`.
        delta: Gradient of the maxima, (image, pooled row, pooled column, output).
        i_maxima: Places of the maxima, of the response.
    """
    stored_shape = _find_stored_shape(shape, padded.dtype)
    gradient = _allocate_aligned(int(np.prod(stored_shape)), padded.dtype).reshape(stored_shape)
    kernel = of_precision(_load_library(), "sum_gradient", padded.dtype)
    kernel(shape.numbers(len(padded)), padded, delta, i_maxima, gradient)
    used_gradient = gradient[:, :, : shape.size * shape.channels]
    sizes = (shape.outputs, *shape.weights[:3])
    return np.ascontiguousarray(used_gradient.reshape(sizes).transpose(1, 2, 3, 0))


def send_back(shape: Shape, delta: NDArray, i_maxima: NDArray, w: NDArray) -> NDArray:
    """Compute the gradient of the inputs, (image, row, column, channel).

    Args:
        shape: Of the layer.
        delta: Gradient of the maxima, (image, pooled row, pooled column, output).
        i_maxima: Places of the maxima, of the response.
        w: Weights, (row, column, channel, output).
    """
    stored_shape = _find_stored_shape(shape, delta.dtype)
    rows = _allocate_aligned(int(np.prod(stored_shape)), delta.dtype).reshape(stored_shape)
    sizes = (shape.outputs, shape.size, shape.size * shape.channels)
    rows[:, :, : sizes[2]] = w.transpose(3, 0, 1, 2).reshape(sizes)
    gradient = empty_input(shape, len(delta), delta.dtype)
    kernel = of_precision(_load_library(), "send_back", delta.dtype)
    kernel(shape.numbers(len(delta)), delta, i_maxima, rows, gradient)
    edge = slice(shape.padding, shape.padding + shape.side)
    return gradient[:, edge, edge]


def _find_stored_shape(shape: Shape, kind: DTypeLike) -> tuple[int, int, int]:
    """Shape of weights whose rows are whole vectors: (output, row, column and channel)."""
    lanes = VECTOR_BYTES // np.dtype(kind).itemsize
    row_length = -(-shape.size * shape.channels // lanes) * lanes
    return shape.outputs, shape.size, row_length


def _allocate_aligned(n: int, kind: DTypeLike) -> NDArray:
    """Zeros at the start of a cache line: vectors that cross one take twice as long to load."""
    kind = np.dtype(kind)
    raw = np.zeros(n * kind.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n * kind.itemsize].view(kind)


def _align_array(array: NDArray) -> NDArray:
    if array.ctypes.data % VECTOR_BYTES == 0 and array.flags.c_contiguous:
        return array
    copy = _allocate_aligned(array.size, array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


@functools.cache
def _load_library() -> ctypes.CDLL:
    library = libraries.load("convolutions", SOURCES)
    libraries.declare(library, "step", [Array] * 10)
    libraries.declare(library, "sum_gradient", [Array] * 5)
    libraries.declare(library, "send_back", [Array] * 5)
    return library
