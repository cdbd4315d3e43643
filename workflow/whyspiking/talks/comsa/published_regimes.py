"""The published recipe for all of its epochs: when a network decides early or late (README, 4).

Figure 5 of arXiv v1 shows one network that decides at about 14 time units until epoch 384 and at
about 1.5 afterwards. Here the mean decision time on validation images after every epoch shows the
same; no epoch is chosen by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.comsa import learning, model
from whyspiking.talks.comsa.digits import (
    bind,
    decode,
    evaluate,
    make_task,
    reference_first_ms,
    to_brian,
)

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train"]

N_FIRST_EPOCHS = 5
"""A network that is late only in these epochs does not count as one that was late."""
CURVE = (
    "train_loss",
    "validation_accuracy",
    "validation_decision_ms",
    "validation_hidden_before",
)
"""What is kept of the learning curve: 1,000 epochs of everything would be a large file."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one network as `learning.train` does, and measure its regimes (`follow_regimes`)."""
    network = learning.train(params, variant, streams, parents, progress)
    decisions = [
        row["value"] / params.unit_ms
        for row in network.history
        if row["metric"] == "validation_decision_ms"
    ]
    measured = follow_regimes(decisions, network.info["best_epoch"])
    measured["regime_distance"] *= params.unit_ms
    network.info["measures"] = measured
    network.history = [row for row in network.history if row["metric"] in CURVE]
    return network


def follow_regimes(decisions: ArrayLike, kept_epoch: int) -> dict[str, float]:
    """Measure when a network was late and when it became early.

    Args:
        decisions: Mean decision time on validation images after every epoch, in time units, nan if
            no image was decided; (epoch,).
        kept_epoch: Number of the epoch with the best validation accuracy, from 1.

    Returns:
        `regime_distance`: the smaller `model.measure_distance` of the last and the kept epoch, in
        time units; `late_after_five`: 1 if the network was late after one of the epochs from the
        sixth on, else 0; `early_at_last`: 1 if it is early after the last epoch; `passage_epoch`:
        the first early epoch after the last of these late ones, left out if there is none.
    """
    times = np.asarray(decisions, float)
    epochs = np.arange(1, times.size + 1)
    late_epochs = epochs[(times >= model.LATE_FROM) & (epochs > N_FIRST_EPOCHS)]
    early_epochs = epochs[times <= model.EARLY_UNTIL]
    measures = {
        "regime_distance": min(map(model.measure_distance, times[[-1, kept_epoch - 1]])),
        "late_after_five": float(late_epochs.size > 0),
        "early_at_last": float(epochs[-1] in early_epochs),
    }
    early_after_late = (
        early_epochs[early_epochs > late_epochs[-1]] if late_epochs.size else late_epochs
    )
    return measures | (
        {"passage_epoch": float(early_after_late[0])} if early_after_late.size else {}
    )
