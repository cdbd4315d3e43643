"""Richard Naud: burst-dependent synaptic plasticity coordinates learning in a hierarchy.

Implements `whyspiking.contract.Replication`. Every experiment belongs to a family, a module of this
folder that exports the contract's functions it needs; those it lacks are the ones below that do
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from whyspiking.contract import (
    Binding,
    BrianModel,
    Condition,
    Network,
    Outcome,
    Params,
    Progress,
    Recording,
    Split,
    Task,
)
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.replications.naud import digits, multiplexing, plasticity, single_cell, xor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from whyspiking.contract import Results

FAMILIES: Mapping[str, ModuleType] = {
    "xor": xor,
    "neuron": single_cell,
    "multiplexing": multiplexing,
    "plasticity": plasticity,
    "mnist": digits,
}
"""Experiment -> the module that implements it."""


def family(params: Params) -> Any:
    """The module that implements an experiment.

    Raises:
        UserError: If talk.yaml names an experiment that no module implements.
    """
    try:
        return FAMILIES[params.experiment]
    except KeyError:
        raise UserError(
            f"talk 'naud': experiment '{params.experiment}' has no module; add it to FAMILIES"
        ) from None


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The inputs and targets of one split."""
    return family(params).make_task(params, split, streams)


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant."""
    return family(params).train(params, variant, streams, parents, progress)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome | None:
    """Run the network in the engine it was trained in; None where it has none but Brian2."""
    return family(params).evaluate(params, variant, network, task)


def to_brian(params: Params) -> BrianModel:
    """The structure that simulates the experiment."""
    return family(params).to_brian(params)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure of `to_brian`."""
    return family(params).bind(params, network)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """Read decisions or output traces out of a recording."""
    return family(params).decode(params, recording, task)


def conditions(params: Params) -> Sequence[Condition]:
    """Own conditions of the experiment; none where its family has none."""
    return _of(params, "conditions", lambda _: ())(params)


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: Any
) -> tuple[Task, Binding]:
    """Task and binding under one of `conditions`."""
    return family(params).vary(params, condition, task, binding, rng)


def perturb_recording(
    params: Params, condition: Condition, recording: Recording, rng: Any
) -> Recording | None:
    """Recorded spikes under one of `conditions`; None where the network is simulated anew."""
    return _of(params, "perturb_recording", lambda *_: None)(params, condition, recording, rng)


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Metrics of the experiment beyond the score; none where its family has none."""
    return _of(params, "measures", lambda *_: {})(params, condition, recording, task)


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, Any]:
    """Arrays for the figures of the experiment; none where its family has none."""
    return _of(params, "exhibits", lambda *_: {})(params, networks, simulate, streams)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; matplotlib is imported only here."""
    from whyspiking.replications.naud.drawing import figures as draw

    return draw(results)


def _of(params: Params, name: str, nothing: Callable[..., Any]) -> Callable[..., Any]:
    return getattr(family(params), name, nothing)
