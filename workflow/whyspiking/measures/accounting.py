"""What the work of a network costs, by one formula for all of them, with spikes or without.

A message of one bit is an addition at each of its targets, a number a multiply-add, whoever sends
it; zeros are not sent. A unit's state is read and written once per update: in every step in which a
message reaches it (events), or in every step (clocked). By events a unit that leaks keeps the time
of its last update as well, or is updated in every step where that is less.
Constants are those of the config's `energy` block (Horowitz 2014), at the word lengths below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from whyspiking.contract.counts import Amount, Counts

WEIGHT_BITS, STATE_BITS = 8, 16
"""Of a weight, which multiplies and adds at 8 bits; of a state or a time."""
ADDRESS_BITS, VALUE_BITS = 32, 8
"""Of a message: where it is from; a number has its value as well."""
NEAR = "sram_8kb"
"""Where states, messages and what is told at once wait, wherever the weights are."""


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
    "free_updates": Account(None, clocked=False, leak=False),
    **{
        f"{name}_{'clock_driven' if clocked else 'event_driven'}": Account(memory, clocked)
        for name, memory in (
            ("operations", None),
            ("memory_8kb", NEAR),
            ("memory_1mb", "sram_1mb"),
            ("memory_dram", "dram"),
        )
        for clocked in (False, True)
    },
}
"""Every account by name; those that are not in `MAIN` stand in the tables only."""
MAIN = (
    "operations_event_driven",
    "operations_clock_driven",
    "memory_8kb_event_driven",
    "memory_8kb_clock_driven",
)
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

    def paid(words: Amount, updates: Amount, operations: Amount) -> Amount:
        work = np.maximum(operations - (0.0 if account.leak else updates), 0.0)  # ReLU: none
        return work * mac + words * once * STATE_BITS

    kept = paid(
        counts.updates_clock_driven,
        counts.updates_clock_driven,
        counts.multiplications_clock_driven,
    )
    if not account.clocked:
        updates, operations = counts.updates_event_driven, counts.multiplications_event_driven
        words = np.where(operations > 0, 2 * updates, updates)
        kept = np.minimum(paid(words, updates, operations), kept)
    arrivals = counts.acs * (add + weight) + counts.macs * (mac + weight)
    sent = counts.binary_messages * ADDRESS_BITS + counts.graded_messages * (
        ADDRESS_BITS + VALUE_BITS
    )
    return arrivals + kept + (counts.buffered_values * STATE_BITS + sent) * once
