"""Networks of ideal neurons: Yin-Yang and MNIST."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    BrianModel,
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
from whyspiking.talks.goeltz.task import features_until, make_task, samples

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
    """First spikes of both layers in closed form."""
    spikes = model.forward_pass(params, model.weights_of(network), task)
    return {
        "hidden": spikes.hidden.times * params.tau_s_ms,
        "output": spikes.output.times * params.tau_s_ms,
    }


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; experiments of equal size share one build."""
    return model.brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure."""
    return model.bind(params, model.weights_of(network))


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision."""
    times = recording.spikes["output"].first_ms() / params.tau_s_ms
    return model.decide(times, task, params)
