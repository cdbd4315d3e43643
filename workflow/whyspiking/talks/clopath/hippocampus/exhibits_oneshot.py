"""Example data of the one-shot memory; what the names mean is said in `figures_oneshot.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.clopath.hippocampus import memory, oneshot

SHOWN = ("spiking", "second_order")
BEFORE_MS, AFTER_MS = 40.0, 160.0
"""How much around the start of the sharp wave is kept."""


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Spikes of the presentation and of the first sharp wave after it, from the first seed.

    - `onset.first` (cell,): when each cell is pulsed in the first sequence, in ms;
    - `taught.spike_ms`, `taught.cell` (spike,): the trial of the presentation, from its start;
    - `recalled.<variant>.spike_ms`, `.cell`: around the start of the sharp wave.
    """
    seeds = sorted(seed for variant, seed in networks if variant == "spiking")
    if not seeds:
        return {}
    own = replace(params, seed=seeds[0])
    arrays = networks["spiking", own.seed].arrays
    kept: dict[str, NDArray] = {
        "onset.first": memory.onsets(own, oneshot.orders(own)[0]),
        "taught.spike_ms": arrays["taught_ms"] - own.warmup_ms,
        "taught.cell": arrays["taught_cell"],
        "recalled.wave_ms": np.array(own.wave_ms),
    }
    task = oneshot.make_task(own, "test", Streams(own.seed))
    assert task is not None
    for variant in SHOWN:
        if (variant, own.seed) not in networks:
            continue
        cells = simulate(networks[variant, own.seed], task).spikes["cells"]
        since = cells.times_ms - own.wave_at_ms
        shown = (cells.trials == 0) & (since >= -BEFORE_MS) & (since < AFTER_MS)
        kept[f"recalled.{variant}.spike_ms"] = since[shown]
        kept[f"recalled.{variant}.cell"] = cells.units[shown]
    return kept
