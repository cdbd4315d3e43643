"""The experiment `plasticity`: one synapse, the burst rule, and two pairing protocols.

Equation numbers are those of this talk's README. Nothing is trained: the network is the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.talks.naud.burst_code import learning, pairing
from whyspiking.talks.naud.burst_code.brian_network import synapse


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Spikes of all protocols; the target is the mean-field prediction (Eq. 38)."""
    if split == "fresh":
        return None
    times = sample_times(params)
    return ct.Task(
        stimulus=ct.Stimulus(spikes=pairing.spikes(params, streams.rng(f"pairing-{split}"))),
        targets=learning.mean_field(params, times)[None],
        n_classes=0,
        dt_ms=params.sample_ms,
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """The starting point of every synapse: there is nothing to train."""
    progress(1.0, "the rule itself; nothing to train")
    return ct.Network(arrays=start(params), info={"engine": "numpy"})


def start(params: ct.Params) -> dict[str, NDArray]:
    """Weights and running means (Hz) before the pairing, (synapse,)."""
    pairs = pairing.pairings(params)
    events = np.array([p.event_start_hz for p in pairs])
    return {
        "w": np.full(len(pairs), float(params.w_start)),
        "events": events,
        "bursts": events * np.array([p.p_start for p in pairs]),
    }


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Traces:
    """The closed recursion in NumPy on the same spikes, brought to the steps of Brian2."""
    pre, post = on_steps(params, task)
    w = learning.recursion(params, pre, post, network.arrays, params.sample_ms)
    return _average_curves(params, w, task)


def on_steps(params: ct.Params, task: ct.Task) -> tuple[Spikes, Spikes]:
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


def to_brian(params: ct.Params) -> BrianModel:
    """Forced pre- and postsynaptic neurons, one plastic synapse each."""
    return synapse(params)


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Weights and running means at the start."""
    arrays = network.arrays
    names = ("w", "events", "bursts")
    values: dict[str, NDArray | float] = {f"plastic.{name}": arrays[name] for name in names}
    values |= {"plastic.pre_spike": -1e4, "plastic.post_spike": -1e4, "post.w_seen": arrays["w"]}
    return ct.Binding(
        values=values,
        layers={"plastic.w": ct.Layer("pre", "post", np.eye(arrays["w"].size, dtype=np.float32))},
    )


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Traces:
    """Mean change of weight over the repetitions of every burst-Poisson pairing."""
    return _average_curves(params, recording.traces["weight"][0], task)


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """`average` (neurons): the running mean of burst probability starts at `strength`."""
    return [ct.Condition("average", "neurons", float(params.p_start_moved))]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """The same spikes with another running mean at the start."""
    moved_bursts = condition.strength * np.asarray(binding.values["plastic.events"])
    return task, replace(binding, values={**binding.values, "plastic.bursts": moved_bursts})


def total_change(params: ct.Params, weights: NDArray) -> dict[str, NDArray]:
    """Change of weight at the end, by protocol.

    Args:
        params: Which pairings there are.
        weights: Sampled weights, (time, synapse).

    Returns:
        "burst" (event rate, probability, repetition), "poisson" (start, rate, repetition).
    """
    change = weights[-1] - params.w_start
    n_repeats = params.n_realisations
    shapes = {
        "burst": (len(params.event_rates_hz), len(params.burst_probabilities), n_repeats),
        "poisson": (len(params.poisson_starts), len(params.poisson_rates_hz), n_repeats),
    }
    change_by_protocol, first_synapse = {}, 0
    for name, shape in shapes.items():
        stop_synapse = first_synapse + int(np.prod(shape))
        change_by_protocol[name] = change[first_synapse:stop_synapse].reshape(shape)
        first_synapse = stop_synapse
    return change_by_protocol


def sample_times(params: ct.Params) -> NDArray[np.float64]:
    """When weights are sampled in ms, (time,)."""
    return np.arange(0.0, params.trial_ms, params.sample_ms)


def _average_curves(params: ct.Params, weights: NDArray, task: ct.Task) -> ct.Traces:
    n_curves = len(params.event_rates_hz) * len(params.burst_probabilities)
    paired_changes = weights[:, : n_curves * params.n_realisations] - params.w_start
    means = paired_changes.reshape(len(weights), n_curves, params.n_realisations).mean(axis=-1)
    return ct.Traces(outputs=means[None], targets=task.targets, dt_ms=params.sample_ms)
