"""Arrays for the figures of the spoken words; all but the claims are made of validation words.

Keys, from the spiking network with the lowest seed unless they end in a seed:

    word.mel (frame, band)          standardised spectrum of a word of the validation speaker
    word.target ()                  its class
    word.layer_<k> (frame, neuron)  spikes as simulated in Brian2
    leak.<variant>.<seed> (layer,)  trained leaks
    parity.words.<seed> ()          share of frames and neurons that agree in both engines
    validation.activity.<variant>.<seed> (), validation.accuracy.<variant>.<seed> ()
                                    activity (share of neurons and frames) and accuracy in Brian2
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import select_task
from whyspiking.contract.types import Networks, Params, Simulate
from whyspiking.talks.masquelier.audio import brian_network, learning, task
from whyspiking.talks.masquelier.audio.model import LEAKY, depth

N_WORDS = 100


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of one experiment; see the module's description."""
    held_out = task.make_task(params, "validation", streams)
    assert held_out is not None and held_out.features is not None
    some = select_task(held_out, np.arange(min(N_WORDS, len(held_out.targets))))
    assert some.features is not None
    found: dict[str, NDArray] = {}
    lowest = min((seed for variant, seed in networks if variant == "spiking"), default=None)
    for (variant, seed), network in networks.items():
        if variant not in LEAKY:
            continue
        recording = simulate(network, some)
        rasters = [brian_network.raster(params, recording, k) for k in range(depth(params))]
        told = learning.decisions(params, brian_network.outputs(params, recording), some)
        right = told.choices == told.targets
        own = f"{variant}.{seed}"
        found[f"validation.accuracy.{own}"] = np.asarray(right.mean())
        found[f"validation.activity.{own}"] = np.asarray(np.mean([r.mean() for r in rasters]))
        if LEAKY[variant]:
            leaks = [network.arrays[f"leak_{k}"] for k in range(depth(params))]
            found[f"leak.{own}"] = np.asarray(leaks, np.float64)
        if variant == "spiking":
            expected = learning.rasters(params, variant, network, some.features)
            equal = [r == e for r, e in zip(rasters, expected, strict=True)]
            found[f"parity.words.{seed}"] = np.asarray(np.mean([e.mean() for e in equal]))
        if (variant, seed) == ("spiking", lowest):
            # The first that is rightly recognised: words come in random order.
            chosen = int(np.flatnonzero(right)[0]) if right.any() else 0
            found["word.mel"] = some.features[chosen]
            found["word.target"] = np.asarray(some.targets[chosen])
            found |= {f"word.layer_{k}": r[chosen] for k, r in enumerate(rasters)}
    return found
