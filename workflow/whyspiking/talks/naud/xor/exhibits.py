"""Arrays for the figures of XOR.

`credit.<variant>.<seed>` (population, pattern); of the experiment `xor` also `output.before` and
`output.after` (bin,), the four patterns one after the other, and `output.bin_ms` ().
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor.model import OUTPUT, TRIAL_MS
from whyspiking.talks.naud.xor.task import PATTERNS, TARGETS, presentations

BIN_MS = 200.0
"""Bins of the output rate."""


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Credit of all networks, and the output rate of one before and after training."""
    kept = {
        f"credit.{variant}.{seed}": network.arrays["credit"]
        for (variant, seed), network in networks.items()
        if "credit" in network.arrays
    }
    seeds = [seed for variant, seed in networks if variant == "spiking"]
    if params.experiment != "xor" or not seeds:
        return kept
    return kept | _output(params, networks["spiking", min(seeds)], simulate)


def _output(params: ct.Params, network: ct.Network, simulate: ct.Simulate) -> dict[str, NDArray]:
    patterns = np.arange(len(PATTERNS))
    schedule = presentations(params, patterns)
    task = ct.Task(ct.Stimulus(arrays={"schedule": schedule}), TARGETS[patterns], n_classes=2)
    start = np.full_like(network.arrays["forward.w"], params.w_exc)
    before = replace(network, arrays={**network.arrays, "forward.w": start})
    edges = np.arange(0.0, TRIAL_MS * len(PATTERNS) + 1, BIN_MS)
    kept = {"output.bin_ms": np.array(BIN_MS)}
    for name, chosen in (("before", before), ("after", network)):
        spikes = simulate(chosen, task).spikes["neurons"]
        own = spikes.units // params.n_per_population == OUTPUT
        counts, _ = np.histogram((spikes.trials * TRIAL_MS + spikes.times_ms)[own], edges)
        kept[f"output.{name}"] = counts / (BIN_MS / 1e3 * params.n_per_population)
    return kept
