"""Electrocardiograms, and what trained time constants are worth when they are undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whyspiking.contract.types import Binding, Condition, Params, Task
from whyspiking.talks.bohte.ecg import (
    bind,
    control_counts,
    decode,
    evaluate,
    make_task,
    reference_counts,
    to_brian,
    train,
)
from whyspiking.talks.bohte.brian_network import TimedBinding

__all__ = [
    "bind", "conditions", "control_counts", "decode", "evaluate", "make_task", "reference_counts",
    "to_brian", "train", "vary",
]  # fmt: skip

UNTRAINED, EQUAL = "tau_untrained", "tau_equal"
"""Conditions: time constants as before training, or all the same."""


def conditions(params: Params) -> Sequence[Condition]:
    """Trained time constants undone."""
    return [Condition(name, "neurons", 1.0) for name in (UNTRAINED, EQUAL)]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """The network with other time constants; weights stay as trained."""
    if not isinstance(binding, TimedBinding):
        raise TypeError("time constants before training need the binding that `bind` returns")
    if condition.perturbation == UNTRAINED:
        changed = dict(binding.start)
    else:
        # The geometric mean: time constants are trained as logarithms.
        taus = {key: np.asarray(binding.values[key]) for key in binding.start}
        changed = {k: np.full_like(v, np.exp(np.log(v).mean())) for k, v in taus.items()}
    return task, replace(binding, values={**binding.values, **changed})
