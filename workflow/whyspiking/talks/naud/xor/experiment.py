"""The experiment `xor`: task, training inside Brian2, the frozen network, its own conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Condition,
    Layer,
    Network,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.errors import UserError
from whyspiking.talks.naud import xor_alignment, xor_controls
from whyspiking.talks.naud import xor_network as network_of
from whyspiking.talks.naud import xor_protocol as protocol
from whyspiking.talks.naud.xor_network import OUTPUT, POPULATIONS, TRIAL_MS
from whyspiking.talks.naud.xor_protocol import PATTERNS, TARGETS

ENGINE = "brian2-learning"
Kind = Literal["feedforward", "recurrent", "readout"]
SYNAPSES: Mapping[str, tuple[str, Kind]] = {
    "forward": ("neurons", "feedforward"),
    "inhibition": ("neurons", "feedforward"),
    "feedback_exc": ("neurons.burst", "recurrent"),
    "feedback_inh": ("neurons.burst", "recurrent"),
}
"""Synapses -> what they hear (events or bursts), and how they are counted."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Every pattern several times, plasticity off; splits differ in noise only."""
    if split == "fresh":
        return None
    patterns = np.tile(np.arange(len(PATTERNS)), params.n_test_repeats)
    return Task(
        stimulus=Stimulus(arrays={"schedule": protocol.presentations(params, patterns)}),
        targets=TARGETS[patterns],
        n_classes=2,
        features=np.array(PATTERNS, float)[patterns],
        exhaustive=True,
    )


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant: one run of the compiled program, tests included."""
    if variant in xor_controls.RULES:
        return xor_controls.train(params, variant, streams)
    from whyspiking.brian import Machine

    machine = Machine(to_brian(params), params.work_dir)
    progress(0.1, "program ready")
    network, values, _ = learn(params, variant, streams, machine, ENGINE)
    simulated = network.info["simulated_ms"] / 1e3
    progress(0.9, f"{simulated:.0f} s simulated")
    if variant == "spiking":
        found = network.info["measures"]
        frozen = frozen_rates(params, network, machine, streams.integer("frozen noise"))
        late = network.arrays["test_epochs"] > params.epochs
        after = protocol.output_rates(network.arrays["test_rates"])[late].mean(axis=0)
        found["frozen_rate_error"] = float(np.abs(frozen - after).max())
        trained = placed(params, variant, network.arrays)
        measured, kept = xor_alignment.align(
            params, machine, values, trained, streams.rng("alignment")
        )
        found |= measured
        network.arrays |= kept
    return network


def learn(
    params: Params, variant: str, streams: Streams, machine: Any, engine: str, **options: Any
) -> tuple[Network, dict[str, Any], Recording]:
    """The whole schedule of training in one run, tests included.

    Args:
        params: Parameters of the experiment.
        variant: Intact, or which lesion.
        streams: Randomness.
        machine: Runs the network: `brian.Machine` or `ensembles.Ensembles`.
        engine: Its name.
        options: Of its `run`.

    Returns:
        What was learned, the values of the run, and its recording.
    """
    arrays = network_of.wire(params, streams)
    arrays["forward.w"] = np.full(arrays["forward.i"].size, float(params.w_exc))
    order = streams.rng("order of patterns") if variant == "random_order" else None
    schedule = protocol.training(params, order)
    rows = schedule.array()
    values = {**placed(params, variant, arrays), "neurons.carry": 1.0}
    recording = machine.run(
        Stimulus(arrays={"schedule": rows}),
        values,
        seed=streams.integer("training noise"),
        spikes=False,
        **options,
    )
    counters = protocol.read_counters(params, recording)
    rates = counters.test_rates(schedule)
    change = protocol.credit(counters, schedule)
    found = protocol.order_measures(protocol.output_rates(rates)[protocol.judged(schedule)])
    found |= protocol.credit_measures(change)
    epochs = np.array([epoch for epoch, _ in schedule.tests])
    network = Network(
        arrays={
            **arrays,
            "forward.w": recording.final["forward.w"],
            "test_epochs": epochs,
            "test_rates": rates,
            "credit": change,
            "updates": protocol.updates(counters, schedule),
            "example_rates": protocol.example_rates(counters, schedule),
        },
        info={
            "engine": engine,
            "variant": variant,
            "epochs": int(params.epochs),
            "simulated_ms": float(rows.shape[0] * TRIAL_MS),
            "measures": found,
        },
        history=protocol.history(epochs, rates),
    )
    return network, values, recording


def placed(params: Params, variant: str, arrays: Mapping[str, NDArray]) -> dict[str, Any]:
    """Values of a run: neurons, wiring, weights, and the lesion of the variant."""
    values: dict[str, Any] = network_of.neuron_values(params)
    for name in SYNAPSES:
        values |= {f"{name}.{key}": arrays[f"{name}.{key}"] for key in ("i", "j", "w")}
    try:
        return network_of.lesion(values, variant, params)
    except KeyError:
        raise UserError(
            f"talk 'naud', experiment 'xor': variant '{variant}' is not known; correct its name "
            "in talk.yaml"
        ) from None


def frozen_rates(params: Params, network: Network, machine: Any, seed: int) -> NDArray[np.float64]:
    """Output rate of the trained network by pattern in Hz, under the noise of another seed."""
    task = make_task(params, "test", Streams(params.seed))
    assert task is not None
    recording = machine.run(task.stimulus, bind(params, network).values, seed=seed)
    rates = counted_rates(params, recording)[:, OUTPUT]
    return rates.reshape(params.n_test_repeats, len(PATTERNS)).mean(axis=0)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """The network in the program it was trained in, under noise of its own."""
    if variant in xor_controls.RULES:
        return xor_controls.evaluate(network, task)
    from whyspiking.brian import Machine

    machine = Machine(to_brian(params), params.work_dir)
    recording = machine.run(
        task.stimulus,
        bind(params, network).values,
        trials=int(task.targets.shape[0]),
        seed=Streams(params.seed).integer("evaluation noise"),
    )
    return decode(params, recording, task)


def to_brian(params: Params) -> BrianModel:
    """The one structure of training, lesions and frozen network."""
    return network_of.xor_model(params, protocol.training(params).array().shape[0])


def bind(params: Params, network: Network) -> Binding:
    """Weights and wiring; every trial begins afresh."""
    values = placed(params, network.info["variant"], network.arrays)
    n = len(POPULATIONS) * params.n_per_population
    layers = {}
    for name, (heard, kind) in SYNAPSES.items():
        weights = np.zeros((n, n))
        weights[values[f"{name}.i"], values[f"{name}.j"]] = values[f"{name}.w"]
        layers[f"{name}.w"] = Layer(heard, "neurons", weights, kind)
    return Binding(values={**values, "neurons.carry": 0.0}, layers=layers)


def counted_rates(params: Params, recording: Recording) -> NDArray[np.float64]:
    """Event rates in the counted part of each trial in Hz, (trial, population)."""
    spikes = recording.spikes["neurons"]
    counted = spikes.times_ms >= protocol.SKIPPED_MS
    place = (
        spikes.trials[counted] * len(POPULATIONS) + spikes.units[counted] // params.n_per_population
    )
    events = np.bincount(place, minlength=spikes.n_trials * len(POPULATIONS))
    seconds = (TRIAL_MS - protocol.SKIPPED_MS) / 1e3
    return events.reshape(spikes.n_trials, -1) / (seconds * params.n_per_population)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """1 if the output rate exceeds 6 Hz; known at the end of the presentation, not before."""
    rates = counted_rates(params, recording)[:, OUTPUT]
    return Trials.of(task, rates > protocol.THRESHOLD_HZ, TRIAL_MS)


def conditions(params: Params) -> Sequence[Condition]:
    """Events or burst spikes that no synapse hears, with probability `strength`."""
    return [
        *(Condition("delete_bursts", "neurons", float(p)) for p in params.lost_bursts),
        *(Condition("delete_events", "neurons", float(p)) for p in params.lost_events),
    ]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Task and binding under one of `conditions`."""
    which = {"delete_bursts": "p_lost_burst", "delete_events": "p_lost_event"}
    n = len(POPULATIONS) * params.n_per_population
    lost = {f"neurons.{which[condition.perturbation]}": np.full(n, condition.strength)}
    return task, replace(binding, values={**binding.values, **lost})


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Margin of the frozen network's mean output rates."""
    rates = counted_rates(params, recording)[:, OUTPUT]
    true, false = (rates[np.asarray(task.targets) == k] for k in (1, 0))
    patterns = np.asarray(task.stimulus.arrays["schedule"])[:, 0, :2]
    kinds, index = np.unique(patterns, axis=0, return_inverse=True)
    means = np.array([rates[index.ravel() == k].mean() for k in range(len(kinds))])
    is_true = kinds[:, 0] != kinds[:, 1]
    if not (true.size and false.size):
        return {}
    return {"xor_margin": float(means[is_true].min() - means[~is_true].max())}
