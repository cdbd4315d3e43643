"""Sharp waves that start by themselves (NC19 Fig. 2): the trained network, without any input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath.force import training_record
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import initiators
from whyspiking.talks.clopath.hippocampus import task as septal_trials
from whyspiking.talks.clopath.hippocampus.initiators import bind, to_brian

__all__ = ["bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary"]


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of nothing: no input, only noise; the target is the rhythm of training (Eq. 18)."""
    if split == "fresh":
        return None
    times = np.arange(0.0, params.quiet_ms, SAMPLE_MS)
    return septal_trials.rhythm_task(params, {}, times)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Add initiators to the trained septal network; nothing is learned any more."""
    if variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    (parent,) = parents.values()
    arrays = initiators.wire(params, parent.arrays, streams)
    return ct.Network(arrays, {"engine": "brian2"})


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Outcome | None:
    """Brian2 is the only engine of this network."""
    return None


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The oscillator after the warm-up, in sharp waves and between them."""
    return training_record.warmed_up(params, recording.traces["oscillator"], task, free_phase=True)


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """Own conditions: what sharp waves need to end, and to be in order.

    - `recruiting` (weights): initiators excite inhibitory neurons by `strength` mV s; 0: not;
    - `scrambled` (weights): learned weights of every neuron on other inhibitory neurons;
    - `not_adapting` (neurons): excitatory neurons do not adapt.
    """
    return [
        *(ct.Condition("recruiting", "weights", float(w)) for w in params.recruiting_weights),
        ct.Condition("scrambled", "weights", 1.0),
        ct.Condition("not_adapting", "neurons", 1.0),
    ]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Task and binding under one of `conditions`."""
    values = binding.values
    if condition.perturbation == "recruiting":
        factor = condition.strength / params.to_inhibitory
        changed_values = {"recruiting.w": factor * np.asarray(values["recruiting.w"])}
    elif condition.perturbation == "scrambled":
        learned_names = ("to_inhibitory.w", "to_excitatory.w")
        changed_values = {
            name: rng.permuted(np.asarray(values[name]), axis=0) for name in learned_names
        }
    else:
        changed_values = {"excitatory.jump_u": 0.0}
    return task, replace(binding, values={**values, **changed_values})
