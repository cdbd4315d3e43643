"""Kaiser, Mostafa & Neftci 2020: DECOLLE, deep continuous local learning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking import optional
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
    Split,
    Task,
    Trials,
)
from whyspiking.randomness import Streams
from whyspiking.replications.neftci import model
from whyspiking.replications.neftci import task as tasks

__all__ = [
    "bind", "conditions", "control_decisions", "decode", "evaluate", "exhibits", "features_until",
    "figures", "make_task", "measures", "reference_counts", "to_brian", "train", "vary",
]  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTROLS, GRU = ("mlp", "linear"), "gru"
MISMATCH, MEMORY, REGRESSION = "mismatch", "memory", "regression"


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Digits of one split, or the one trial of the regression."""
    if params.experiment == REGRESSION:
        from whyspiking.replications.neftci import regression

        return None if split == "fresh" else regression.make_task(params, streams)
    return tasks.make_task(params, split, streams)


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant; one that starts from another is that network as it is."""
    if parents:
        (parent,) = parents.values()
        progress(1.0, "the network of another experiment, as it is")
        left_out = ("epochs", "epoch_seconds", "counts", "measures")
        info = {key: value for key, value in parent.info.items() if key not in left_out}
        taken = Network(dict(parent.arrays), info)
        if params.experiment == MEMORY:
            from whyspiking.replications.neftci import memory

            found = memory.curves(params)
            taken.info["measures"] = memory.slopes(params, found)
            taken.history = [
                {"epoch": n, "metric": f"memory_{rule}", "value": float(size)}
                for rule, sizes in found.items()
                for n, size in zip(params.memory_frames, sizes, strict=True)
            ]
        return taken
    if params.experiment == REGRESSION:
        from whyspiking.replications.neftci import regression

        return regression.train(params, variant, streams, progress)
    if variant == GRU:
        from whyspiking.replications.neftci import gru

        return gru.train(params, streams, progress)
    if variant in CONTROLS:
        from whyspiking.replications.neftci import control

        return control.train(params, variant, streams, progress)
    from whyspiking.replications.neftci import learning

    return learning.train(params, variant, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    if params.experiment == REGRESSION:
        from whyspiking.replications.neftci import regression

        return regression.evaluate(params, network, task)
    if variant == GRU:
        from whyspiking.replications.neftci import gru

        return gru.evaluate(params, network, task)
    if variant in CONTROLS:
        from whyspiking import controls

        return controls.evaluate(network, task)
    from whyspiking.replications.neftci import learning

    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    return model.decide(params, task.targets, learning.read(params, network, frames)[-1])


def features_until(params: Params, task: Task, t_ms: float) -> NDArray | None:
    """Activity of every input over the time so far; None of the time series."""
    return None if params.experiment == REGRESSION else tasks.features_until(params, task, t_ms)


def control_decisions(params: Params, variant: str, network: Network, task: Task) -> Trials | None:
    """When a control's vote is settled, by the rule for the spiking network."""
    if variant == GRU:
        from whyspiking.replications.neftci import gru

        return gru.evaluate(params, network, task)
    if variant in CONTROLS:
        from whyspiking.replications.neftci import measures_control

        return measures_control.decisions(params, network, task)
    return None


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spike counts of all layers in the engine of training, for comparison with Brian2."""
    if params.experiment == REGRESSION:
        from whyspiking.replications.neftci import learning, regression

        frames = regression.raster_of(params, task)[:, None].astype(np.float32)
        counts = learning.counts_of(params, network, frames)
        return dict(zip(model.names(params), counts, strict=True))
    from whyspiking.replications.neftci import learning

    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    counts = learning.counts_of(params, network, frames)
    return dict(zip(model.names(params), counts, strict=True))


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; where learning goes on there, with the rule in it."""
    return _simulated(params).brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure."""
    return _simulated(params).bind(params, network)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """The vote of the last layer's readout, after relearning that of the last test; time series."""
    return _simulated(params).decode(params, recording, task)


def conditions(params: Params) -> Sequence[Condition]:
    """Lives of devices, one per size of deviations."""
    if params.experiment == MISMATCH:
        from whyspiking.replications.neftci import plastic

        return plastic.conditions(params)
    return optional.conditions(params)


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Trials and deviations of one device's life."""
    from whyspiking.replications.neftci import plastic

    return plastic.vary(params, condition, task, binding, rng)


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Accuracy of every layer's readout and activity; of a device's life its stages."""
    if params.experiment == MISMATCH:
        from whyspiking.replications.neftci import measures_life

        return measures_life.measures(params, recording, task)
    if params.experiment == REGRESSION:
        from whyspiking.replications.neftci import regression

        return regression.measures(params, recording, task)
    return model.layer_measures(params, recording, task)


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """Arrays for the figures: one digit and what the layers make of it."""
    if params.experiment == REGRESSION:
        from whyspiking.replications.neftci import regression

        return regression.exhibits(params, networks, simulate)
    from whyspiking.replications.neftci import examples

    return examples.collect(params, networks, simulate, streams)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; see `drawing.py`."""
    from whyspiking.replications.neftci.drawing import figures as draw

    return draw(results)


def _simulated(params: Params) -> ModuleType:
    """The module that knows the structure of an experiment in Brian2."""
    if params.experiment == MISMATCH:
        from whyspiking.replications.neftci import plastic

        return plastic
    if params.experiment == REGRESSION:
        from whyspiking.replications.neftci import regression

        return regression
    return model
