"""The matched non-spiking networks of this talk (README, section 7)."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import NDArray

from whyspiking import controls
from whyspiking.contract import Network, Params, Progress, Split, Task, Trials
from whyspiking.randomness import Streams
from whyspiking.replications.comsa import task as digits

MARK = "ink_"
"""Stands before the names of `ink`'s arrays: they do not act on `Task.features` as such."""


def train(params: Params, variant: str, streams: Streams, progress: Progress) -> Network:
    """Train a ReLU network of equal layer sizes, the same on the ink mask, or a linear classifier.

    Args:
        params: Parameters of the experiment.
        variant: "mlp", "ink" (told only which pixels are above 0) or "linear".
        streams: Randomness; the splits are those of the spiking network.
        progress: Called after every epoch.
    """
    sets: list[tuple[NDArray, NDArray]] = []
    splits: tuple[Split, Split] = ("train", "validation")
    for split in splits:
        features, targets = digits.samples(params, split, streams)
        sets.append((controls.ink(features) if variant == "ink" else features, targets))
    hidden = [] if variant == "linear" else [params.n_hidden]
    network = controls.train(
        [sets[0][0].shape[1], *hidden, params.n_output],
        sets[0],
        sets[1],
        epochs=params.control_epochs,
        batch=params.control_batch,
        learning_rate=params.control_learning_rate,
        input_noise=0.0,
        streams=streams,
        progress=progress,
    )
    if variant == "ink":
        network.arrays = {MARK + name: values for name, values in network.arrays.items()}
    return network


def evaluate(variant: str, network: Network, task: Task) -> Trials:
    """Decisions of a control."""
    if variant != "ink":
        return controls.evaluate(network, task)
    plain = {name.removeprefix(MARK): values for name, values in network.arrays.items()}
    masked = None if task.features is None else controls.ink(task.features)
    return controls.evaluate(replace(network, arrays=plain), replace(task, features=masked))
