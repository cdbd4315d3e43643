"""Two spoken words, each band of the ear firing once, when it is loudest.

Only for the tests of crashes: with this task in the place of the template's, the template becomes a
talk whose data set is made by several jobs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params, Split, Stimulus, Task
from whyspiking.datasets import words

PARTS = {"train": "train", "validation": "validation", "test": "test_heldout"}


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The first two words of one split; there is no fresh split."""
    if split not in PARTS or params.dataset_dir is None:
        return None
    said = words.load(params.dataset_dir, PARTS[split])
    chosen = said.labels < 2
    loudest = said.log_mel[chosen].argmax(axis=1)
    times = np.minimum(words.FRAME_MS * loudest, params.trial_ms - params.dt_ms).astype(float)
    return Task(
        stimulus=Stimulus({"input": Spikes.from_first_spikes(times, params.trial_ms)}),
        targets=said.labels[chosen],
        n_classes=2,
        features=(times / params.trial_ms).astype(np.float32),
    )


def times_ms(task: Task) -> NDArray[np.float64]:
    """Spike time of every input, inf where a perturbation left none; (trial, input)."""
    return task.stimulus.spikes["input"].first_ms()
