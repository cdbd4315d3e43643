"""What the work of a network costs, by one formula for all of them, with spikes or without.

A message of one bit is an addition at each of its targets, a number a multiply-add, whoever sends
it; zeros are not sent. A unit's state is read and written once per update: in every step in which a
message reaches it (events), or in every step (clocked). Constants are those of the config's
`energy` block (Horowitz 2014), at the word lengths below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHT_BITS, STATE_BITS = 8, 16
"""Of a weight, which multiplies and adds at 8 bits, and of a unit's state (config: mem_near)."""
ADDRESS_BITS, VALUE_BITS = 32, 8
"""Of a message: where it is from; a number has its value as well."""
NEAR = "sram_8kb"
"""Where states, messages and what is told at once wait, wherever the weights are."""

type Amount = float | NDArray[Any]
"""Mean over trials, of one network, or of several, (network,); or of every trial, (trial,)."""


@dataclass(frozen=True)
class Messages:
    """What one group of inputs or units sends.

    Attributes:
        sent: Messages a trial.
        targets: Weights that each of them meets; of gates three a unit.
        graded: Whether it is a number and not one bit.
    """

    sent: Amount
    targets: float
    graded: bool = False


@dataclass(frozen=True)
class Units:
    """A group of units, readout units among them.

    Attributes:
        number: How many.
        steps: Of a trial, at the one step that all networks of a task are counted at.
        reached: Steps in which a message reaches a unit, mean over units; all of them where the
            state moves by itself and so has no form by events, as a gated unit's.
        multiplications: Of an update, and as many additions: leaky units 1, gated 3.
    """

    number: float
    steps: float
    reached: Amount
    multiplications: float = 1.0


@dataclass(frozen=True)
class Counts:
    """Operations of a trial, as means or trial by trial.

    Attributes:
        additions: Arrivals of one-bit messages, each at one weight.
        multiply_adds: Arrivals of numbers.
        updates_events: Pairs of a unit and a step in which a message reaches it.
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

    @classmethod
    def of(
        cls, messages: Iterable[Messages], units: Iterable[Units], buffered: Amount = 0.0
    ) -> Counts:
        """The counts of a network, from all that is sent in it and all units that it has."""
        bits, numbers = ([m for m in [*messages] if m.graded is graded] for graded in (False, True))
        units = [*units]
        return cls(
            additions=sum(m.sent * m.targets for m in bits),
            multiply_adds=sum(m.sent * m.targets for m in numbers),
            updates_events=sum(u.number * u.reached for u in units),
            updates_clocked=sum(u.number * u.steps for u in units),
            multiplications_events=sum(u.number * u.reached * u.multiplications for u in units),
            multiplications_clocked=sum(u.number * u.steps * u.multiplications for u in units),
            binary=sum(m.sent for m in bits),
            graded=sum(m.sent for m in numbers),
            buffered=buffered,
        )

    def means(self) -> dict[str, float]:
        """Mean of each over trials, by name."""
        return {name: float(np.mean(values)) for name, values in asdict(self).items()}


@dataclass(frozen=True)
class Account:
    """What is paid for.

    Attributes:
        memory: Where the weights are, a key of `memory_pj_64bit`; None: operations alone are paid.
        clocked: Whether a unit is updated in every step.
        leak: Whether the one multiply-add is paid that an update costs a leaky unit.
    """

    memory: str | None
    clocked: bool
    leak: bool = True


ACCOUNTS = {
    "updates_free": Account(None, clocked=False, leak=False),
    **{
        f"{name}_{'clocked' if clocked else 'events'}": Account(memory, clocked)
        for name, memory in (
            ("operations", None),
            ("8kb", NEAR),
            ("1mb", "sram_1mb"),
            ("dram", "dram"),
        )
        for clocked in (False, True)
    },
}
"""Every account by name; the details hold those that are not in `MAIN`."""
MAIN = ("operations_events", "operations_clocked", "8kb_events", "8kb_clocked")
"""The four that decide words."""


def energy(counts: Counts, account: Account, config: Mapping[str, Any]) -> Amount:
    """Energy of a trial in pJ.

    Args:
        counts: Its operations.
        account: What is paid for.
        config: The config's `energy` block: `operations_pj`, `memory_pj_64bit`.
    """
    operation, memory = config["operations_pj"], config["memory_pj_64bit"]

    def access(level: str | None, bits: float) -> float:
        return 0.0 if account.memory is None else float(memory[level]) * bits / 64

    add = float(operation["add_int8"])
    mac = add + float(operation["mult_int8"])
    weight = access(account.memory, WEIGHT_BITS)
    once = 2 * access(NEAR, 1)  # a bit written and read
    updates, operations = counts.updates_events, counts.multiplications_events
    if account.clocked:
        updates, operations = counts.updates_clocked, counts.multiplications_clocked
    arrivals = counts.additions * (add + weight) + counts.multiply_adds * (mac + weight)
    work = (operations if account.leak else operations - updates) * mac
    kept = (updates + counts.buffered) * once * STATE_BITS
    sent = counts.binary * ADDRESS_BITS + counts.graded * (ADDRESS_BITS + VALUE_BITS)
    return arrivals + work + kept + sent * once
