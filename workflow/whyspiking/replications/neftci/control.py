"""Non-spiking networks on the same recordings (README, section 5)."""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking import controls
from whyspiking.contract import Network, Params, Progress, Split
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


def _set(params: Params, split: Split) -> tuple[NDArray, NDArray]:
    data = task.recordings_of(params, split)
    return task.counts(data), data.labels
