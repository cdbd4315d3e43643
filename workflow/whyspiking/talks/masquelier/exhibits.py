"""Arrays for the figures, from the spiking networks of experiment published.

Ticks are Tmax where a neuron stays silent; `digit` is of the network with the lowest seed.

    digit.image (28, 28)            brightness of a test image that is rightly decided
    digit.target ()                 its class
    digit.input, digit.hidden, digit.output   first spikes in ticks, as simulated in Brian2
    ties.share.<seed> ()            share of trials in which several outputs fire first
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant, select_task, typical_trial
from whyspiking.talks.masquelier import brian_network, model, task

N_IMAGES = 1000


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description."""
    trained = of_variant(networks)
    if not trained or params.experiment != "published":
        return {}
    test = task.make_task(params, "test", streams)
    assert test is not None
    some = select_task(test, np.arange(min(N_IMAGES, len(test.targets))))
    arrays: dict[str, NDArray] = {}
    for seed, network in trained.items():
        firing = brian_network.read(params, simulate(network, some))
        first = firing.output.min(axis=1)
        tied = (firing.output == first[:, None]).sum(axis=1) > 1
        arrays[f"ties.share.{seed}"] = np.asarray((tied & (first < params.t_max)).mean())
        if seed == min(trained):
            outcome = model.decide(params, firing.output, firing.potential, some)
            chosen = typical_trial(outcome)
            inputs = some.stimulus.spikes["input"].first_ms()[chosen] / params.tick_ms
            side = int(np.sqrt(params.n_input))
            assert some.features is not None
            arrays |= {
                "digit.image": some.features[chosen].reshape(side, side).astype(np.float32),
                "digit.target": np.asarray(some.targets[chosen]),
                "digit.input": np.where(np.isfinite(inputs), inputs, params.t_max),
                "digit.hidden": firing.hidden[chosen],
                "digit.output": firing.output[chosen],
            }
    return arrays
