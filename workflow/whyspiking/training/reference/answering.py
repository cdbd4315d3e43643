"""What a reference network answers, and what it takes: whole numbers, trial by trial.

Units that never are silent, and their readout, are updated in every step by events as well. The
readout is told of messages in the answer only, since what came before would be erased. A message to
other units arrives in the step after, so that those of the last step reach the readout alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.counts import Counts
from whyspiking.training.reference import learning, units
from whyspiking.training.reference.learning import Draw, alike
from whyspiking.training.reference.units import UNCEASING, Arrays, Recipe, Shape

AT_ONCE = 500
"""Trials."""
GATED_OPERATIONS = 3
"""Multiplications of an update of a gated unit, and as many additions."""


def answer(
    recipe: Recipe,
    shape: Shape,
    arrays: Arrays,
    raster: NDArray,
    least_change: float | None = None,
) -> tuple[NDArray[np.int64], Counts]:
    """Decisions (trial,) and counts of a trained network.

    Args:
        recipe: What it is.
        shape: What the task fixes.
        arrays: Its numbers.
        raster: (trial, step, line) of 0 and 1.
        least_change: As in `units.run`.
    """
    run, numbers = _program(alike(recipe), shape, least_change), dict(arrays)
    choices, counted = [], []
    for first in range(0, len(raster), AT_ONCE):
        part = np.asarray(raster[first : first + AT_ONCE], bool)
        static = recipe.kind == "static"
        told = units.first_steps(part) if static else part.swapaxes(0, 1).astype(np.float32)
        logits, sent = (np.asarray(x) for x in run(numbers, told))
        choices.append(logits.argmax(axis=1))
        counted.append(
            _static(recipe, shape, sent[0] > 0)
            if static
            else _in_steps(recipe, shape, part, sent.swapaxes(0, 1), least_change)
        )
    columns = {name: np.concatenate([one[name] for one in counted]) for name in counted[0]}
    return np.concatenate(choices), Counts(**columns)


def lower_quartile(
    recipe: Recipe,
    shape: Shape,
    draw: Draw,
    n_parts: int,
    seeds: Sequence[int],
    held_out: Callable[[int], tuple[NDArray, NDArray]],
) -> tuple[float, list[float]]:
    """What a setting is chosen by: lower quartile of the accuracy of its networks, and each.

    Args:
        recipe: The setting.
        shape: As for `learning.train`, like the three that follow.
        draw: Training trials.
        n_parts: Parts of the training.
        seeds: One network each.
        held_out: Seed -> raster and classes of its validation trials.
    """
    trained, reached = learning.train(recipe, shape, draw, n_parts, seeds), []
    for (_, seed), network in trained.items():
        raster, classes = held_out(seed)
        choices, _ = answer(recipe, shape, network.arrays, raster)
        reached.append(float((choices == classes).mean()))
    return float(np.quantile(reached, 0.25)), reached


@functools.cache
def _program(recipe: Recipe, shape: Shape, least_change: float | None) -> Callable[..., Any]:
    return jax.jit(lambda arrays, told: units.run(recipe, shape, arrays, told, least_change))


def _static(recipe: Recipe, shape: Shape, on: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    active, every = on.sum(axis=1), np.ones(len(on), np.int64)
    updates = (recipe.n + shape.n_classes) * every
    return {
        "acs": 0 * every,
        "macs": shape.n_lines * recipe.n + active * shape.n_classes,
        **{
            f"{what}_{how}": updates for what in UPDATED for how in ("event_driven", "clock_driven")
        },
        "binary_messages": 0 * every,
        "graded_messages": shape.n_lines + active,
        "buffered_values": shape.n_lines * every,
    }


UPDATED = ("updates", "multiplications")


def _in_steps(
    recipe: Recipe,
    shape: Shape,
    raster: NDArray[np.bool_],
    sent: NDArray,
    least_change: float | None,
) -> dict[str, NDArray[np.int64]]:
    """Counts of a network that lives in time; `raster` and `sent` are (trial, step, ...)."""
    gated, unceasing = recipe.kind == "gru", recipe.kind in UNCEASING
    n, n_out, late = recipe.n, shape.n_classes, shape.n_steps - shape.answer_steps
    wide, hears = n * (GATED_OPERATIONS if gated else 1), gated or recipe.recurrent
    if not unceasing:
        on = sent > 0
    elif least_change is None:
        on = np.ones_like(sent, bool)
    else:
        on = np.diff(sent, axis=1, prepend=0) != 0
    to_readout = on[:, late:].copy()
    if unceasing:  # It holds what it was told last, so it is told of all once.
        to_readout[:, 0] = True
    messages = on.sum(axis=(1, 2)) + (to_readout & ~on[:, late:]).sum(axis=(1, 2))
    inputs = raster.sum(axis=(1, 2))
    by_inputs = inputs * wide
    by_units = to_readout.sum(axis=(1, 2)) * n_out
    if hears:
        by_units += on[:, :-1].sum(axis=(1, 2)) * wide
    reached = raster.any(axis=2)
    if hears:
        reached[:, 1:] |= on[:, :-1].any(axis=2)
    every = np.ones(len(on), np.int64)
    of_units, of_readout = n * shape.n_steps * every, n_out * shape.answer_steps * every
    reached_units = (reached[:, :, None] | on).sum(axis=(1, 2))
    reached_readout = n_out * to_readout.any(axis=2).sum(axis=1)
    events = (of_units, of_readout) if unceasing else (reached_units, reached_readout)
    each = GATED_OPERATIONS if gated else 1
    bits = recipe.kind == "spiking"
    return {
        "acs": by_inputs + bits * by_units,
        "macs": (not bits) * by_units,
        "updates_event_driven": events[0] + events[1],
        "updates_clock_driven": of_units + of_readout,
        "multiplications_event_driven": each * events[0] + events[1],
        "multiplications_clock_driven": each * of_units + of_readout,
        "binary_messages": inputs + bits * messages,
        "graded_messages": (not bits) * messages,
        "buffered_values": 0 * every,
    }
