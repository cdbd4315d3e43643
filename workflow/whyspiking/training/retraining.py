"""The first part of a recorded training, done again and compared with its learning curve.

A complete training of the published length may take too long for a default run. There the first
part of it is enough to see whether the code still learns as it did, and the recorded network is
evaluated in place of the one that the complete training would give.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from whyspiking.contract.types import Network
from whyspiking.errors import UserError
from whyspiking.training import checkpoint

DURATION_KEYS = ("train_seconds", "train_cpu_seconds")
"""Facts about the complete training, which does not take place."""


def repeat_first_part(
    train: Callable[[], Network], fraction: float, recorded: Network, name: str
) -> Network:
    """Train the first part again, and return the recorded network.

    Args:
        train: The training; within `checkpoint.first_part` it ends early.
        fraction: Of the training that is done again.
        recorded: The network of the complete training, with its history.
        name: Of the experiment, for the message.

    Returns:
        The recorded network. What was measured while it was trained is left out, because this run
        has not measured it; `info["measures"]` says how the learning curves compare.

    Raises:
        UserError: If the first part is too short to have a number of the learning curve.
    """
    with checkpoint.first_part(fraction):
        short_run = train()
    n_numbers, difference = compare_curves(short_run.history, recorded.history)
    if not n_numbers:
        raise UserError(
            f"{name}: the first {100 * fraction:g} % of the training has no number of the learning "
            "curve; expected at least one. Raise default_run.trained_fraction in talk.yaml"
        )
    network = recorded.again()
    for key in DURATION_KEYS:
        network.info.pop(key, None)
    network.info["measures"] = {
        "trained_fraction": fraction,
        "curve_numbers": n_numbers,
        "curve_difference": difference,
    }
    network.history = recorded.history
    return network


def compare_curves(
    repeated: Iterable[Mapping[str, Any]], recorded: Iterable[Mapping[str, Any]]
) -> tuple[int, float]:
    """Compare every number of a learning curve, except durations, with the recorded curve.

    Args:
        repeated: Rows of `Network.history` of the first part.
        recorded: Those of the complete training.

    Returns:
        How many numbers were compared, and their largest difference relative to the larger of two
        numbers; 1 if the recorded curve lacks one of them.
    """
    recorded_values = {(row["epoch"], row["metric"]): row["value"] for row in recorded}
    differences = [
        _relative_difference(row["value"], recorded_values.get((row["epoch"], row["metric"])))
        for row in repeated
        if not row["metric"].endswith("seconds")
    ]
    return len(differences), max(differences, default=0.0)


def _relative_difference(value: float, recorded: float | None) -> float:
    if recorded is None or math.isnan(value) != math.isnan(recorded):
        return 1.0
    if value == recorded or math.isnan(value):
        return 0.0
    return abs(value - recorded) / max(abs(value), abs(recorded))
