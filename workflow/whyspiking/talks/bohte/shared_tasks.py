"""The tasks that all talks share, in steps, for one layer of adaptive neurons (README, 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets import shared
from whyspiking.talks.bohte import graded, one_class, training
from whyspiking.talks.bohte import network as networks
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.network import reference_counts
from whyspiking.talks.bohte.one_class import decode, evaluate
from whyspiking.talks.bohte.task import raster
from whyspiking.talks.bohte.training import Labelled

__all__ = [
    "bind", "control_counts", "decode", "evaluate", "features_until", "make_task",
    "reference_counts", "to_brian", "train",
]  # fmt: skip


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of one split, their spikes at the start of the steps into which they fall.

    "fresh" does not exist; of delayed match "train" is the first chunk.
    """
    trial_ms = params.n_steps * float(params.step_ms)
    return shared.task_on_steps(params, split, step_ms=float(params.step_ms), trial_ms=trial_ms)


def train(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parents: ct.Parents,
    progress: ct.Progress,
) -> ct.Network:
    """Train the network; on delayed match every trial is shown once, and a chunk is an epoch."""

    def labelled(split: ct.Split) -> Labelled:
        task = make_task(params, split, streams)
        assert task is not None
        return raster(params, task), task.targets

    if parents:
        (parent,) = parents.values()
        return _further(params, variant, streams, parent, progress, labelled)

    def chunk(epoch: int) -> Labelled:
        spikes, classes = next(shared.training_trials(params, epoch - 1))
        # At most one spike per input and step.
        return spikes.raster(spikes.steps(float(params.step_ms)), params.n_steps), classes

    if not shared.delayed(params):
        return training.train_classes(params, variant, streams, progress, labelled)
    own = replace(params, values={**params.values, "epochs": -(-params.n_train // shared.CHUNK)})
    return training.train_classes(own, variant, streams, progress, labelled, chunk)


def _further(
    params: ct.Params,
    variant: str,
    streams: Streams,
    parent: ct.Network,
    progress: ct.Progress,
    labelled: Callable[[ct.Split], Labelled],
) -> ct.Network:
    """A twin whose values are rounded, trained further with them (README, 13).

    All settings share the epochs `message_share`. Of those that lose at most `message_loss` of
    validation accuracy the one with fewest changes is taken; without a price of changes, the best.
    """
    cell, (x, wanted) = parent.info["cell"], labelled("validation")

    def right(arrays: Mapping[str, NDArray]) -> float:
        found = one_class.chosen(params, networks.outputs(params, cell, arrays, x))
        return float((found == wanted).mean())

    def changes(network: ct.Network) -> int:
        (sent,) = networks.sent(params, cell, network.arrays, x)
        return int(np.count_nonzero(np.diff(sent, axis=1, prepend=0)))

    start = parent
    if graded.LIMITS[0] not in parent.arrays:
        (sent,) = networks.sent(params, cell, parent.arrays, x)
        start = graded.coarser(parent, sent, params.message_bits, right)
    settings = list(product(params.message_rates, params.message_prices))
    epochs = max(1, round(params.message_share * params.epochs / len(settings)))
    found = [start]
    for factor, price in settings:
        rate = factor * params.rate_graded
        values = {**params.values, "epochs": epochs, "rate_graded": rate, "penalty": price}
        own = replace(params, values=values)
        found.append(
            training.train_classes(own, variant, streams, progress, labelled, start=start.arrays)
        )
    if variant not in training.PRICED:
        return max(found, key=lambda network: right(network.arrays))
    least = right(start.arrays) - params.message_loss
    return min((n for n in found if right(n.arrays) >= least), key=changes)


def control_counts(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, float]:
    """Operations of the graded twin, and what its neurons send."""
    from whyspiking.talks.bohte import measures

    counts = measures.control_counts(params, network, task)
    bits = float(network.arrays.get("bits_0", measures.counting.WHOLE_BITS))
    (sent,) = networks.sent(params, network.info["cell"], network.arrays, raster(params, task))
    found = measures.counting.traffic(np.diff(sent, axis=1, prepend=0), bits)
    if variant not in training.PRICED:
        on_change = {f"{name}_changes": value for name, value in found.items()}
        found = measures.counting.traffic(sent, bits) | on_change
    # What is 0 moves nothing, in the twin as among neurons that spike.
    fan_out = params.n_hidden + params.n_output
    counts["macs_effective"] = (
        raster(params, task).sum() / len(task.targets) * params.n_hidden
        + found["messages"] * fan_out
    )
    return counts | found


def features_until(params: ct.Params, task: ct.Task, t_ms: float) -> NDArray | None:
    """What a control makes of the inputs that have fired; see `shared.completed`."""
    if shared.delayed(params):
        return None
    fired = task.stimulus.spikes["input"].first_ms() <= t_ms
    return shared.completed(params, np.asarray(task.features), fired)
