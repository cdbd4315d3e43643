"""The digits, and how the memory of a training step grows with the length of a trial."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Parents, Progress
from whyspiking.talks.neftci import model, rules
from whyspiking.talks.neftci.digits import (
    bind,
    decode,
    evaluate,
    make_task,
    reference_counts,
    to_brian,
)
from whyspiking.talks.neftci.network import Constants
from whyspiking.talks.neftci.rules import PUBLISHED, Moving, Optimiser, Rule

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train"]

RULES = {"local": rules.learn_online, "end_to_end": rules.learn_backwards}


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """The network of another experiment, with the memory that its training would need."""
    (parent,) = parents.values()
    taken, found = parent.again(), curves(params)
    taken.info["measures"] = slopes(params, found)
    taken.history = [
        {"epoch": n, "metric": f"memory_{rule}", "value": float(size)}
        for rule, sizes in found.items()
        for n, size in zip(params.memory_frames, sizes, strict=True)
    ]
    return taken


def bytes_needed(params: Params, rule: str, n_frames: int) -> int:
    """Temporary buffers of the compiled training step, in bytes.

    Input, weights, norms and updated weights are arguments and results, and do not count. Both
    rules use the published optimiser.

    Args:
        params: Sizes of the network and of a batch.
        rule: One of `RULES`.
        n_frames: Steps per trial.
    """
    sizes = model.sizes(params)

    def shaped(*shape: int) -> Any:
        return jax.ShapeDtypeStruct(shape, jnp.float32)

    w = [shaped(a, b) for a, b in itertools.pairwise(sizes)]
    b = [shaped(n) for n in sizes[1:]]
    g = [shaped(n, params.n_classes) for n in sizes[1:]]
    c = Constants(*model.decays(params), burn_in=1, slope=float(params.surrogate_slope))
    frames = shaped(n_frames, params.batch_online, sizes[0])
    count: Any = jax.ShapeDtypeStruct((), jnp.int32)
    target = shaped(params.batch_online, params.n_classes)
    step: Any = RULES[rule]
    how = Rule(1.0, 0.0, 0.0), Optimiser(*PUBLISHED)
    now = Moving(w, b, (), (w, b), count, b)
    compiled: Any = step.lower(now, g, frames, target, shaped(), c, *how).compile()
    return int(compiled.memory_analysis().temp_size_in_bytes)


def curves(params: Params) -> dict[str, list[int]]:
    """Bytes of both rules at every length in `memory_frames`."""
    return {rule: [bytes_needed(params, rule, n) for n in params.memory_frames] for rule in RULES}


def slopes(params: Params, found: dict[str, list[int]]) -> dict[str, float]:
    """Growth of memory per time step and its ratio, local over end to end; least squares.

    Args:
        params: `memory_frames`.
        found: From `curves`.
    """
    slope = {
        rule: float(np.polyfit(params.memory_frames, values, 1)[0])
        for rule, values in found.items()
    }
    return {
        "memory_slope_local": slope["local"],
        "memory_slope_end_to_end": slope["end_to_end"],
        "memory_slope_ratio": slope["local"] / slope["end_to_end"],
    }
