"""Spikes, weights and constants of S4NN, as its engines take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.errors import UserError

Weights = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Into the hidden layer and into the outputs, each (presynaptic neuron, neuron)."""


@dataclass(frozen=True)
class Events:
    """Input spikes of several images, sorted by image, tick and pixel.

    Attributes:
        start: Where the spikes of each image begin, and their total number; (image + 1,), int64.
        pixel: (spike,), uint16.
        tick: (spike,), uint16.
        n_pixels: Number of input channels, silent ones included.
    """

    start: NDArray[np.int64]
    pixel: NDArray[np.uint16]
    tick: NDArray[np.uint16]
    n_pixels: int

    def __len__(self) -> int:
        return self.start.size - 1


@dataclass(frozen=True)
class Neurons:
    """Constants of the neurons: threshold, and Tmax, the length of a trial in ticks."""

    theta: float
    t_max: int


WATCH_EVERY = 500
"""Images after which weights are looked at: numbers, or no longer?"""


class Diverged(Exception):
    """Some weight is no finite number any more.

    Attributes:
        image: How many images of the epoch had been learned when it was seen.
    """

    def __init__(self, image: int) -> None:
        self.image = image
        super().__init__(f"The weights are NaN after image {image} of the epoch.")


@dataclass(frozen=True)
class Rule:
    """Constants of the learning rule.

    Attributes:
        gamma: Margin in ticks by which other outputs should fire later than the first.
        learning_rate: Step of both layers.
        decay: L2 factor; weights lose the share `learning_rate * decay` with every image.
        whole: Whether an image is presented to its end, so that late hidden spikes count as fired;
            if not, it is left when no later spike can change its error. Weights are the same.
        frozen: So many layers, from the first on, keep their weights: no step, no decay.
    """

    gamma: int
    learning_rate: float
    decay: float
    whole: bool = False
    frozen: int = 0


@dataclass(frozen=True)
class Averaged:
    """Running mean of the weights: every `every` images it moves by `rate` towards them."""

    weights: Weights
    rate: float
    every: int


@dataclass(frozen=True)
class Firing:
    """First spikes of both layers in ticks; Tmax where a neuron stays silent.

    Attributes:
        hidden: (image, hidden), int32.
        output: (image, class), int32.
        potential: Potential of each output when it crossed the threshold, or where it stayed
            silent at tick Tmax - 3, as in the published code; (image, class).
    """

    hidden: NDArray[np.int32]
    output: NDArray[np.int32]
    potential: NDArray


def order_spikes(ticks: NDArray, t_max: int) -> Events:
    """Sort input spikes by image, tick and pixel.

    Args:
        ticks: (image, pixel), whole ticks; Tmax and later: no spike.
        t_max: Length of a trial in ticks.
    """
    fires = ticks < t_max
    image, pixel = np.nonzero(fires)
    tick = ticks[image, pixel]
    # Pixels are in order already, and a stable sort leaves them so.
    order = np.argsort(image * t_max + tick, kind="stable")
    return Events(
        np.concatenate([[0], np.cumsum(fires.sum(axis=1))]),
        pixel[order].astype(np.uint16),
        tick[order].astype(np.uint16),
        ticks.shape[1],
    )


def check_fit(events: Events, weights: Weights) -> None:
    """Refuse weights that do not fit the spikes or each other.

    Raises:
        UserError: If they do not.
    """
    hidden, output = weights
    if (len(hidden), len(output)) != (events.n_pixels, hidden.shape[1]):
        shapes = " and ".join(" x ".join(map(str, np.shape(w))) for w in weights)
        raise UserError(
            f"S4NN: images have {events.n_pixels} pixels, but the weights have the shapes "
            f"{shapes}; expected two layers whose numbers of pixels, rows and columns agree"
        )
