"""Goeltz et al. 2021: fast and deep learning with exact first-spike times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import (
    Binding,
    BrianModel,
    Condition,
    Network,
    Outcome,
    Params,
    Progress,
    Recording,
    Results,
    Task,
    Trials,
)
from whyspiking.optional import measures
from whyspiking.randomness import Streams
from whyspiking.replications.goeltz import distortion, model
from whyspiking.replications.goeltz.task import features_until, make_task

__all__ = [
    "bind", "conditions", "decode", "evaluate", "exhibits", "features_until", "figures",
    "make_task", "measures", "reference_first_ms", "to_brian", "train", "vary",
]  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTROLS = ("mlp", "linear")


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant: `spiking`, a control, or the distorted networks of `distortion`."""
    if variant in CONTROLS:
        from whyspiking.replications.goeltz import control

        return control.train(params, variant, streams, progress)
    if params.experiment == "distortion":
        (parent,) = parents.values()
        if variant == "retrained":
            return distortion.retrain(params, streams, parent, progress)
        return distortion.unadapted(params, streams, parent)
    from whyspiking.replications.goeltz import learning

    return learning.train(params, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    if variant in CONTROLS:
        from whyspiking import controls

        return controls.evaluate(network, task)
    return model.evaluate(params, _weights(network), task)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes of both layers in the engine of training, for comparison with Brian2."""
    spikes = model.forward_pass(params, _weights(network), task)
    return {
        "hidden": spikes.hidden.times * params.tau_s_ms,
        "output": spikes.output.times * params.tau_s_ms,
    }


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; experiments of equal size share one build."""
    return model.brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure, with its distorted forms where it has some."""
    return distortion.bind(params, network)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision."""
    times = recording.spikes["output"].first_ms() / params.tau_s_ms
    return model.decide(times, task, params)


def conditions(params: Params) -> Sequence[Condition]:
    """The distortions of the substrate, for the experiment that studies them."""
    if params.experiment != "distortion":
        return ()
    return distortion.conditions(params)


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Task and binding under one distortion."""
    return distortion.vary(params, condition, task, binding, rng)


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """Arrays for the figures; see `examples.py`."""
    from whyspiking.replications.goeltz import examples

    return examples.collect(params, networks, simulate, streams)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; see `drawing.py`."""
    from whyspiking.replications.goeltz.drawing import figures as draw

    return draw(results)


def _weights(network: Network) -> model.Weights:
    return network.arrays["w_hidden"], network.arrays["w_output"]
