"""Arrays for the figures of experiment yinyang: the decision map of the network of lowest seed.

map.axis (grid,)                      coordinates along both axes
map.first_ms (grid y, grid x, class)  first output spikes in ms, inf where silent; closed form
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.trial_subsets import of_variant
from whyspiking.datasets import yinyang
from whyspiking.talks.goeltz import model, task

MAP_SIDE = 121


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description."""
    trained_networks = of_variant(networks)
    if not trained_networks or params.experiment != "yinyang":
        return {}
    features, _ = yinyang.grid(MAP_SIDE)
    times = task.with_bias(task.latencies(features, params), params) * params.tau_s_ms
    grid_task = ct.Task(
        stimulus=ct.Stimulus(spikes={"input": Spikes.from_first_spikes(times, params.trial_ms)}),
        targets=np.zeros(len(features), np.int64),
        n_classes=params.n_output,
    )
    weights = model.weights_of(trained_networks[min(trained_networks)])
    first_ms = model.forward_pass(params, weights, grid_task).output.times * params.tau_s_ms
    return {
        "map.axis": features[:MAP_SIDE, 0],
        "map.first_ms": first_ms.reshape(MAP_SIDE, MAP_SIDE, -1).astype(np.float32),
    }
