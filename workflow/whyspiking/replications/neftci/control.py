"""Non-spiking networks on the same recordings (README, section 5)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking import controls
from whyspiking.contract import Network, Params, Progress, Split, Task, Trials
from whyspiking.latency import Answers, settled
from whyspiking.randomness import Streams
from whyspiking.replications.neftci import model, task

VARIANTS = ("mlp", "linear")


def train(params: Params, variant: str, streams: Streams, progress: Progress) -> Network:
    """Train a control on counts of events over the whole recording.

    Args:
        params: Parameters of the experiment.
        variant: "mlp", a ReLU network of equal layer sizes, or "linear", a softmax classifier.
        streams: Randomness.
        progress: Called after every epoch.
    """
    n_in, *hidden = model.sizes(params)
    return controls.train(
        [n_in, *(hidden if variant == "mlp" else []), params.n_classes],
        _set(params, "train"),
        _set(params, "validation"),
        epochs=params.control_epochs,
        batch=params.control_batch,
        learning_rate=params.control_learning_rate,
        input_noise=0.0,
        streams=streams,
        progress=progress,
    )


def decisions(params: Params, network: Network, given: Task) -> Trials:
    """When the control's answer stays as it is, asked after every frame that the vote counts.

    Args:
        params: Parameters of the experiment.
        network: From `train`.
        given: Digits with the exact times of their events.
    """
    steps = np.arange(model.burn_in(params), params.n_frames)
    choices = []
    for step in steps:
        # A frame is complete half a step after the time at which Brian2 hands it on.
        so_far = task.features_until(params, given, (step + 0.5) * float(params.dt_ms))
        choices.append(controls.evaluate(network, replace(given, features=so_far)).choices)
    times_ms = steps * float(params.dt_ms)
    answers = Answers(given.targets, np.stack(choices), times_ms, given.n_classes)
    return settled(answers)


def _set(params: Params, split: Split) -> tuple[NDArray, NDArray]:
    data = task.recordings_of(params, split)
    return task.counts(data), data.labels
