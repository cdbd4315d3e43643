"""Convolutional layers of leaky neurons, each with a fixed readout (README, section 10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.neftci.mnist_poisson import convolutions
from whyspiking.talks.neftci.mnist_poisson.convolutions import Response, Shape, Traces

type Arrays = Mapping[str, NDArray]
"""Arrays of a network. Of layer k = 1, 2, 3: weights `w<k>` (row, column, channel, output), biases
`b<k>` (output,), fixed readouts `g<k>` (maximum, class) with offsets `d<k>` (class,), and time
constants `tau_m<k>` and `tau_s<k>` of input channels in steps (channel,). Of the trained readout:
`v` (maximum, class) and `c` (class,)."""


def shapes(params: ct.Params) -> list[Shape]:
    """Return the sizes of all layers, the lowest first."""
    layer_shapes: list[Shape] = []
    side, channels = params.side, 1
    for outputs, pool in zip(params.channels, params.pools, strict=True):
        layer_shapes.append(Shape(side, channels, outputs, pool, params.kernel, params.padding))
        side, channels = layer_shapes[-1].pooled, outputs
    return layer_shapes


def populations(params: ct.Params) -> list[str]:
    """Return the names of the populations of maxima."""
    return [f"layer{k}" for k in range(1, len(params.channels) + 1)]


def draw_network(params: ct.Params, streams: Streams) -> dict[str, NDArray]:
    """Draw a network before training; see `Arrays`. Randomness: "init".

    All numbers are uniformly distributed. Time constants are drawn for every channel of the input
    of a layer.
    """
    rng, arrays = streams.rng("init"), {}
    for k, shape in enumerate(shapes(params), start=1):
        bound = 1 / np.sqrt(shape.size**2 * shape.channels)
        readout = params.amplitude / np.sqrt(shape.n_outputs)
        tau_m, tau_s = (
            rng.uniform(low, high, shape.channels) for low, high in (params.taus_m, params.taus_s)
        )
        arrays |= {
            f"w{k}": rng.uniform(-1, 1, shape.weights) * bound * params.weight_scale,
            f"b{k}": rng.uniform(-1, 1, shape.outputs) * bound * params.bias_scale,
            f"g{k}": rng.uniform(-1, 1, (shape.n_outputs, params.n_classes)) * readout,
            f"d{k}": rng.uniform(-1, 1, params.n_classes) * readout,
            f"tau_m{k}": tau_m / params.dt_ms,
            f"tau_s{k}": tau_s / params.dt_ms,
        }
    arrays |= draw_readout(shapes(params)[-1].n_outputs, params.n_classes, rng)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def draw_readout(n: int, n_classes: int, rng: np.random.Generator) -> dict[str, NDArray]:
    """Draw a trained readout of n numbers before training; see `Arrays`."""
    bound = 1 / np.sqrt(n)
    return {
        "v": rng.uniform(-bound, bound, (n, n_classes)),
        "c": rng.uniform(-bound, bound, n_classes),
    }


class Layers:
    """The layers while several images are presented.

    Attributes:
        shapes: Sizes of all layers.
        traces: Traces of the inputs of all layers.
    """

    def __init__(self, params: ct.Params, arrays: Arrays, n_images: int) -> None:
        """Start at rest; the arrays may change in place from step to step."""
        self.shapes = shapes(params)
        self.traces = [
            Traces.at_rest(shape, n_images, arrays[f"tau_m{k}"], arrays[f"tau_s{k}"])
            for k, shape in enumerate(self.shapes, start=1)
        ]
        kind = arrays["w1"].dtype
        self._responses = [Response.empty(shape, n_images, kind) for shape in self.shapes]
        self._arrays = arrays

    def advance(self, spikes: NDArray) -> Iterator[tuple[int, Response]]:
        """Take one step (Eqs. 9 to 11), layer by layer.

        Args:
            spikes: Input spikes, (image, row, column).

        Yields:
            Number of the layer, from 1, and its response, which the next step overwrites.
        """
        inputs = spikes[..., None].astype(self.traces[0].q.dtype)
        for k, (shape, traces, response) in enumerate(
            zip(self.shapes, self.traces, self._responses, strict=True), start=1
        ):
            w, b = self._arrays[f"w{k}"], self._arrays[f"b{k}"]
            convolutions.respond(shape, traces, w, b, response, inputs)
            inputs = response.maxima
            yield k, response


def deciding_readout(arrays: Arrays, k: int) -> tuple[NDArray, NDArray]:
    """Return the readout that decides and its offset: fixed, and in the last layer trained."""
    if f"w{k + 1}" in arrays:
        return arrays[f"g{k}"], arrays[f"d{k}"]
    return arrays["v"], arrays["c"]


def read(arrays: Arrays, k: int, activity: NDArray) -> NDArray:
    """Return the readout of layer k that decides (Eq. 12), (image, class).

    Args:
        arrays: The network.
        k: Number of the layer, from 1.
        activity: Of the response, (image, row, column, output).
    """
    readout, offset = deciding_readout(arrays, k)
    return activity.reshape(len(activity), -1) @ readout + offset


def present(
    params: ct.Params, arrays: Arrays, steps: Iterable[NDArray], n_images: int
) -> Iterator[list[tuple[Response, NDArray]]]:
    """Present images to a network that no longer learns.

    Args:
        params: Sizes.
        arrays: The network.
        steps: Input spikes of every step, (image, row, column).
        n_images: Number of images.

    Yields:
        For every step and layer: response, which the next step overwrites; readout (image, class).
    """
    layers = Layers(params, arrays, n_images)
    for spikes in steps:
        responses = layers.advance(spikes)
        yield [(response, read(arrays, k, response.activity)) for k, response in responses]


def first_step(params: ct.Params) -> int:
    """Return the first step in which the network learns and votes."""
    return round(params.burn_in_ms / params.dt_ms)


def count_votes(
    params: ct.Params, arrays: Arrays, steps: Iterable[NDArray], n_images: int
) -> NDArray[np.int64]:
    """Count for each layer the steps in which a class has the largest readout.

    Args:
        params: Sizes and burn-in.
        arrays: The network.
        steps: Input spikes of every step, (image, row, column).
        n_images: Number of images.

    Returns:
        (layer, image, class).
    """
    votes = np.zeros((len(params.channels), n_images, params.n_classes), np.int64)
    for step, layers in enumerate(present(params, arrays, steps, n_images)):
        if step >= first_step(params):
            for vote, (_, readout) in zip(votes, layers, strict=True):
                add_votes(vote, readout)
    return votes


def add_votes(votes: NDArray[np.int64], readout: NDArray) -> None:
    """Add one vote per image to (image, class): the class with the largest readout."""
    votes[np.arange(len(votes)), readout.argmax(axis=1)] += 1
