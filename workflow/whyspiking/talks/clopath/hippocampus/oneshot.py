"""One-shot Hebbian learning: a sequence taught once, recalled within one cycle (NC19 Fig. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whyspiking.brian import Machine
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
from whyspiking.talks.clopath import learning, memory
from whyspiking.talks.clopath.memory import bind, to_brian
from whyspiking.talks.clopath.shot import SAMPLE_MS

__all__ = [
    "bind",
    "conditions",
    "decode",
    "evaluate",
    "make_task",
    "orders",
    "to_brian",
    "train",
    "vary",
]

TAUGHT = {"spiking": 0, "second_order": 1, "no_beat": 0}
"""Variant -> which of the two sequences it is taught."""


def orders(params: Params) -> tuple[np.ndarray, np.ndarray]:
    """Two random sequences of the cells of a seed: place of each cell, (cell,) each."""
    rng = Streams(params.seed).rng("taught-orders")
    return rng.permutation(params.n_cells), rng.permutation(params.n_cells)


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Trials after learning: theta, one sharp wave, theta; the septum's phase is random."""
    if split == "fresh":
        return None
    rng = streams.rng(f"start-{split}")
    phases = rng.uniform(0, 2 * np.pi, params.n_trials)
    arrays = [memory.protocol(params, params.theta_septum, phase, taught=False) for phase in phases]
    times = SAMPLE_MS * np.arange(arrays[0].shape[0])
    angle = 2 * np.pi * params.theta_internal * times / 1000.0
    wanted = np.column_stack([np.cos(angle), np.sin(angle)])
    return Task(
        stimulus=Stimulus(arrays={"septum": np.stack(arrays)}),
        targets=np.broadcast_to(wanted, (params.n_trials, *wanted.shape)).copy(),
        n_classes=0,
        dt_ms=SAMPLE_MS,
    )


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Present the sequence once; keep what the rule made of it, and the spikes of that trial.

    `no_beat` is taught with the septum at the network's own frequency; all are tested alike.
    """
    if variant not in TAUGHT:
        raise unknown_variant(params.talk, params.experiment, variant)
    (parent,) = parents.values()
    chosen = ("sources", "oscillator", "phases", "v_start", "phi")
    arrays = {name: parent.arrays[name] for name in chosen} | memory.wire(params, streams)
    arrays["onset"] = memory.onsets(params, orders(params)[TAUGHT[variant]])
    arrays["phi_memory"] = np.zeros((params.n_excitatory, params.n_cells))
    network = Network(arrays, {"engine": "brian2", "parameters": arrays["phi_memory"].size})
    septum_hz = params.theta_internal if variant == "no_beat" else params.theta_septum
    taught = memory.protocol(params, septum_hz, 0.0, taught=True)
    progress(0.1, "the sequence is presented")
    machine = Machine(to_brian(params), params.work_dir)
    recording = machine.run(
        Stimulus(arrays={"septum": taught[None]}),
        bind(params, network).values,
        seed=streams.integer("presentation"),
    )
    learned = recording.final["memory.w"].reshape(params.n_excitatory, params.n_cells)
    arrays["phi_memory"] = learned / memory.per_spike(params)
    cells = recording.spikes["cells"]
    arrays |= {"taught_ms": cells.times_ms, "taught_cell": cells.units}
    # M1: the filtered spike trains that the rule multiplies are those that synapses have anyway.
    network.info |= {"rule_floats_shared": 0, "simulated_ms": memory.trial_ms(params)}
    return network


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome | None:
    """Learning and test are run by Brian2; it has no other engine."""
    return None


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """The oscillator while the septum is on, after the warm-up."""
    outputs = recording.traces["oscillator"][:, : round(params.wave_at_ms / SAMPLE_MS)]
    return learning.warmed_up(params, outputs, task, free_phase=True)


def conditions(params: Params) -> Sequence[Condition]:
    """Own condition: `memory_shuffled` (weights), every cell's weights on other synapses."""
    return [Condition("memory_shuffled", "weights", 1.0)]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Every cell hears the weights that it learned from other excitatory neurons than it did."""
    weights = rng.permuted(np.asarray(binding.values["memory.w"]), axis=0)
    return task, replace(binding, values={**binding.values, "memory.w": weights})
