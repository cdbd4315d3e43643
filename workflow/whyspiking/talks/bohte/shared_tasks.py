"""The tasks that all talks share, in steps, for one layer of adaptive neurons (README, 13)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Network, Params, Parents, Progress, Split, Task
from whyspiking.datasets import shared
from whyspiking.errors import UserError
from whyspiking.talks.bohte import training
from whyspiking.talks.bohte.spoken_digits import decode, evaluate
from whyspiking.talks.bohte.training import Labelled, reference_counts
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.task import raster

__all__ = [
    "bind", "decode", "evaluate", "features_until", "make_task", "reference_counts", "to_brian",
    "train",
]  # fmt: skip


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Trials of one split, their spikes at the start of the steps into which they fall.

    "fresh" does not exist; of delayed XOR "train" is the first chunk.

    Raises:
        UserError: If a trial of delayed XOR is not as long as `n_steps`.
    """
    trial_ms = params.n_steps * float(params.step_ms)
    if shared.delayed(params):
        lasts_ms = shared.settings_of(params).trial_ms
        if trial_ms != lasts_ms:
            raise UserError(
                f"talk '{params.talk}', experiment '{params.experiment}': 'n_steps' is "
                f"{params.n_steps}, {trial_ms:g} ms, but trials last {lasts_ms:g} ms with a delay "
                f"of {params.delay_ms:g} ms; give {lasts_ms / params.step_ms:g} (talk.yaml)"
            )
    return shared.task_on_steps(params, split, step_ms=float(params.step_ms), trial_ms=trial_ms)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train the network; on delayed XOR every trial is shown once, and a chunk is an epoch."""
    task = make_task(params, "validation", streams)
    assert task is not None
    held_out = raster(params, task), task.targets
    if not shared.delayed(params):
        whole = make_task(params, "train", streams)
        assert whole is not None
        prepared = training.classes(
            params, variant, (raster(params, whole), whole.targets), held_out
        )
        return training.train(params, variant, streams, progress, prepared)

    def chunk(epoch: int) -> Labelled:
        spikes, classes = next(shared.training_trials(params, epoch - 1))
        return _frames(params, spikes), classes

    n_chunks = -(-params.n_train // shared.CHUNK)
    own = replace(params, values={**params.values, "epochs": n_chunks})
    prepared = training.classes(own, variant, chunk, held_out)
    return training.train(own, variant, streams, progress, prepared)


def features_until(params: Params, task: Task, t_ms: float) -> NDArray | None:
    """What a control makes of the inputs that have fired; see `shared.completed`."""
    if shared.delayed(params):
        return None
    fired = task.stimulus.spikes["input"].first_ms() <= t_ms
    return shared.completed(params, np.asarray(task.features), fired)


def _frames(params: Params, spikes: Spikes) -> NDArray[np.bool_]:
    """At most one spike per input and step, (trial, step, input)."""
    return spikes.raster(spikes.steps(float(params.step_ms)), params.n_steps)
