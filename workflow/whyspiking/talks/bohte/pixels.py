"""MNIST digits read pixel by pixel, in order or permuted (README, section 11)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Params, Parents, Progress, Split, Stimulus, Task
from whyspiking.datasets import mnist
from whyspiking.errors import UserError
from whyspiking.talks.bohte import training
from whyspiking.talks.bohte.spoken_digits import decode, evaluate
from whyspiking.talks.bohte.training import reference_counts
from whyspiking.talks.bohte.brian_network import bind, to_brian

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

PERMUTED = {"smnist": False, "psmnist": True}
"""Experiment -> whether the pixels come in one fixed random order."""
N_PIXELS = 784
INK = 0.1
"""Brightness from which on a pixel is a spike (published)."""


def frames(params: Params, split: Split) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The windows that the network sees, (trial, time, channel), and the digits, (trial,).

    At step t, of `n_steps`, channel c is pixel s (t + 1) - w + c, where s = 784 / `n_steps` and w =
    `n_input`: the last w pixels read, s of which are new. Before the first pixel there is no ink.

    Args:
        params: `n_steps`, `n_input`, `n_validation`, and the largest numbers of digits.
        split: "train", "validation" or "test".

    Raises:
        UserError: If `n_steps` does not divide the pixels, or MNIST is missing.
    """
    if N_PIXELS % params.n_steps:
        raise UserError(
            f"talk '{params.talk}': 'n_steps' of experiment '{params.experiment}' is "
            f"{params.n_steps}; it must divide {N_PIXELS}, the number of pixels (talk.yaml)"
        )
    whole = replace(params, values={**params.values, "n_input": N_PIXELS})
    images, labels = mnist.samples(whole, split, n_held_out=params.n_validation)
    ink = images >= INK * 255
    if PERMUTED[params.experiment]:
        ink = ink[:, Streams(0).rng("order of pixels").permutation(N_PIXELS)]
    width = params.n_input
    padded = np.pad(ink, ((0, 0), (width, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
    stride = N_PIXELS // params.n_steps
    return np.ascontiguousarray(windows[:, stride::stride][:, : params.n_steps]), labels


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant."""
    prepared = training.classes(
        params, variant, *(frames(params, s) for s in ("train", "validation"))
    )
    return training.train(params, variant, streams, progress, prepared)


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Digits of one split as spikes; "fresh" does not exist."""
    if split == "fresh":
        return None
    shown, labels = frames(params, split)
    return Task(
        stimulus=Stimulus(spikes={"input": Spikes.from_raster(shown, params.step_ms)}),
        targets=labels,
        n_classes=params.n_output,
        # All that a classifier without time can know.
        features=shown.sum(axis=1).astype(np.float32),
    )
