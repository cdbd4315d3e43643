"""Decisions of reference networks and counts of their operations, trial by trial.

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

BATCH_TRIALS = 500
"""Trials that run in one call."""
GATED_OPERATIONS = 3
"""Multiplications of an update of a gated unit, and as many additions."""


def answer(
    recipe: Recipe,
    shape: Shape,
    arrays: Arrays,
    raster: NDArray,
    least_change: float | None = None,
) -> tuple[NDArray[np.int64], Counts]:
    """Run a trained network; decisions (trial,) and counts of operations.

    Args:
        recipe: What it is.
        shape: What the task fixes.
        arrays: Its numbers.
        raster: (trial, step, line) of 0 and 1.
        least_change: As in `units.run`.
    """
    run_network, parameters = _compile_network(alike(recipe), shape, least_change), dict(arrays)
    decisions, counts_by_batch = [], []
    for i_first_trial in range(0, len(raster), BATCH_TRIALS):
        batch_raster = np.asarray(raster[i_first_trial : i_first_trial + BATCH_TRIALS], bool)
        is_static = recipe.kind == "static"
        network_input = (
            units.first_steps(batch_raster)
            if is_static
            else batch_raster.swapaxes(0, 1).astype(np.float32)
        )
        logits, messages = (np.asarray(x) for x in run_network(parameters, network_input))
        decisions.append(logits.argmax(axis=1))
        counts_by_batch.append(
            _count_static_operations(recipe, shape, messages[0] > 0)
            if is_static
            else _count_operations(
                recipe, shape, batch_raster, messages.swapaxes(0, 1), least_change
            )
        )
    columns = {
        name: np.concatenate([batch_counts[name] for batch_counts in counts_by_batch])
        for name in counts_by_batch[0]
    }
    return np.concatenate(decisions), Counts(**columns)


def lower_quartile(
    recipe: Recipe,
    shape: Shape,
    draw: Draw,
    n_parts: int,
    seeds: Sequence[int],
    held_out: Callable[[int], tuple[NDArray, NDArray]],
) -> tuple[float, list[float]]:
    """Train the networks of a setting; lower quartile of their accuracies, and each accuracy.

    Settings are chosen by this quartile.

    Args:
        recipe: The setting.
        shape: As for `learning.train`, like the three that follow.
        draw: Training trials.
        n_parts: Parts of the training.
        seeds: One network each.
        held_out: Seed -> raster and classes of its validation trials.
    """
    networks, accuracies = learning.train(recipe, shape, draw, n_parts, seeds), []
    for (_, seed), network in networks.items():
        raster, classes = held_out(seed)
        decisions, _ = answer(recipe, shape, network.arrays, raster)
        accuracies.append(float((decisions == classes).mean()))
    return float(np.quantile(accuracies, 0.25)), accuracies


@functools.cache
def _compile_network(
    recipe: Recipe, shape: Shape, least_change: float | None
) -> Callable[..., Any]:
    return jax.jit(lambda arrays, trials: units.run(recipe, shape, arrays, trials, least_change))


def _count_static_operations(
    recipe: Recipe, shape: Shape, is_active: NDArray[np.bool_]
) -> dict[str, NDArray[np.int64]]:
    n_active, per_trial = is_active.sum(axis=1), np.ones(len(is_active), np.int64)
    n_updates = (recipe.n + shape.n_classes) * per_trial
    return {
        "acs": 0 * per_trial,
        "macs": shape.n_lines * recipe.n + n_active * shape.n_classes,
        **{
            f"{count}_{update_rule}": n_updates
            for count in UPDATE_COUNTS
            for update_rule in ("event_driven", "clock_driven")
        },
        "binary_messages": 0 * per_trial,
        "graded_messages": shape.n_lines + n_active,
        "buffered_values": shape.n_lines * per_trial,
    }


UPDATE_COUNTS = ("updates", "multiplications")


def _count_operations(
    recipe: Recipe,
    shape: Shape,
    raster: NDArray[np.bool_],
    unit_messages: NDArray,
    least_change: float | None,
) -> dict[str, NDArray[np.int64]]:
    """Count the operations of a network in time; arrays are (trial, step, ...)."""
    is_gated, is_always_graded = recipe.kind == "gru", recipe.kind in UNCEASING
    n_units, n_out, answer_start = recipe.n, shape.n_classes, shape.n_steps - shape.answer_steps
    n_targets, is_recurrent = (
        n_units * (GATED_OPERATIONS if is_gated else 1),
        is_gated or recipe.recurrent,
    )
    if not is_always_graded:
        is_sent = unit_messages > 0
    elif least_change is None:
        is_sent = np.ones_like(unit_messages, bool)
    else:
        is_sent = np.diff(unit_messages, axis=1, prepend=0) != 0
    to_readout = is_sent[:, answer_start:].copy()
    if (
        is_always_graded
    ):  # The readout holds the last messages, so each unit sends once at its start.
        to_readout[:, 0] = True
    n_messages = is_sent.sum(axis=(1, 2)) + (to_readout & ~is_sent[:, answer_start:]).sum(
        axis=(1, 2)
    )
    n_inputs = raster.sum(axis=(1, 2))
    input_operations = n_inputs * n_targets
    message_operations = to_readout.sum(axis=(1, 2)) * n_out
    if is_recurrent:
        message_operations += is_sent[:, :-1].sum(axis=(1, 2)) * n_targets
    is_reached = raster.any(axis=2)
    if is_recurrent:
        is_reached[:, 1:] |= is_sent[:, :-1].any(axis=2)
    per_trial = np.ones(len(is_sent), np.int64)
    unit_updates, readout_updates = (
        n_units * shape.n_steps * per_trial,
        n_out * shape.answer_steps * per_trial,
    )
    reached_unit_updates = (is_reached[:, :, None] | is_sent).sum(axis=(1, 2))
    reached_readout_updates = n_out * to_readout.any(axis=2).sum(axis=1)
    event_updates = (
        (unit_updates, readout_updates)
        if is_always_graded
        else (reached_unit_updates, reached_readout_updates)
    )
    operations_per_update = GATED_OPERATIONS if is_gated else 1
    is_binary = recipe.kind == "spiking"
    return {
        "acs": input_operations + is_binary * message_operations,
        "macs": (not is_binary) * message_operations,
        "updates_event_driven": event_updates[0] + event_updates[1],
        "updates_clock_driven": unit_updates + readout_updates,
        "multiplications_event_driven": operations_per_update * event_updates[0] + event_updates[1],
        "multiplications_clock_driven": operations_per_update * unit_updates + readout_updates,
        "binary_messages": n_inputs + is_binary * n_messages,
        "graded_messages": (not is_binary) * n_messages,
        "buffered_values": 0 * per_trial,
    }
