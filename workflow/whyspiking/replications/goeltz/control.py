"""The matched non-spiking networks of this talk (README, section 5)."""

from __future__ import annotations

from whyspiking import controls
from whyspiking.contract import Network, Params, Progress
from whyspiking.randomness import Streams
from whyspiking.replications.goeltz import task


def train(params: Params, variant: str, streams: Streams, progress: Progress) -> Network:
    """Train the control of equal layer sizes, or the linear classifier.

    The noise on spike times becomes noise of the same relative size on the features, whose range
    of one corresponds to the span between the earliest and the latest spike.

    Args:
        params: Parameters of the experiment.
        variant: "mlp" or "linear".
        streams: Randomness.
        progress: Called after every epoch.
    """
    hidden = [params.n_hidden] if variant == "mlp" else []
    return controls.train(
        [params.n_input, *hidden, params.n_output],
        _set(params, "train"),
        _set(params, "validation"),
        epochs=params.control_epochs,
        batch=params.batch,
        learning_rate=params.control_learning_rate,
        input_noise=params.noise_sd / (params.t_late - params.t_early),
        streams=streams,
        progress=progress,
    )


def _set(params: Params, split: task.Split):
    features, targets = task.samples(params, split)
    if features is None:
        raise ValueError(f"split '{split}' has no samples")
    return features, targets
