"""History of a training, order of its samples, and its end where a number is not finite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, SupportsFloat

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from whyspiking.errors import UserError

BROKEN, LOSS = "not finite: ", "loss"
"""Prefix of the names under which a step reports non-finite arrays, and the name of the loss."""


@dataclass
class History:
    """Rows of `Network.history`: one per (epoch, metric)."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def note(self, epoch: float, **values: SupportsFloat) -> None:
        """Add the metrics of one epoch."""
        self.rows += [{"epoch": epoch, "metric": k, "value": float(v)} for k, v in values.items()]

    def values(self, metric: str) -> list[float]:
        """A metric over all epochs."""
        return [row["value"] for row in self.rows if row["metric"] == metric]

    def mean(self, metric: str) -> float:
        """Mean of a metric over all epochs."""
        return float(np.mean(self.values(metric)))

    def info(self, engine: str) -> dict[str, Any]:
        """For `Network.info`: the engine, how many epochs it took and their mean length in s."""
        seconds = self.values("epoch_seconds")
        return {"engine": engine, "epochs": len(seconds), "epoch_seconds": float(np.mean(seconds))}


def batches(n_samples: int, batch: int, shuffle: Generator) -> NDArray[np.int64]:
    """Samples of one epoch in random order, (step, batch); an incomplete last batch is left out."""
    n_steps = n_samples // batch
    return shuffle.permutation(n_samples)[: n_steps * batch].reshape(n_steps, batch)


class NotFiniteError(UserError):
    """A training came to a loss or a gradient that is not finite."""


def require_finite(arrays: Mapping[str, Any], moment: str, rate: float) -> None:
    """End a training one of whose numbers is not finite.

    Args:
        arrays: What it is, for the message ("the gradient of w") -> the array.
        moment: At which step, for the message.
        rate: Learning rate, for the message.

    Raises:
        NotFiniteError: If there is such a number; names its arrays.
    """
    names = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if names:
        raise NotFiniteError(
            f"training: these arrays are not finite {moment}: {', '.join(names)} (learning rate "
            f"{rate:g}); expected finite numbers. Lower the learning rate"
        )


def stacked(steps: Sequence[Mapping[str, Any]]) -> dict[str, NDArray]:
    """Stack the values of all steps of an epoch for `refuse_broken`: name -> (step,)."""
    return {name: np.stack([step_values[name] for step_values in steps]) for name in steps[0]}


def refuse_broken(broken: Mapping[str, Any], epoch: int, rate: float) -> None:
    """End a training whose loss or gradient was not finite at a step.

    Args:
        broken: `BROKEN` + name of an array, or of the loss -> whether it was not finite, (step,).
        epoch: Number of the epoch, for the message.
        rate: Learning rate, for the message.

    Raises:
        NotFiniteError: If there is such a step; names the first one and its arrays.
    """
    steps_by_name = {name.removeprefix(BROKEN): np.asarray(steps) for name, steps in broken.items()}
    first_steps = {
        name: int(steps.argmax()) for name, steps in steps_by_name.items() if steps.any()
    }
    if not first_steps:
        return
    step = min(first_steps.values())
    names = sorted(
        name for name, first_step in first_steps.items() if first_step == step and name != LOSS
    )
    description = f"the gradient of {', '.join(names)}" if names else "the loss"
    raise NotFiniteError(
        f"training: {description} is not finite at epoch {epoch}, step {step + 1} (learning rate "
        f"{rate:g}); expected finite numbers. Lower the learning rate"
    )
