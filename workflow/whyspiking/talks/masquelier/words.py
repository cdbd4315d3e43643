"""Spoken words: convolutions of leaky neurons, trained by surrogate gradients."""

from __future__ import annotations

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Networks, Params, Recording, Simulate, Task, Trials
from whyspiking.talks.masquelier.audio import learning, simulation
from whyspiking.talks.masquelier.audio.learning import evaluate, reference_first_ms, train
from whyspiking.talks.masquelier.audio.simulation import bind, to_brian
from whyspiking.talks.masquelier.audio.task import make_task

__all__ = [
    "bind", "decode", "evaluate", "exhibits", "make_task", "reference_first_ms", "to_brian",
    "train",
]  # fmt: skip


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The largest output at the end of the clip."""
    return learning.decisions(params, simulation.outputs(params, recording), task)


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays for the figures; see `audio/exhibits.py`."""
    from whyspiking.talks.masquelier.audio import exhibits as made

    return made.exhibits(params, networks, simulate, streams)
