"""Networks of ideal neurons: Yin-Yang and the shared tasks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.goeltz import model
from whyspiking.talks.goeltz.brian_network import bind, to_brian
from whyspiking.talks.goeltz.task import features_until, make_task, samples
from whyspiking.training.first_spike import brian_network, encoding

__all__ = [
    "bind", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train a spiking network; of "frozen" the hidden layer stays as it was drawn."""
    from whyspiking.talks.goeltz import learning

    learner = partial(learning.Compiled, frozen=int(variant == "frozen"))
    return learning.train(params, streams, progress, learner=learner)


def control_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Return the values that the spikes encode, as the input of a control."""
    features, targets = samples(params, split)
    if features is None:
        return None
    return ct.Task(ct.Stimulus(), targets, params.n_output, features)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run the network in closed form."""
    return model.evaluate(params, model.weights_of(network), task)


def reference_first_ms(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """First spikes of all layers in closed form."""
    spikes = model.forward_pass(params, model.weights_of(network), task)
    return {
        name: layer.times * params.tau_s_ms
        for name, layer in zip(brian_network.POPULATIONS, spikes.layers, strict=True)
    }


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision."""
    times = recording.spikes["output"].first_ms() / params.tau_s_ms
    return encoding.decide(times, task, params.tau_s_ms)
