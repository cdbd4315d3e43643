"""Samples of the shared task: the published points, each coordinate as the time of a spike.

The data set is that of `datasets/yinyang.py`, with which Göltz' talk is replicated. It is the same
for every seed.
"""

from __future__ import annotations

import functools

from numpy.typing import NDArray

from whyspiking.contract.types import ExperimentParameters, Split
from whyspiking.datasets import yinyang
from whyspiking.tasks.generators import Latencies
from whyspiking.tasks.parameters import SharedTaskParameters


def draw_latencies(params: ExperimentParameters, split: Split) -> Latencies:
    """The first `n_<split>` points of one split.

    Args:
        params: `n_<split>` and `window_ms`.
        split: "train", "validation" or "test".
    """
    features, classes = _draw_published(split)
    task = SharedTaskParameters.of(params)
    n_samples = task.n_trials(split)
    features, classes = features[:n_samples], classes[:n_samples]
    return Latencies(features * task.window_ms, features, classes)


@functools.lru_cache(maxsize=4)
def _draw_published(split: Split) -> tuple[NDArray, NDArray]:
    return yinyang.generate(*yinyang.PUBLISHED[split])
