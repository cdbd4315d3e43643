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
        acs: Accumulate operations: arrivals of spikes, each at one weight.
        macs: Multiply-accumulate operations: arrivals of graded messages, each at one weight.
        updates_event_driven: Pairs of a unit and a step in which a message reaches it or it
        sends one;
            for units whose state changes in every step, such as GRUs, all pairs.
        updates_clock_driven: Units times steps.
        multiplications_event_driven: Multiplications of these updates, and as many additions.
        multiplications_clock_driven: The same for clock-driven updates.
        binary_messages: Spikes, including those of inputs.
        graded_messages: Messages that are numbers, including those of inputs.
        buffered_values: Numbers that wait in a buffer because the network receives the whole
        trial as one vector.
    """

    acs: Amount
    macs: Amount
    updates_event_driven: Amount
    updates_clock_driven: Amount
    multiplications_event_driven: Amount
    multiplications_clock_driven: Amount
    binary_messages: Amount
    graded_messages: Amount
    buffered_values: Amount = 0.0

    def means(self) -> dict[str, float]:
        """Mean of each over trials, by name."""
        return {name: float(np.mean(values)) for name, values in asdict(self).items()}
