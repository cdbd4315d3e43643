"""What a talk exports that adds nothing of its own to the common battery.

`from whyspiking.optional import conditions, measures, vary` in the talk's `__init__.py`, or those
of the three that it does not write itself; see `contract.Replication`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from numpy.random import Generator

from whyspiking.contract import Binding, Condition, Params, Recording, Task


def conditions(params: Params) -> Sequence[Condition]:
    """No conditions beyond the common battery."""
    return ()


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: Generator
) -> NoReturn:
    """Never called, since there are no conditions of the talk's own."""
    raise NotImplementedError(f"talk '{params.talk}' names conditions but exports no `vary`")


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """No metrics beyond the common ones."""
    return {}
