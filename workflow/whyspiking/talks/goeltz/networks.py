"""Networks of ideal neurons: Yin-Yang and MNIST."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.talks.goeltz import model
from whyspiking.talks.goeltz.model import bind, to_brian
from whyspiking.talks.goeltz.task import features_until, make_task, samples
from whyspiking.training.first_spike import brian_network, encoding

__all__ = [
    "bind", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train the spiking network."""
    from whyspiking.talks.goeltz import learning

    return learning.train(params, streams, progress)


def control_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The values that the spikes stand for."""
    features, targets = samples(params, split)
    if features is None:
        return None
    return Task(Stimulus(), targets, params.n_output, features)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run the network in closed form."""
    return model.evaluate(params, model.weights_of(network), task)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes of all layers in closed form."""
    spikes = model.forward_pass(params, model.weights_of(network), task)
    names = brian_network.populations(len(spikes.layers) - 1)
    return {
        name: layer.times * params.tau_s_ms
        for name, layer in zip(names, spikes.layers, strict=True)
    }


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision."""
    times = recording.spikes["output"].first_ms() / params.tau_s_ms
    return encoding.decide(times, task, params.tau_s_ms)
