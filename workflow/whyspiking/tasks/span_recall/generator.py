"""Span recall: a marker fires together with one of the cues, which must be reported.

`tasks/cue_streams.py` has the trial that the two tasks of recall have in common.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.tasks import cue_streams

SETTINGS = cue_streams.Settings(blocks=4, per_group=5, fire_ms=20.0, marker=5)


def draw_spikes(rng: np.random.Generator, n_trials: int) -> tuple[Spikes, NDArray[np.int64]]:
    """Draw trials: spikes at their exact times, and classes, (trial,)."""
    return cue_streams.generate(rng, n_trials, SETTINGS)


def draw_on_steps(
    rng: np.random.Generator, n_trials: int, step_ms: float
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Draw the same trials on time steps: who fires, (trial, step, input), and classes."""
    return cue_streams.on_steps(rng, n_trials, SETTINGS, step_ms)
