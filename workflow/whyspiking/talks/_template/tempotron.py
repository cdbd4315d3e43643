"""One neuron that learns to tell spike patterns apart."""

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
    """Train the neuron; the controls are declared in talk.yaml."""
    from whyspiking.talks._template import learning

    return learning.train(params, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run the neuron in closed form."""
    first = model.first_spikes(params, network.arrays["w"], times_ms(task))
    return model.decide(params, first, task)


def to_brian(params: Params) -> BrianModel:
    """The structure that Brian2 compiles once."""
    return model.brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained neuron into that structure."""
    return model.bind(params, network.arrays["w"])


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """A spike means class 1, silence class 0."""
    return model.decide(params, recording.spikes["output"].first_ms()[:, 0], task)
