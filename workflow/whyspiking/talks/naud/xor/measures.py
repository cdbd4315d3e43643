"""Measures of the frozen XOR network beyond its score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.talks.naud.xor.counters import side_measures
from whyspiking.talks.naud.xor.experiment import counted_rates
from whyspiking.talks.naud.xor.model import OUTPUT
from whyspiking.talks.naud.xor.task import PATTERNS


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Mean output rates of the frozen network, and on which side of the threshold they are."""
    rates = counted_rates(params, recording)[:, OUTPUT]
    high = np.asarray(task.stimulus.arrays["schedule"])[:, 0, :2] == params.i_high
    rates_by_pattern = [rates[(high == pattern).all(axis=1)] for pattern in PATTERNS]
    if not all(pattern_rates.size for pattern_rates in rates_by_pattern):
        return {}
    return side_measures(np.array([pattern_rates.mean() for pattern_rates in rates_by_pattern]))
