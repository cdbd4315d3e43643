"""The matched non-spiking networks of this talk (README, section 6)."""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking import controls
from whyspiking.contract import Network, Params, Progress, Split
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
    return controls.train(
        [params.n_input, *hidden, params.n_output],
        _set(params, "train"),
        _set(params, "validation") if task.n_held_out(params) else None,
        epochs=params.control_epochs,
        batch=params.control_batch,
        learning_rate=params.control_learning_rate,
        input_noise=0.0,
        streams=streams,
        progress=progress,
        sees="mask" if variant == "ink_mlp" else "all",
    )


def _set(params: Params, split: Split) -> tuple[NDArray, NDArray]:
    images, classes = task.samples(params, split)
    return task.brightness(images), classes
