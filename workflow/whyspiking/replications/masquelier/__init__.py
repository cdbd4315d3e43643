"""Kheradpisheh & Masquelier 2020: S4NN; Zimmer et al. 2019: surrogate gradients on spoken words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
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
    Split,
    Task,
    Trials,
)
from whyspiking.first_spike import encoding
from whyspiking.optional import conditions, measures, vary
from whyspiking.randomness import Streams
from whyspiking.replications.masquelier import model
from whyspiking.replications.masquelier import task as tasks

__all__ = [
    "bind", "conditions", "decode", "evaluate", "exhibits", "features_until", "figures",
    "make_task", "measures", "reference_first_ms", "to_brian", "train", "vary",
]  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTROLS = ("mlp", "ink_mlp", "linear")
AUDIO = "words"
"""The experiment of the talk's other half, surrogate gradients; all others are of S4NN."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The inputs and targets of one split."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import task

        return task.make_task(params, split)
    return tasks.make_task(params, split, streams)


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant; one that starts from another is the same network, read out differently."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import learning

        return learning.train(params, variant, streams, parents, progress)
    if parents:
        (parent,) = parents.values()
        progress(1.0, "the network of another experiment, as it is")
        return parent.again()
    if variant in CONTROLS:
        from whyspiking.replications.masquelier import control

        return control.train(params, variant, streams, progress)
    from whyspiking.replications.masquelier import learning

    return learning.train(params, variant, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import learning

        return learning.evaluate(params, variant, network, task)
    if variant in CONTROLS:
        from whyspiking import controls

        return controls.evaluate(network, task)
    return model.evaluate(params, network, task)


def features_until(params: Params, task: Task, t_ms: float) -> NDArray | None:
    """Brightness of the pixels that have fired by a time, all others black; none of the words."""
    return None if params.experiment == AUDIO else encoding.brightness_until(task, t_ms)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes of all layers in the engine of training, for comparison with Brian2."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import learning

        return learning.first_spikes(params, variant, network, task)
    firing = model.forward(params, network, tasks.events_of(params, task))
    return {
        name: np.where(ticks < params.t_max, ticks * float(params.tick_ms), np.inf)
        for name, ticks in (("hidden", firing.hidden), ("output", firing.output))
    }


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; experiments of equal size share one build."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import simulation

        return simulation.brian_model(params)
    return model.brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import simulation

        return simulation.bind(params, network)
    return model.bind(params, network)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first output spike decides, ties by the experiment's rule; words: the largest output."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import learning, simulation

        told = simulation.outputs(params, recording)
        return learning.decisions(params, told, task)
    return model.decode(params, recording, task)


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """Arrays for the figures; see both modules named `examples`."""
    if params.experiment == AUDIO:
        from whyspiking.replications.masquelier.audio import examples

        return examples.collect(params, networks, simulate)
    from whyspiking.replications.masquelier import examples

    return examples.collect(params, networks, simulate, streams)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; see `drawing.py`."""
    from whyspiking.replications.masquelier.drawing import figures as draw

    return draw(results)
