"""Spoken words: convolutions of leaky neurons, trained by surrogate gradients."""

from __future__ import annotations

from whyspiking.contract.types import Params, Recording, Task, Trials
from whyspiking.talks.masquelier.audio import brian_network, learning
from whyspiking.talks.masquelier.audio.brian_network import bind, to_brian
from whyspiking.talks.masquelier.audio.learning import evaluate, reference_first_ms, train
from whyspiking.talks.masquelier.audio.task import make_task

__all__ = [
    "bind", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The largest output at the end of the clip."""
    return learning.decisions(params, brian_network.outputs(params, recording), task)
