"""Neurons that learn to tell spike patterns apart."""

from __future__ import annotations

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Task,
    Trials,
)
from whyspiking.talks._template import model
from whyspiking.talks._template.task import make_task, times_ms

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train the output; the controls are declared in talk.yaml."""
    from whyspiking.talks._template import learning

    return learning.train(params, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run the neurons in closed form, layer by layer."""
    first = times_ms(task)
    for name in model.layers(params):
        first = model.first_spikes(params, network.arrays[name], first)
    return model.decide(params, first, task)


def to_brian(params: Params) -> BrianModel:
    """The structure that Brian2 compiles once."""
    return model.brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place trained weights into that structure."""
    return model.bind(params, network.arrays)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first spike of the output decides."""
    return model.decide(params, recording.spikes["output"].first_ms(), task)
