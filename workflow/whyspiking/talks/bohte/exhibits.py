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
    trained_networks = of_variant(networks)
    if not trained_networks or params.experiment != "ecg":
        return {}
    seed = min(trained_networks)
    test = task.make_task(replace(params, seed=seed), "test", Streams(seed))
    assert test is not None
    recording = simulate(trained_networks[seed], test)
    labels = task.outcome(params, brian_network.outputs(params, recording), test)
    accuracies = (labels.choices == labels.targets)[:, params.n_unscored :].mean(axis=1)
    # The record labelled about as well as the median one: neither the best nor the worst.
    i_record = int(np.argsort(accuracies)[accuracies.size // 2])
    spikes = brian_network.raster(params, recording, 0)[i_record]
    log_tau = np.asarray(trained_networks[seed].arrays["log_tau_adapt_0"], float)
    tau_order = np.argsort(log_tau)
    i_neurons = tau_order[[tau_order.size // 10, tau_order.size // 2, -1 - tau_order.size // 10]]
    # Eq. 1: the adaptation is a leaky integrator of the spikes of the step before.
    previous_spikes = np.vstack([np.zeros((1, 3)), spikes[:-1, i_neurons]])
    eta = model.leaky(
        previous_spikes, model.decay(log_tau[i_neurons]), np.full(3, float(params.threshold))
    )
    return {
        "record.step_ms": np.array(float(params.step_ms)),
        "record.events": np.asarray(test.features)[i_record],
        "record.labels": test.targets[i_record],
        "record.choices": labels.choices[i_record].astype(np.int8),
        "record.accuracy": np.array(accuracies[i_record]),
        "record.spikes": spikes,
        "record.eta": np.asarray(eta, np.float32),
        "record.eta_tau_ms": params.step_ms * np.exp(log_tau[i_neurons]),
    }
