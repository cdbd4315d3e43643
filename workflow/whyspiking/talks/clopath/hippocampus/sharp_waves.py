"""Sharp waves that start by themselves (NC19 Fig. 2): the trained network, without any input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Condition,
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
)
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath import initiators, learning, shot
from whyspiking.talks.clopath.initiators import bind, to_brian
from whyspiking.talks.clopath.shot import SAMPLE_MS

__all__ = ["bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary"]


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Trials of nothing: no input, only noise; the target is the rhythm of training (Eq. 18)."""
    if split == "fresh":
        return None
    times = np.arange(0.0, params.quiet_ms, SAMPLE_MS)
    wanted = shot.supervisor(params, np.array([0.0, -np.pi / 2]), times)
    return Task(
        stimulus=Stimulus(),
        targets=np.broadcast_to(wanted, (params.n_trials, *wanted.shape)).copy(),
        n_classes=0,
        dt_ms=SAMPLE_MS,
    )


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Add initiators to the trained septal network; nothing is learned any more."""
    if variant != "spiking":
        raise unknown_variant(params.talk, params.experiment, variant)
    (parent,) = parents.values()
    arrays = initiators.wire(params, parent.arrays, streams)
    return Network(arrays, {"engine": "brian2", "parameters": int(arrays["phi"].size)})


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome | None:
    """Brian2 is the only engine of this network."""
    return None


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """The oscillator after the warm-up, in sharp waves and between them."""
    return learning.warmed_up(params, recording.traces["oscillator"], task, free_phase=True)


def conditions(params: Params) -> Sequence[Condition]:
    """Own conditions: what sharp waves need to end, and to be in order.

    - `recruiting` (weights): initiators excite inhibitory neurons by `strength` mV s; 0: not;
    - `scrambled` (weights): learned weights of every neuron on other inhibitory neurons;
    - `not_adapting` (neurons): excitatory neurons do not adapt.
    """
    return [
        *(Condition("recruiting", "weights", float(w)) for w in params.recruiting_weights),
        Condition("scrambled", "weights", 1.0),
        Condition("not_adapting", "neurons", 1.0),
    ]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Task and binding under one of `conditions`."""
    old = binding.values
    if condition.perturbation == "recruiting":
        factor = condition.strength / params.to_inhibitory
        new = {"recruiting.w": factor * np.asarray(old["recruiting.w"])}
    elif condition.perturbation == "scrambled":
        learned = ("to_inhibitory.w", "to_excitatory.w")
        new = {name: rng.permuted(np.asarray(old[name]), axis=0) for name in learned}
    else:
        new = {"excitatory.jump_u": 0.0}
    return task, replace(binding, values={**old, **new})
