"""What the work of a network is, counted alike for all of them, with spikes or without."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Amount = float | NDArray[Any]
"""Mean over trials, of one network, or of several, (network,); or of every trial, (trial,)."""


@dataclass(frozen=True)
class Counts:
    """Operations of a trial, as means or trial by trial.

    Attributes:
        additions: Arrivals of one-bit messages, each at one weight.
        multiply_adds: Arrivals of numbers.
        updates_events: Pairs of a unit and a step in which a message reaches it, or it sends one;
            of units whose state moves by itself, as a gated unit's, all.
        updates_clocked: Units times steps.
        multiplications_events: Multiplications of these updates, and as many additions.
        multiplications_clocked: The same, clocked.
        binary: Messages of one bit, those of inputs included.
        graded: Messages that are numbers, those of inputs included.
        buffered: Numbers that wait in a buffer, since the network is told a trial at once.
    """

    additions: Amount
    multiply_adds: Amount
    updates_events: Amount
    updates_clocked: Amount
    multiplications_events: Amount
    multiplications_clocked: Amount
    binary: Amount
    graded: Amount
    buffered: Amount = 0.0

    def means(self) -> dict[str, float]:
        """Mean of each over trials, by name."""
        return {name: float(np.mean(values)) for name, values in asdict(self).items()}
