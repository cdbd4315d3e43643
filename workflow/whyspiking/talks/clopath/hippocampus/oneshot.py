"""One-shot Hebbian learning: a sequence taught once, recalled within one cycle (NC19 Fig. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from whyspiking.brian import Machine
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.clopath.force import training_record
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import memory, model
from whyspiking.talks.clopath.hippocampus import task as septal_trials
from whyspiking.talks.clopath.hippocampus.memory import bind, to_brian

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "orders", "to_brian", "train", "vary",
]  # fmt: skip

TAUGHT = {"spiking": 0, "second_order": 1, "no_beat": 0}
"""Variant -> which of the two sequences it is taught."""


def orders(params: ct.Params) -> tuple[np.ndarray, np.ndarray]:
    """Two random sequences of the cells of a seed: place of each cell, (cell,) each."""
    rng = Streams(params.seed).rng("taught-orders")
    return rng.permutation(params.n_cells), rng.permutation(params.n_cells)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials after learning: theta, one sharp wave, theta; the septum's phase is random."""
    if split == "fresh":
        return None
    rng = streams.rng(f"start-{split}")
    phases = rng.uniform(0, 2 * np.pi, params.n_trials)
    arrays = [memory.protocol(params, params.theta_septum, phase, taught=False) for phase in phases]
    times = SAMPLE_MS * np.arange(arrays[0].shape[0])
    return septal_trials.rhythm_task(params, {"septum": np.stack(arrays)}, times)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Present the sequence once; keep what the rule made of it, and the spikes of that trial.

    `no_beat` is taught with the septum at the network's own frequency; all are tested alike.
    """
    if variant not in TAUGHT:
        raise unknown_variant(params.talk, params.experiment, variant)
    (parent,) = parents.values()
    arrays = {name: parent.arrays[name] for name in model.SEPTAL} | memory.wire(params, streams)
    arrays["onset"] = memory.onsets(params, orders(params)[TAUGHT[variant]])
    arrays["phi_memory"] = np.zeros((params.n_excitatory, params.n_cells))
    network = ct.Network(arrays, {"engine": "brian2"})
    septum_hz = params.theta_internal if variant == "no_beat" else params.theta_septum
    presentation = memory.protocol(params, septum_hz, 0.0, taught=True)
    progress(0.1, "the sequence is presented")
    machine = Machine(to_brian(params), params.work_dir)
    recording = machine.run(
        ct.Stimulus(arrays={"septum": presentation[None]}),
        bind(params, network).values,
        seed=streams.integer("presentation"),
    )
    memory_weights = recording.final["memory.w"].reshape(params.n_excitatory, params.n_cells)
    arrays["phi_memory"] = memory_weights / model.per_spike(params)
    cells = recording.spikes["cells"]
    arrays |= {"taught_ms": cells.times_ms, "taught_cell": cells.units}
    # M1: the filtered spike trains that the rule multiplies are those that synapses have anyway.
    network.info |= {"rule_floats_shared": 0, "simulated_ms": memory.trial_ms(params)}
    return network


def evaluate(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> ct.Outcome | None:
    """Learning and test are run by Brian2; it has no other engine."""
    return None


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Outcome:
    """The oscillator while the septum is on, after the warm-up."""
    outputs = recording.traces["oscillator"][:, : round(params.wave_at_ms / SAMPLE_MS)]
    return training_record.warmed_up(params, outputs, task, free_phase=True)


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """Own condition: `memory_shuffled` (weights), every cell's weights on other synapses."""
    return [ct.Condition("memory_shuffled", "weights", 1.0)]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Every cell hears the weights that it learned from other excitatory neurons than it did."""
    weights = rng.permuted(np.asarray(binding.values["memory.w"]), axis=0)
    return task, replace(binding, values={**binding.values, "memory.w": weights})
