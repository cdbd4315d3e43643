"""Spike patterns in which every input fires once (README, section 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params, Split, Stimulus, Task
from whyspiking.tasks import task_data

SIZES = {"train": "n_train", "validation": "n_validation", "test": "n_test"}


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Samples of one split, class 0 and 1 in turn, or of a shared task; there is no fresh split."""
    if task_data.takes_part(params):
        return task_data.task_on_steps(
            params, split, step_ms=params.dt_ms, trial_ms=params.trial_ms
        )
    if split not in SIZES:
        return None
    prototypes = streams.rng("prototypes").uniform(
        0, params.trial_ms, (2, params.n_prototypes, params.n_input)
    )
    rng = streams.rng(f"data-{split}")
    n = getattr(params, SIZES[split])
    targets = np.arange(n) % 2
    chosen = prototypes[targets, rng.integers(params.n_prototypes, size=n)]
    moved = chosen + params.jitter_ms * rng.standard_normal(chosen.shape)
    times = np.clip(moved, 0, params.trial_ms)
    return Task(
        stimulus=Stimulus({"input": Spikes.from_first_spikes(times, params.trial_ms)}),
        targets=targets,
        n_classes=2,
        # Early spikes are large; all are above 0, so a mask of them tells nothing.
        features=np.exp(-times / params.trial_ms).astype(np.float32),
    )


def times_ms(task: Task) -> NDArray[np.float64]:
    """Spike time of every input, inf where a perturbation left none; (trial, input)."""
    return task.stimulus.spikes["input"].first_ms()
