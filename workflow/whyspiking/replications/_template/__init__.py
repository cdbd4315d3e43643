"""Template of a talk: the tempotron of Gütig & Sompolinsky 2006."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from numpy.typing import NDArray

from whyspiking.contract import (
    Binding,
    BrianModel,
    Network,
    Outcome,
    Params,
    Progress,
    Recording,
    Results,
    Task,
    Trials,
)
from whyspiking.optional import conditions, measures, vary
from whyspiking.randomness import Streams
from whyspiking.replications._template import model
from whyspiking.replications._template.task import make_task, times_ms

__all__ = [
    "bind", "conditions", "decode", "evaluate", "exhibits", "figures", "make_task", "measures",
    "to_brian", "train", "vary",
]  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant: the neuron, or a control."""
    from whyspiking.replications._template import learning

    if variant == "spiking":
        return learning.train(params, streams, progress)
    return learning.train_control(params, variant, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    if variant == "spiking":
        first = model.first_spikes(params, network.arrays["w"], times_ms(task))
        return model.decide(params, first, task.targets)
    from whyspiking import controls
    from whyspiking.replications._template import learning

    return controls.evaluate(network, learning.seen_by(variant, task))


def to_brian(params: Params) -> BrianModel:
    """The structure that Brian2 compiles once."""
    return model.brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into that structure."""
    return model.bind(params, network.arrays["w"])


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """A spike means class 1, silence class 0."""
    return model.decide(params, recording.spikes["output"].first_ms()[:, 0], task.targets)


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """None: the figure is drawn from the training history."""
    return {}


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; matplotlib is imported only here."""
    from whyspiking.replications._template.drawing import figures as draw

    return draw(results)
