"""The matched non-spiking networks of this talk (README, section 6)."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import NDArray

from whyspiking import controls
from whyspiking.contract import Network, Params, Progress, Split, Task, Trials
from whyspiking.counterpart import count_operations
from whyspiking.randomness import Streams
from whyspiking.replications.masquelier import task

VARIANTS = ("mlp", "ink_mlp", "linear")


def train(params: Params, variant: str, streams: Streams, progress: Progress) -> Network:
    """Train a control on the images that the spiking network sees.

    Args:
        params: Parameters of the experiment.
        variant: "mlp" (equal size), "ink_mlp" (the same, on the mask of ink) or "linear".
        streams: Randomness.
        progress: Called after every epoch.
    """
    hidden = [] if variant == "linear" else [params.n_hidden]
    validation = _set(params, variant, "validation")
    network = controls.train(
        [params.n_input, *hidden, params.n_output],
        _set(params, variant, "train"),
        validation,
        epochs=params.control_epochs,
        batch=params.control_batch,
        learning_rate=params.control_learning_rate,
        input_noise=0.0,
        streams=streams,
        progress=progress,
    )
    if variant == "ink_mlp":
        # The battery reads brightness and cannot count for a network that sees the mask.
        network.info["counts"] = count_operations(network.arrays, validation[0])
    return network


def evaluate(variant: str, network: Network, test: Task) -> Trials:
    """Decisions of a control; it sees its whole input at once, so they are made at time 0."""
    if variant == "ink_mlp" and test.features is not None:
        test = replace(test, features=controls.ink(test.features))
    return controls.evaluate(network, test)


def _set(params: Params, variant: str, split: Split) -> tuple[NDArray, NDArray]:
    images, classes = task.samples(params, split)
    features = task.brightness(images)
    return (controls.ink(features) if variant == "ink_mlp" else features), classes
