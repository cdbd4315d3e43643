"""What is measured of the frozen XOR network beyond its score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.talks.naud.xor.experiment import counted_rates
from whyspiking.talks.naud.xor.model import OUTPUT


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Margin of the frozen network's mean output rates."""
    rates = counted_rates(params, recording)[:, OUTPUT]
    true, false = (rates[np.asarray(task.targets) == k] for k in (1, 0))
    patterns = np.asarray(task.stimulus.arrays["schedule"])[:, 0, :2]
    kinds, index = np.unique(patterns, axis=0, return_inverse=True)
    means = np.array([rates[index.ravel() == k].mean() for k in range(len(kinds))])
    is_true = kinds[:, 0] != kinds[:, 1]
    if not (true.size and false.size):
        return {}
    return {"xor_margin": float(means[is_true].min() - means[~is_true].max())}
