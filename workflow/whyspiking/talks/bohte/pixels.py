"""MNIST digits read pixel by pixel (README, section 11)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import mnist
from whyspiking.talks.bohte import one_class, training
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.network import reference_counts
from whyspiking.talks.bohte.one_class import decode, evaluate

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train",
]  # fmt: skip

N_PIXELS = 784
INK = 0.1
"""Brightness from which on a pixel is a spike (published)."""


def frames(params: ct.Params, split: ct.Split) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The windows that the network sees, (trial, time, channel), and the digits, (trial,).

    At step t, of `n_steps`, channel c is pixel s (t + 1) - w + c, where s = 784 / `n_steps` and w =
    `n_input`: the last w pixels read, s of which are new. Before the first pixel there is no ink.

    Args:
        params: `n_steps`, a divisor of 784; `n_input`, `n_validation`, the numbers of digits.
        split: "train", "validation" or "test".

    Raises:
        UserError: If MNIST is missing.
    """
    whole = replace(params, values={**params.values, "n_input": N_PIXELS})
    images, labels = mnist.samples(whole, split, n_held_out=params.n_validation)
    ink = images >= INK * 255
    width = params.n_input
    padded = np.pad(ink, ((0, 0), (width, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
    stride = N_PIXELS // params.n_steps
    return np.ascontiguousarray(windows[:, stride::stride][:, : params.n_steps]), labels


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one variant."""
    return training.train_classes(
        params, variant, streams, progress, lambda split: frames(params, split)
    )


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Digits of one split as spikes; "fresh" does not exist."""
    return None if split == "fresh" else one_class.task_of(params, *frames(params, split))
