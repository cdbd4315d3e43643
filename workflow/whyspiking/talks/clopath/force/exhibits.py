"""Example data for the figures of this talk; what the names mean is said in `figures.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Networks, Params, Simulate, Task, Traces
from whyspiking.datasets import shared
from whyspiking.talks.clopath import izhikevich, septal, sequence

RASTER_NEURONS = 60
RASTER_MS = 1000.0


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays for the figures, from the first seed of the spiking variant.

    - `training.*`: output and target around the start and the end of learning;
    - `replay.*` (Izhikevich): output and target of one frozen trial, and `raster.*` its spikes;
      clock-driven ones also `replay_at.<speed>.*` at all other speeds;
    - `sequence.*` (shot): excitatory spikes of one trial, phases of the neurons with the septum
      on and off, measured frequencies; `oscillator.*` the decoded rhythm.
    """
    seeds = sorted(seed for variant, seed in networks if variant == "spiking")
    if not seeds or shared.takes_part(params):
        return {}
    own = replace(params, seed=seeds[0])
    network = networks["spiking", seeds[0]]
    kind = septal if params.experiment == "shot" else izhikevich
    task = kind.make_task(own, "test", Streams(own.seed))
    assert task is not None
    kept = {
        "training.time_ms": network.arrays["trace_ms"],
        "training.output": network.arrays["trace"],
        "training.target": network.arrays["trace_target"],
        "training.rls_ms": network.arrays["learning_ms"],
    }
    if kind is septal:
        return kept | _sequence(own, network, task, simulate)
    return kept | _replays(own, network, task, simulate)


def _replays(
    params: Params, network: Network, task: Task, simulate: Simulate
) -> dict[str, NDArray]:
    recording = simulate(network, task)
    kept = _traces(izhikevich.decode(params, recording, task), "replay")
    spikes = recording.spikes["neurons"]
    shown = (
        (spikes.trials == 0)
        & (spikes.units < RASTER_NEURONS)
        & (spikes.times_ms >= params.warmup_ms)
        & (spikes.times_ms < params.warmup_ms + RASTER_MS)
    )
    kept["raster.spike_ms"] = spikes.times_ms[shown] - params.warmup_ms
    kept["raster.neuron"] = spikes.units[shown]
    if izhikevich.is_autonomous(params):
        return kept
    for speed in params.speeds:
        varied = izhikevich.at_speed(params, task, speed)
        outcome = izhikevich.decode(params, simulate(network, varied), varied)
        kept |= _traces(outcome, f"replay_at.{speed:g}")
    return kept


def _traces(outcome: object, prefix: str) -> dict[str, NDArray]:
    assert isinstance(outcome, Traces)
    return {
        f"{prefix}.time_ms": outcome.dt_ms * np.arange(outcome.outputs.shape[1], dtype=np.float32),
        f"{prefix}.output": outcome.outputs[0].astype(np.float32),
        f"{prefix}.target": outcome.targets[0].astype(np.float32),
    }


def _sequence(
    params: Params, network: Network, task: Task, simulate: Simulate
) -> dict[str, NDArray]:
    recording = simulate(network, task)
    spikes = recording.spikes["excitatory"]
    off_ms = params.warmup_ms + params.on_ms
    found = sequence.sequences(
        spikes, 0, (params.warmup_ms, off_ms), (off_ms + params.release_ms, off_ms + params.off_ms)
    )
    shown = spikes.trials == 0
    return {
        "sequence.spike_ms": spikes.times_ms[shown],
        "sequence.neuron": spikes.units[shown],
        "sequence.phase": np.asarray(found["phase_on"]),
        "sequence.phase_off": np.asarray(found["phase_off"]),
        "sequence.off_ms": np.array(off_ms),
        "sequence.beat_hz": np.array(found["beat"]),
        "sequence.rhythm_hz": np.array(found["rhythm"]),
        "oscillator.output": recording.traces["oscillator"][0].astype(np.float32),
    }
