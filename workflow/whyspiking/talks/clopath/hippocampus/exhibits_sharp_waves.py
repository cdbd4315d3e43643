"""Example data of sharp waves; what the names mean is said in `figures_sharp_waves.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.clopath.hippocampus import sharp_waves
from whyspiking.talks.clopath.hippocampus.measures_sharp_waves import waves


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """The first trial of the first seed as spikes and waves; the intervals of all seeds.

    - `waves.spike_ms`, `waves.neuron` (spike,): excitatory spikes, initiators first;
    - `waves.place` (neuron,): places in the trained cycle; `waves.n_initiators` ();
    - `waves.span_ms` (wave, 2): starts and stops;
    - `waves.measured_ms` (2,): warm-up and end;
    - `interval.ms` (interval,): between starts after the warm-up.
    """
    seeds = sorted(seed for variant, seed in networks if variant == "spiking")
    figure_arrays: dict[str, NDArray] = {}
    intervals = []
    for seed in seeds:
        task = sharp_waves.make_task(replace(params, seed=seed), "test", Streams(seed))
        assert task is not None
        recording = simulate(networks["spiking", seed], task)
        spikes = recording.spikes["excitatory"]
        spans = waves(spikes, 0, params.n_initiators)
        intervals.append(np.diff(spans[spans[:, 0] >= params.warmup_ms, 0]))
        if not figure_arrays:
            is_first_trial = spikes.trials == 0
            figure_arrays = {
                "waves.spike_ms": spikes.times_ms[is_first_trial],
                "waves.neuron": spikes.units[is_first_trial],
                "waves.place": recording.final["excitatory.place"],
                "waves.n_initiators": np.array(params.n_initiators),
                "waves.span_ms": spans,
                "waves.measured_ms": np.array([params.warmup_ms, params.quiet_ms]),
            }
    return {**figure_arrays, "interval.ms": np.concatenate(intervals)} if figure_arrays else {}
