"""What all benchmarks share: rows, and CPU seconds of one thread."""

from __future__ import annotations

from whyspiking import arithmetic

# Before numpy, JAX and Brian2 are imported: everything is timed on one thread.
arithmetic.set_variables()

import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measurement, and what it is compared with.

    Attributes:
        what: What was timed.
        seconds: CPU seconds.
        versus: What it is compared with; "" for nothing.
        reference: CPU seconds of that; nan where it could not be measured.
        target: Largest ratio that is wanted; nan for none.
        note: Remarks.
    """

    what: str
    seconds: float
    versus: str = ""
    reference: float = float("nan")
    target: float = float("nan")
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours over the reference: below 1 ours is faster."""
        return self.seconds / self.reference if self.reference else float("nan")


def cpu(run: Callable[[], Any], repeats: int = 3) -> float:
    """CPU seconds of one call in this process, the least of several: others may be busy."""
    run()  # warm
    return min(timeit.repeat(run, timer=time.process_time, number=1, repeat=repeats))
