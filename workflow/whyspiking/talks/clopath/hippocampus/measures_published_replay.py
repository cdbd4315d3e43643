"""Measures of `published_replay`: those of the septal network; no replay has an order of 0."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract.types import Condition, Params, Recording, Task
from whyspiking.talks.clopath.hippocampus import measures as septal

ORDERS = ("order_correlation", "order_correlation_reversed")


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Measures of `measures.measures`; a replay without spikes has an order of 0.

    An undefined value would be dropped from the mean over networks, and a claim would then be
    judged by the networks that replay only. A control without a replay would not be judged at all.
    """
    septal_values = dict(septal.measures(params, condition, recording, task))
    return septal_values | {
        name: float(np.nan_to_num(septal_values[name], nan=0.0)) for name in ORDERS
    }
