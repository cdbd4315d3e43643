"""Comsa et al. 2020: temporal coding with the alpha synaptic function."""

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
    Split,
    Task,
    Trials,
)
from whyspiking.first_spike import encoding
from whyspiking.randomness import Streams
from whyspiking.replications.comsa import boolean, model, probes, pulsed
from whyspiking.replications.comsa import task as digits

__all__ = [
    "bind", "conditions", "decode", "evaluate", "exhibits", "features_until", "figures",
    "make_task", "measures", "reference_first_ms", "to_brian", "train", "vary",
]  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONTROLS = ("mlp", "ink", "linear")
PROBED = ("mnist_slow", "mnist_fast")


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Digits, or one example of every Boolean gate per trial."""
    if params.experiment == "boolean":
        return boolean.make_task(params, split, streams)
    return digits.make_task(params, split, streams)


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant, read a released network, or take that of another experiment."""
    if parents:
        (parent,) = parents.values()
        progress(1.0, "the network of another experiment, as it is")
        return parent.again()
    if variant in CONTROLS:
        if parents:
            progress(1.0, "the control of another experiment, as it is")
            return next(iter(parents.values())).again()
        from whyspiking.replications.comsa import control

        return control.train(params, variant, streams, progress)
    if params.experiment == "released":
        from whyspiking.replications.comsa import released

        return released.load(params, variant)
    if params.experiment == "boolean":
        return boolean.train(params, streams, progress)
    from whyspiking.replications.comsa import learning

    return learning.train(params, variant, streams, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    if variant in CONTROLS:
        from whyspiking import controls

        return controls.evaluate(network, task)
    if params.experiment == "boolean":
        values = model.times_of(params, task)
        times = boolean.first_output_times(params, network.arrays, values)
        return boolean.decide(params, times, task)
    return model.evaluate(params, network.arrays, task)


def features_until(params: Params, task: Task, t_ms: float) -> NDArray | None:
    """Brightness of the pixels that have fired by a time, all others black; none of the gates."""
    return None if params.experiment == "boolean" else encoding.brightness_until(task, t_ms)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes up to the end of the trial in closed form, for comparison with Brian2."""
    values = model.times_of(params, task)
    if params.experiment == "boolean":
        times = boolean.first_output_times(params, network.arrays, values)
        found = {"output": times.reshape(len(values), -1)}
    else:
        hidden, output = model.first_spikes(params, network.arrays, values)
        found = {"hidden": hidden, "output": output}
    scaled = {name: times * params.unit_ms for name, times in found.items()}
    return {k: np.where(times <= params.trial_ms, times, np.inf) for k, times in scaled.items()}


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; experiments of equal size share one build."""
    if params.experiment == "boolean":
        return boolean.brian_model(params)
    return pulsed.network(
        f"comsa-{params.n_input}-{params.n_hidden}-{params.n_output}",
        n_input=params.n_input,
        n_hidden=params.n_hidden,
        n_output=params.n_output,
        n_pulses=params.n_pulses,
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure of `to_brian`."""
    if params.experiment == "boolean":
        return boolean.bind(params, network)
    return pulsed.bind(
        {name: network.arrays[name] for name in model.NAMES},
        n_input=params.n_input,
        threshold=model.threshold(params),
        tau_ms=model.tau_ms(params),
        unit_ms=params.unit_ms,
    )


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision."""
    if params.experiment == "boolean":
        times = boolean.simulated_times(params, recording.spikes["output"])
        return boolean.decide(params, times, task)
    return model.decide(recording.spikes["output"].first_ms() / params.unit_ms, task, params)


def conditions(params: Params) -> Sequence[Condition]:
    """Probes of what the times of each layer carry, for the trained MNIST networks."""
    return probes.conditions(params) if params.experiment in PROBED else ()


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Task and binding under one probe."""
    if not isinstance(binding, pulsed.PulsedBinding):
        raise TypeError("probes need the binding that `bind` returns")
    return probes.vary(params, condition, task, binding, rng)


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Hidden neurons that fire before the decision; Boolean: medians over networks."""
    if condition.perturbation != "none":
        return {}
    if params.experiment == "boolean":
        times = boolean.simulated_times(params, recording.spikes["output"])
        return boolean.medians(params, times, task)
    hidden, output = (recording.spikes[name].first_ms() for name in ("hidden", "output"))
    return {"hidden_before_decision": model.hidden_before_decision(hidden, output.min(axis=1))}


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """Arrays for the figures; see `examples.py`."""
    from whyspiking.replications.comsa import examples

    return examples.collect(params, networks, simulate, streams)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; see `drawing.py`."""
    from whyspiking.replications.comsa.drawing import figures as draw

    return draw(results)
