"""Example data of the one-shot memory; what the names mean is said in `figures_oneshot.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.clopath.hippocampus import memory, oneshot

SHOWN_VARIANTS = ("spiking", "second_order")
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
    seed_params = replace(params, seed=seeds[0])
    arrays = networks["spiking", seed_params.seed].arrays
    figure_arrays: dict[str, NDArray] = {
        "onset.first": memory.onsets(seed_params, oneshot.orders(seed_params)[0]),
        "taught.spike_ms": arrays["taught_ms"] - seed_params.warmup_ms,
        "taught.cell": arrays["taught_cell"],
        "recalled.wave_ms": np.array(seed_params.wave_ms),
    }
    task = oneshot.make_task(seed_params, "test", Streams(seed_params.seed))
    assert task is not None
    for variant in SHOWN_VARIANTS:
        if (variant, seed_params.seed) not in networks:
            continue
        cells = simulate(networks[variant, seed_params.seed], task).spikes["cells"]
        since_wave_ms = cells.times_ms - seed_params.wave_at_ms
        is_shown = (cells.trials == 0) & (since_wave_ms >= -BEFORE_MS) & (since_wave_ms < AFTER_MS)
        figure_arrays[f"recalled.{variant}.spike_ms"] = since_wave_ms[is_shown]
        figure_arrays[f"recalled.{variant}.cell"] = cells.units[is_shown]
    return figure_arrays
