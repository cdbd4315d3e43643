"""Trials of the shared tasks, drawn by the generators of `whyspiking.tasks`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.tasks import generators, task_data


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Draw the trials of a split, spikes on the networks' steps; features are exact latencies."""
    if split == "fresh":
        return None
    spikes, classes = _draw_trials(params, split, streams)
    stimulus = ct.Stimulus({"input": task_data.on_steps(spikes, params.dt_ms)})
    latencies = np.minimum(spikes.first_ms(), params.trial_ms)
    return ct.Task(stimulus, classes, params.n_output, latencies)


def _draw_trials(
    params: ct.Params, split: ct.Split, streams: Streams
) -> tuple[Spikes, NDArray[np.int64]]:
    if generators.is_stream(params.experiment):
        n_trials = getattr(params, f"n_{split}")
        generator = generators.load_streams(params.experiment)
        return generator.draw_spikes(streams.rng(f"data-{split}"), n_trials)
    shared_params = replace(params, values={**params.values, "shared_task": params.experiment})
    samples = task_data.latencies(shared_params, split)
    assert samples is not None
    return Spikes.from_first_spikes(samples.times_ms, params.trial_ms), samples.classes


def raster(params: ct.Params, task: ct.Task) -> NDArray[np.float32]:
    """1 where an input fires in a step, (trial, step, input)."""
    spikes = task.stimulus.spikes["input"]
    n_steps = round(spikes.duration_ms / params.dt_ms)
    return spikes.raster(spikes.steps(params.dt_ms), n_steps).astype(np.float32)
