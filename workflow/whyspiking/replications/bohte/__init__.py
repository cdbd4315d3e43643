"""Yin, Corradi & Bohte 2020: recurrent networks of spiking neurons with trained time constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
    Split,
    Task,
)
from whyspiking.randomness import Streams
from whyspiking.replications.bohte import digits, pixels, simulation
from whyspiking.replications.bohte import task as tasks

__all__ = [
    "bind", "conditions", "control_counts", "decode", "evaluate", "exhibits", "figures",
    "make_task", "measures", "reference_counts", "to_brian", "train", "vary",
]  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNTRAINED, EQUAL = "tau_untrained", "tau_equal"
"""Conditions of this talk: time constants as before training, or all the same."""


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Labelled electrocardiograms, spoken digits, or digits read pixel by pixel."""
    if params.experiment in digits.EXPERIMENTS:
        return digits.make_task(params, split)
    if params.experiment in pixels.EXPERIMENTS:
        return pixels.make_task(params, split)
    return tasks.make_task(params, split, streams)


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant, or hand on the network that an experiment compares others with."""
    from whyspiking.replications.bohte import learning

    return learning.train(params, variant, streams, parents, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    from whyspiking.replications.bohte import learning

    return learning.evaluate(params, variant, network, task)


def control_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, float]:
    """Operations of the recurrent controls."""
    from whyspiking.replications.bohte import counts

    return counts.control_counts(params, network, task)


def reference_counts(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """Spikes of every neuron in the engine of training, for comparison with Brian2."""
    from whyspiking.replications.bohte import network as networks

    spikes = networks.spikes(
        params, network.info["cell"], network.arrays, tasks.raster(params, task)
    )
    return {simulation.hidden(k): found.sum(axis=1) for k, found in enumerate(spikes)}


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; all networks of equal sizes share one build."""
    return simulation.brian_model(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure."""
    return simulation.bind(params, network)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """What the outputs say: a label for every step, or a class for every trial."""
    outputs = simulation.outputs(params, recording)
    if params.experiment in tasks.CLASSIFIED:
        return digits.outcome(params, outputs, task)
    return tasks.outcome(params, outputs, task)


def conditions(params: Params) -> Sequence[Condition]:
    """Trained time constants undone, in the experiment that has the battery."""
    if params.experiment != "ecg":
        return ()
    return [Condition(name, "neurons", 1.0) for name in (UNTRAINED, EQUAL)]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """The network with other time constants; weights stay as trained."""
    if not isinstance(binding, simulation.TimedBinding):
        raise TypeError("time constants before training need the binding that `bind` returns")
    if condition.perturbation == UNTRAINED:
        changed = dict(binding.start)
    else:
        # The geometric mean: time constants are trained as logarithms.
        taus = {key: np.asarray(binding.values[key]) for key in binding.start}
        changed = {k: np.full_like(v, np.exp(np.log(v).mean())) for k, v in taus.items()}
    return task, replace(binding, values={**binding.values, **changed})


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """The papers' own estimate of energy, and their scoring where steps are unlabelled."""
    from whyspiking.replications.bohte import measures_published

    return measures_published.measures(params, condition, recording, task)


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """Arrays for the figures; see `examples.py`."""
    from whyspiking.replications.bohte import examples

    return examples.collect(params, networks, simulate)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; see `drawing.py`."""
    from whyspiking.replications.bohte.drawing import figures as draw

    return draw(results)
