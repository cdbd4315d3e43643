"""The experiment `xor`: learned by `ensembles`, simulated in Brian2, with conditions of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor import brian_network, controls, learning, rate_model
from whyspiking.talks.naud.xor.counters import THRESHOLD_HZ, read_counters
from whyspiking.talks.naud.xor.ensembles import Ensembles
from whyspiking.talks.naud.xor.lesions import placed
from whyspiking.talks.naud.xor.model import OUTPUT, POPULATIONS, TRIAL_MS
from whyspiking.talks.naud.xor.task import PATTERNS, SKIPPED_MS, make_task, slots
from whyspiking.talks.naud.xor.wiring import SYNAPSES

__all__ = ["bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary"]


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one variant, and hold the rule of `xor` against a rate model (Eqs. 16 and 17)."""
    if variant in controls.RULES:
        return controls.train(params, variant, streams)
    network, values = learning.learn(params, variant, streams, progress)
    if variant == "spiking" and params.experiment == "xor":
        trained = placed(params, variant, network.arrays)
        network.info["measures"] |= rate_model.align(
            params, values, trained, streams.rng("alignment")
        )
    return network


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """Decisions of the network in the engine it was trained in, one pattern after the other."""
    if variant in controls.RULES:
        return controls.evaluate(network, task)
    rows = np.asarray(task.stimulus.arrays["schedule"])
    idle_trial = np.zeros_like(rows[:1])  # counters are read at the beginning of slots only
    values = placed(params, variant, network.arrays)
    seed = Streams(params.seed).integer("evaluation noise")
    stimulus = ct.Stimulus(arrays={"schedule": np.concatenate([rows, idle_trial])})
    counters = read_counters(params, Ensembles(params).run(stimulus, values, seed=seed))
    n_slots, n_skipped = slots(params, TRIAL_MS), slots(params, SKIPPED_MS)
    rates = [
        counters.event_rates(first_slot + n_skipped, first_slot + n_slots)[OUTPUT]
        for first_slot in range(0, len(rows) * n_slots, n_slots)
    ]
    return ct.Trials.of(task, np.array(rates) > THRESHOLD_HZ, TRIAL_MS)


def to_brian(params: ct.Params) -> BrianModel:
    """The frozen network, with whatever lesion."""
    return brian_network.xor_model(params, len(PATTERNS) * params.n_test_repeats)


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Weights and wiring; every trial begins afresh."""
    values = placed(params, network.info["variant"], network.arrays)
    n = len(POPULATIONS) * params.n_per_population
    layers = {}
    for name, (event_source, kind) in SYNAPSES.items():
        weights = np.zeros((n, n))
        weights[values[f"{name}.i"], values[f"{name}.j"]] = values[f"{name}.w"]
        layers[f"{name}.w"] = ct.Layer(event_source, "neurons", weights, kind)
    return ct.Binding(values=brian_network.known(values), layers=layers)


def counted_rates(params: ct.Params, recording: ct.Recording) -> NDArray[np.float64]:
    """Event rates in the counted part of each trial in Hz, (trial, population)."""
    spikes = recording.spikes["neurons"]
    is_counted = spikes.times_ms >= SKIPPED_MS
    flat_index = (
        spikes.trials[is_counted] * len(POPULATIONS)
        + spikes.units[is_counted] // params.n_per_population
    )
    events = np.bincount(flat_index, minlength=spikes.n_trials * len(POPULATIONS))
    seconds = (TRIAL_MS - SKIPPED_MS) / 1e3
    return events.reshape(spikes.n_trials, -1) / (seconds * params.n_per_population)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """1 if the output rate exceeds 6 Hz; known at the end of the presentation, not before."""
    rates = counted_rates(params, recording)[:, OUTPUT]
    return ct.Trials.of(task, rates > THRESHOLD_HZ, TRIAL_MS)


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """Events or burst spikes that no synapse hears, with probability `strength`."""
    return [
        *(ct.Condition("delete_bursts", "neurons", float(p)) for p in params.lost_bursts),
        *(ct.Condition("delete_events", "neurons", float(p)) for p in params.lost_events),
    ]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Task and binding under one of `conditions`."""
    parameter_by_perturbation = {"delete_bursts": "p_lost_burst", "delete_events": "p_lost_event"}
    n = len(POPULATIONS) * params.n_per_population
    lost = {
        f"neurons.{parameter_by_perturbation[condition.perturbation]}": np.full(
            n, condition.strength
        )
    }
    return task, replace(binding, values={**binding.values, **lost})
