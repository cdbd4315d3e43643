"""The experiment `plasticity`: one synapse, the burst rule, and three pairing protocols.

Equation numbers are those of this talk's README. Nothing is trained: the network is the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Binding,
    Condition,
    Layer,
    Network,
    Networks,
    Params,
    Parents,
    Progress,
    Recording,
    Simulate,
    Split,
    Stimulus,
    Task,
    Traces,
)
from whyspiking.talks.naud import pairing

# The spike of a neuron that is told when to fire.
FORCED = """
driven : 1
w_seen : 1
"""
# Eqs. 33-34: trace of presynaptic events, running means of postsynaptic events and bursts.
TRACES = """
dx/dt = -x/tau_trace : 1 (event-driven)
devents/dt = -events/tau_mean : Hz (event-driven)
dbursts/dt = -bursts/tau_mean : Hz (event-driven)
w : 1
pending : 1
pre_spike : second
post_spike : second
"""
# Eq. 33.
ON_PRE = """
x += int(t - pre_spike > window)
pre_spike = t
"""
# Eqs. 34-37; the means are read before the present spike enters them.
ON_POST = """
event = int(t - post_spike > window)
burst = (1 - event)*pending
change = eta*x*(burst - event*clip(bursts/events, 0, 1))
w += change
w_seen_post += change
events += event/tau_mean
bursts += burst/tau_mean
pending = event
post_spike = t
"""


def make_task(params: Params, split: Split, streams: Any) -> Task | None:
    """Spikes of all protocols; the target is the mean-field prediction (Eq. 38)."""
    if split == "fresh":
        return None
    times = _sample_times(params)
    return Task(
        stimulus=Stimulus(spikes=pairing.spikes(params, streams.rng(f"pairing-{split}"))),
        targets=pairing.mean_field(params, times)[None],
        n_classes=0,
        dt_ms=params.sample_ms,
    )


def train(
    params: Params, variant: str, streams: Any, parents: Parents, progress: Progress
) -> Network:
    """The starting point of every synapse: there is nothing to train."""
    progress(1.0, "the rule itself; nothing to train")
    return Network(arrays=start(params), info={"engine": "numpy"})


def start(params: Params) -> dict[str, NDArray]:
    """Weights and running means (Hz) before the pairing, (synapse,)."""
    found = pairing.pairings(params)
    events = np.array([p.event_start_hz for p in found])
    return {
        "w": np.full(len(found), float(params.w_start)),
        "events": events,
        "bursts": events * np.array([p.p_start for p in found]),
    }


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Traces:
    """The closed recursion in NumPy on the same spikes, brought to the steps of Brian2."""
    pre, post = on_steps(params, task)
    w = pairing.recursion(params, pre, post, network.arrays, params.sample_ms)
    return _curves(params, w, task)


def on_steps(params: Params, task: Task) -> tuple[Spikes, Spikes]:
    """Pre- and postsynaptic spikes as Brian2 has them: on whole steps, forced ones a step later."""
    steps = {
        name: np.floor(spikes.times_ms / params.dt_ms + 0.5)
        for name, spikes in task.stimulus.spikes.items()
    }
    pre, post = task.stimulus.spikes["pre"], task.stimulus.spikes["forced"]
    return (
        replace(pre, times_ms=steps["pre"] * params.dt_ms),
        replace(post, times_ms=(steps["forced"] + 1) * params.dt_ms),
    )


def to_brian(params: Params) -> BrianModel:
    """Forced pre- and postsynaptic neurons, one plastic synapse each (Eqs. 33-37)."""
    n = len(pairing.pairings(params))
    names = {"tau_trace": params.tau_pre, "tau_mean": params.tau_mean}
    window, eta = pairing.window_ms(params), params.eta_pairing

    def construct(inputs: Mapping[str, Any]) -> Sequence[Any]:
        import brian2

        ms = brian2.ms
        known = {key: value * ms for key, value in names.items()}
        known |= {"window": window * ms, "eta": eta}
        post = brian2.NeuronGroup(
            n, FORCED, threshold="driven > 0", reset="driven = 0", method="exact", name="post"
        )
        force = brian2.Synapses(inputs["forced"], post, on_pre="driven_post = 1", name="force")
        force.connect(j="i")
        plastic = brian2.Synapses(
            inputs["pre"],
            post,
            TRACES,
            on_pre=ON_PRE,
            on_post=ON_POST,
            namespace=known,
            method="exact",
            name="plastic",
        )
        plastic.connect(j="i")
        return [post, force, plastic]

    return BrianModel(
        name="naud-pairing",
        definition={
            "n": n,
            "constants": {**names, "window": window, "eta": eta},
            "equations": [FORCED, TRACES, ON_PRE, ON_POST],
        },
        construct=construct,
        inputs={"pre": n, "forced": n},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=1,
        record_spikes=("post",),
        record_traces={"weight": ("post", "w_seen", params.sample_ms)},
    )


def bind(params: Params, network: Network) -> Binding:
    """Weights and running means at the start."""
    arrays = network.arrays
    names = ("w", "events", "bursts")
    values: dict[str, NDArray | float] = {f"plastic.{name}": arrays[name] for name in names}
    values |= {"plastic.pre_spike": -1e4, "plastic.post_spike": -1e4, "post.w_seen": arrays["w"]}
    return Binding(
        values=values,
        layers={"plastic.w": Layer("pre", "post", np.eye(arrays["w"].size, dtype=np.float32))},
    )


def decode(params: Params, recording: Recording, task: Task) -> Traces:
    """Mean change of weight over the repetitions of every burst-Poisson pairing."""
    return _curves(params, recording.traces["weight"][0], task)


def conditions(params: Params) -> Sequence[Condition]:
    """`average` (neurons): the running mean of burst probability starts at `strength`."""
    return [Condition("average", "neurons", float(params.p_start_moved))]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """The same spikes with another running mean at the start."""
    moved = condition.strength * np.asarray(binding.values["plastic.events"])
    return task, replace(binding, values={**binding.values, "plastic.bursts": moved})


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Where the change of weight crosses zero, and how its slope grows with the event rate."""
    change = total_change(params, recording.traces["weight"][0])
    p = np.asarray(params.burst_probabilities)
    lines = [np.polyfit(p, mean, 1) for mean in change["burst"].mean(axis=-1)]
    crossings = [float(-line[1] / line[0]) for line in lines]
    found = {
        "zero_crossing": float(np.mean(crossings)),
        "zero_crossing_error": max(abs(crossing - params.p_start) for crossing in crossings),
        "slope_ratio": float(lines[-1][0] / lines[0][0]),
    }
    if condition.perturbation != "none":
        return found
    rates = np.asarray(params.poisson_rates_hz, float)
    for name, mean in zip(POISSON_METRICS, change["poisson"].mean(axis=-1), strict=True):
        found[name] = first_crossing(rates, mean)
    return found


POISSON_METRICS = ("poisson_crossing_low", "poisson_crossing_high")
"""Metrics of the two starting points of the Poisson protocol."""


def total_change(params: Params, weights: NDArray) -> dict[str, NDArray]:
    """Change of weight at the end, by protocol.

    Args:
        params: Which pairings there are.
        weights: Sampled weights, (time, synapse).

    Returns:
        "burst" (event rate, probability, repetition), "poisson" (start, rate, repetition),
        "periodic" (rate,).
    """
    change = weights[-1] - params.w_start
    n_repeats = params.n_realisations
    sizes = {
        "burst": (len(params.event_rates_hz), len(params.burst_probabilities), n_repeats),
        "poisson": (len(params.poisson_starts), len(params.poisson_rates_hz), n_repeats),
        "periodic": (len(params.periodic_rates_hz),),
    }
    found, begin = {}, 0
    for name, shape in sizes.items():
        stop = begin + int(np.prod(shape))
        found[name] = change[begin:stop].reshape(shape)
        begin = stop
    return found


def first_crossing(x: NDArray, y: NDArray) -> float:
    """Where a curve first rises through zero, by a straight line; nan where it does not."""
    rising = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
    if not rising.size:
        return float("nan")
    k = int(rising[0])
    return float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Any
) -> dict[str, NDArray]:
    """Changes of weight in Brian2 for the first seed, repetitions kept, and the prediction.

    `burst`, `poisson`, `periodic`: see `total_change`; `predicted` (event rate, probability).
    """
    from whyspiking.contract.randomness import Streams

    seed = min(seed for _, seed in networks)
    task = make_task(params, "test", Streams(seed))
    assert task is not None
    recording = simulate(networks["spiking", seed], task)
    predicted = pairing.mean_field(params, _sample_times(params))[-1]
    return {
        **total_change(params, recording.traces["weight"][0]),
        "predicted": predicted.reshape(len(params.event_rates_hz), -1),
        "event_rates_hz": np.asarray(params.event_rates_hz, float),
        "burst_probabilities": np.asarray(params.burst_probabilities, float),
        "poisson_starts": np.asarray(params.poisson_starts, float),
        "poisson_rates_hz": np.asarray(params.poisson_rates_hz, float),
        "periodic_rates_hz": np.asarray(params.periodic_rates_hz, float),
        "p_start": np.array(params.p_start),
    }


def _sample_times(params: Params) -> NDArray[np.float64]:
    return np.arange(0.0, params.trial_ms, params.sample_ms)


def _curves(params: Params, weights: NDArray, task: Task) -> Traces:
    n_curves = len(params.event_rates_hz) * len(params.burst_probabilities)
    paired = weights[:, : n_curves * params.n_realisations] - params.w_start
    means = paired.reshape(len(weights), n_curves, params.n_realisations).mean(axis=-1)
    return Traces(outputs=means[None], targets=task.targets, dt_ms=params.sample_ms)
