"""A ReLU network of the same layers, trained by backpropagation (README, section 10)."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.neftci.mnist_poisson import convolutions, model
from whyspiking.talks.neftci.mnist_poisson.convolutions import Response
from whyspiking.talks.neftci.mnist_poisson.local_learning import smooth_loss, update


def draw_network(params: ct.Params, streams: Streams) -> dict[str, NDArray]:
    """Draw a network before training: `w<k>`, `b<k>`, `v` and `c` of `model.Arrays`.

    Randomness: "init".
    """
    rng, arrays = streams.rng("init"), {}
    for k, shape in enumerate(model.shapes(params), start=1):
        bound = 1 / np.sqrt(shape.size**2 * shape.channels)
        arrays[f"w{k}"] = rng.uniform(-bound, bound, shape.weights)
        arrays[f"b{k}"] = rng.uniform(-bound, bound, shape.outputs)
    arrays |= model.draw_readout(model.shapes(params)[-1].n_outputs, params.n_classes, rng)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


class Forward:
    """Activities of the network for several images.

    Attributes:
        shapes: Sizes of all layers.
        inputs: Padded inputs of all layers, (image, row, column, channel).
        responses: Of all layers.
        readout: Output, (image, class).
    """

    def __init__(self, params: ct.Params, n_images: int, kind: DTypeLike = np.float32) -> None:
        """Reserve memory for a number of images."""
        self.shapes = model.shapes(params)
        self.inputs = [convolutions.empty_input(shape, n_images, kind) for shape in self.shapes]
        self.responses = [Response.empty(shape, n_images, kind) for shape in self.shapes]
        self.readout = np.zeros((n_images, params.n_classes), kind)

    def respond(self, arrays: model.Arrays, images: NDArray) -> None:
        """Compute all activities for images of brightness 0 to 1, (image, row, column)."""
        values = images[..., None]
        for k, (shape, padded, response) in enumerate(
            zip(self.shapes, self.inputs, self.responses, strict=True), start=1
        ):
            convolutions.fill_input(shape, padded, values)
            convolutions.respond(shape, padded, arrays[f"w{k}"], arrays[f"b{k}"], response)
            values = np.maximum(response.maxima, 0, out=response.maxima)
        self.readout = values.reshape(len(values), -1) @ arrays["v"] + arrays["c"]

    def gradients(self, arrays: model.Arrays, error: NDArray) -> dict[str, NDArray]:
        """Backpropagate the gradient of the readout, (image, class), to all arrays."""
        last_maxima = self.responses[-1].maxima
        slopes = {"v": last_maxima.reshape(len(last_maxima), -1).T @ error, "c": error.sum(axis=0)}
        values = (error @ arrays["v"].T).reshape(last_maxima.shape)
        for k in range(len(self.shapes), 0, -1):
            shape, response = self.shapes[k - 1], self.responses[k - 1]
            delta = values * (response.maxima > 0)
            padded, i_maxima = self.inputs[k - 1], response.places
            slopes[f"w{k}"] = convolutions.sum_gradient(shape, padded, delta, i_maxima)
            slopes[f"b{k}"] = delta.sum(axis=(0, 1, 2))
            if k > 1:
                values = convolutions.send_back(shape, delta, i_maxima, arrays[f"w{k}"])
        return slopes


def learn(
    params: ct.Params,
    arrays: dict[str, NDArray],
    memory: dict[str, NDArray],
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
) -> dict[str, float]:
    """Learn one mini-batch with `n_steps` updates, and return the loss of the last one.

    Args:
        params: Rate, norm, number of updates.
        arrays: The network; changed.
        memory: Norm of every array (Eq. 8); changed.
        images: Brightness 0 to 1, (image, row, column).
        labels: Classes, (image,).
    """
    targets = np.eye(params.n_classes, dtype=np.float32)[labels]
    forward, loss = Forward(params, len(labels)), np.nan
    for _ in range(params.n_steps):
        forward.respond(arrays, images)
        error = forward.readout - targets
        loss = smooth_loss(error)
        slopes = forward.gradients(arrays, np.clip(error, -1, 1) / np.float32(error.size))
        for name, slope in slopes.items():
            rate, decay = params.rate_end_to_end, params.norm_end_to_end
            update(arrays[name], slope, memory[f"norm_{name}"], rate, decay)
    return {"loss": loss}


def choose(params: ct.Params, arrays: model.Arrays, images: NDArray) -> NDArray[np.int64]:
    """Return the class with the largest output for images of brightness 0 to 1, (image,)."""
    forward = Forward(params, len(images))
    forward.respond(arrays, images)
    return forward.readout.argmax(axis=1)
