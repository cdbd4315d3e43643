"""The septal-hippocampal network (SHOT-CA3): FORCE on oscillators, compressed replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath.force import training_record
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import learning
from whyspiking.talks.clopath.hippocampus import task as septal_trials
from whyspiking.talks.clopath.hippocampus.brian_network import bind, to_brian

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary",
]  # fmt: skip


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of one split; `fresh` does not exist for continuous outputs."""
    return (
        None if split == "fresh" else septal_trials.make_task(params, streams.rng(f"start-{split}"))
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train the network by FORCE."""
    if variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    return learning.train(params, streams, progress)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Output after learning in the engine of training; `task` has no say in it."""
    return training_record.after(network, free_phase=True)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The oscillator while the septum is on, after the warm-up."""
    stop = round((params.warmup_ms + params.on_ms) / SAMPLE_MS)
    outputs = recording.traces["oscillator"][:, :stop]
    return training_record.warmed_up(params, outputs, task, free_phase=True)


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """Own conditions of the trained network: septal input, release, spikes lost as it runs.

    - `septum` (input): frequency of the septum in Hz; at that of the network there is no beat;
    - `septum_constant` (input): inhibition of the same mean without a rhythm;
    - `delete` (neurons): every spike is lost with probability `strength` for all its targets.
    """
    return [
        *(ct.Condition("delete", "neurons", float(p)) for p in params.lost_shares),
        *(ct.Condition("septum", "input", float(f)) for f in params.septum_frequencies),
        ct.Condition("septum_constant", "input", 1.0),
    ]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Task and binding under one of `conditions`."""
    if condition.perturbation == "delete":
        lost = {"inhibitory.p_lost": condition.strength}
        return task, replace(binding, values={**binding.values, **lost})
    if condition.perturbation == "septum":
        values = {**params.values, "theta_septum": condition.strength}
        return septal_trials.make_task(replace(params, values=values), rng), binding
    septal = task.stimulus.arrays["septum"].copy()
    septal[septal[:, :, 1] == 0, 0] = septal_trials.SEPTAL_MEAN
    return replace(task, stimulus=ct.Stimulus(arrays={"septum": septal})), binding
