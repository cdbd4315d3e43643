"""The tasks that all talks share, in steps, for one layer of adaptive neurons (README, 11)."""

from __future__ import annotations

import functools

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.bohte import training
from whyspiking.talks.bohte.brian_network import bind, to_brian
from whyspiking.talks.bohte.network import reference_counts
from whyspiking.talks.bohte.one_class import decode, evaluate
from whyspiking.talks.bohte.task import raster
from whyspiking.talks.bohte.training import Labelled
from whyspiking.tasks import task_data

__all__ = ["bind", "decode", "evaluate", "make_task", "reference_counts", "to_brian", "train"]


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Trials of one split, their spikes at the start of the steps into which they fall."""
    return _load_samples(params, split)


def _load_samples(params: ct.Params, split: ct.Split, epoch: int = 0) -> ct.Task | None:
    trial_ms = params.n_steps * float(params.step_ms)
    return task_data.task_on_steps(
        params, split, step_ms=float(params.step_ms), trial_ms=trial_ms, epoch=epoch
    )


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train the network."""

    @functools.lru_cache(maxsize=1)  # sound has the same trials in every epoch
    def labelled(split: ct.Split, i_part: int = 0) -> Labelled:
        task = _load_samples(params, split, i_part)
        assert task is not None
        return raster(params, task), task.targets

    return training.train_classes(params, variant, streams, progress, labelled)
