"""The matched non-spiking networks of this talk (README, section 7)."""

from __future__ import annotations

from whyspiking import controls
from whyspiking.contract import Network, Params, Progress
from whyspiking.randomness import Streams
from whyspiking.replications.comsa import task as digits

VARIANTS = ("mlp", "ink", "linear")


def train(params: Params, variant: str, streams: Streams, progress: Progress) -> Network:
    """Train a ReLU network of equal layer sizes, the same on the ink mask, or a linear classifier.

    Args:
        params: Parameters of the experiment.
        variant: "mlp", "ink" (told only which pixels are above 0) or "linear".
        streams: Randomness; the splits are those of the spiking network.
        progress: Called after every epoch.
    """
    hidden = [] if variant == "linear" else [params.n_hidden]
    return controls.train(
        [params.n_input, *hidden, params.n_output],
        digits.samples(params, "train", streams),
        digits.samples(params, "validation", streams),
        epochs=params.control_epochs,
        batch=params.control_batch,
        learning_rate=params.control_learning_rate,
        input_noise=0.0,
        streams=streams,
        progress=progress,
        sees="mask" if variant == "ink" else "all",
    )
