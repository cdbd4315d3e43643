"""Example data for the figures of this talk.

`record.*`, of `ecg`: one test record of the first seed: `events`
(time, channel), `labels` and `choices` (time,), `accuracy`, `step_ms`; as simulated in Brian2,
`spikes` (time, neuron) and `eta` (time, neuron), the adaptation of three neurons with the time
constants `eta_tau_ms`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant
from whyspiking.talks.bohte import brian_network, model, task


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays of one experiment."""
    trained = of_variant(networks)
    if not trained or params.experiment != "ecg":
        return {}
    seed = min(trained)
    test = task.make_task(replace(params, seed=seed), "test", Streams(seed))
    assert test is not None
    recording = simulate(trained[seed], test)
    labels = task.outcome(params, brian_network.outputs(params, recording), test)
    right = (labels.choices == labels.targets)[:, params.n_unscored :].mean(axis=1)
    # The record labelled about as well as the median one: neither the best nor the worst.
    shown = int(np.argsort(right)[right.size // 2])
    spikes = brian_network.raster(params, recording, 0)[shown]
    log_tau = np.asarray(trained[seed].arrays["log_tau_adapt_0"], float)
    slow = np.argsort(log_tau)
    chosen = slow[[slow.size // 10, slow.size // 2, -1 - slow.size // 10]]
    # Eq. 1: the adaptation is a leaky integrator of the spikes of the step before.
    before = np.vstack([np.zeros((1, 3)), spikes[:-1, chosen]])
    eta = model.leaky(before, model.decay(log_tau[chosen]), np.full(3, float(params.threshold)))
    return {
        "record.step_ms": np.array(float(params.step_ms)),
        "record.events": np.asarray(test.features)[shown],
        "record.labels": test.targets[shown],
        "record.choices": labels.choices[shown].astype(np.int8),
        "record.accuracy": np.array(right[shown]),
        "record.spikes": spikes,
        "record.eta": np.asarray(eta, np.float32),
        "record.eta_tau_ms": params.step_ms * np.exp(log_tau[chosen]),
    }
