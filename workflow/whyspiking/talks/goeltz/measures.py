"""How many spikes a decision needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract import types as ct


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Share of the hidden neurons that have fired when the first output neuron fires."""
    if params.experiment != "few_spikes" or condition.perturbation != "none":
        return {}
    decision = recording.spikes["output"].first_ms().min(axis=1)
    hidden = recording.spikes["hidden"].first_ms()
    is_decided = np.isfinite(decision)
    if not is_decided.any():
        return {"hidden_before_decision": float("nan")}
    has_fired = hidden[is_decided] <= decision[is_decided, None]
    return {"hidden_before_decision": float(has_fired.mean())}
