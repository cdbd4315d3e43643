"""The experiment `xor`: training inside Brian2, the frozen network, its own conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor import brian_network, controls, learning, rate_model
from whyspiking.talks.naud.xor.counters import THRESHOLD_HZ
from whyspiking.talks.naud.xor.lesions import placed
from whyspiking.talks.naud.xor.model import OUTPUT, POPULATIONS, TRIAL_MS
from whyspiking.talks.naud.xor.task import SKIPPED_MS, make_task, training
from whyspiking.talks.naud.xor.wiring import SYNAPSES

__all__ = ["bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary"]

ENGINE = "brian2-learning"


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train one variant: one run of the compiled program, tests included."""
    if variant in controls.RULES:
        return controls.train(params, variant, streams)
    from whyspiking.brian import Machine

    machine = Machine(to_brian(params), params.work_dir)
    progress(0.1, "program ready")
    network, values, _ = learning.learn(
        params, variant, streams, machine, ENGINE,
        progress=lambda share, news: progress(0.1 + 0.8 * share, news),
    )  # fmt: skip
    simulated = network.info["simulated_ms"] / 1e3
    progress(0.9, f"{simulated:.0f} s simulated")
    if variant == "spiking":
        trained = placed(params, variant, network.arrays)
        network.info["measures"] |= rate_model.align(
            params, machine, values, trained, streams.rng("alignment")
        )
    return network


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """The network in the program it was trained in, under noise of its own."""
    if variant in controls.RULES:
        return controls.evaluate(network, task)
    from whyspiking.brian import Machine

    machine = Machine(to_brian(params), params.work_dir)
    recording = machine.run(
        task.stimulus,
        bind(params, network).values,
        trials=int(task.targets.shape[0]),
        seed=Streams(params.seed).integer("evaluation noise"),
    )
    return decode(params, recording, task)


def to_brian(params: ct.Params) -> BrianModel:
    """The one structure of training, lesions and frozen network."""
    return brian_network.xor_model(params, training(params).array().shape[0])


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Weights and wiring; every trial begins afresh."""
    values = placed(params, network.info["variant"], network.arrays)
    n = len(POPULATIONS) * params.n_per_population
    layers = {}
    for name, (heard, kind) in SYNAPSES.items():
        weights = np.zeros((n, n))
        weights[values[f"{name}.i"], values[f"{name}.j"]] = values[f"{name}.w"]
        layers[f"{name}.w"] = ct.Layer(heard, "neurons", weights, kind)
    return ct.Binding(values={**values, "neurons.carry": 0.0}, layers=layers)


def counted_rates(params: ct.Params, recording: ct.Recording) -> NDArray[np.float64]:
    """Event rates in the counted part of each trial in Hz, (trial, population)."""
    spikes = recording.spikes["neurons"]
    counted = spikes.times_ms >= SKIPPED_MS
    place = (
        spikes.trials[counted] * len(POPULATIONS) + spikes.units[counted] // params.n_per_population
    )
    events = np.bincount(place, minlength=spikes.n_trials * len(POPULATIONS))
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
    which = {"delete_bursts": "p_lost_burst", "delete_events": "p_lost_event"}
    n = len(POPULATIONS) * params.n_per_population
    lost = {f"neurons.{which[condition.perturbation]}": np.full(n, condition.strength)}
    return task, replace(binding, values={**binding.values, **lost})
