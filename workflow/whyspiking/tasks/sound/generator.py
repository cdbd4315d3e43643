"""Sound localisation: the phase between two ears tells from where a sound comes.

Each ear has inputs that fire as Poisson processes at a rate r(t) = r_max ((1 + sin(wt + p)) / 2)^2;
the phases p of an ear's inputs go from 0 to 90 degrees, and those of the right ear are shifted by
the phase between the ears, -90 to 90 degrees in twelve classes. The phase of the sound is drawn
anew for every trial: with one phase for all of them, one ear alone tells the class.

After the community task of SNUFA (Ghosh et al. 2025; comob-project/snn-sound-localization at
aaf4e2a, research/3-Starting-Notebook.ipynb, cells 5 and 8), whose generator draws one phase a call;
with 50 Hz as in their paper/sections/basicmodel/basicmodel.md, and twenty inputs an ear, not 100.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes

PER_EAR = 20
CLASSES = 12
FREQUENCY_HZ, RATE_HZ = 50.0, 600.0
STEPS, STEP_MS = 100, 1.0
PHASES = np.linspace(0, np.pi / 2, PER_EAR)
"""Of the inputs of an ear, rad, (input,)."""
TURN = 2 * np.pi * FREQUENCY_HZ * STEP_MS * 1e-3
"""By how much the phase moves in a step, rad."""


def draw_spikes(
    rng: np.random.Generator, n_trials: int, *, phase: float | None = None
) -> tuple[Spikes, NDArray[np.int64]]:
    """Draw trials: spikes of the left and then the right ear's inputs, and classes, (trial,)."""
    fired, classes = draw_on_steps(rng, n_trials, phase=phase)
    return Spikes.from_raster(fired, STEP_MS), classes


def draw_on_steps(
    rng: np.random.Generator,
    n_trials: int,
    step_ms: float = STEP_MS,
    *,
    phase: float | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Draw the same trials on time steps: spikes, (trial, step, input), and classes.

    Args:
        rng: Of one split.
        n_trials: How many.
        step_ms: Length of a step; the definition of the task has no other one than `STEP_MS`.
        phase: One phase for all trials, rad; None draws one for each.

    Raises:
        ValueError: If the step is another one.
    """
    if step_ms != STEP_MS:
        raise ValueError(f"sound localisation has steps of {STEP_MS} ms, not of {step_ms} ms")
    phase_difference = np.pi * (rng.random(n_trials) - 0.5)
    left_phase = 2 * np.pi * rng.random(n_trials) if phase is None else np.full(n_trials, phase)
    ears = np.stack([left_phase, left_phase + phase_difference], axis=1)
    waves = TURN * np.arange(STEPS)[:, None] + PHASES
    # sin(ear + wave), in half the memory of float64 and without a sine for every step.
    ears = np.stack([np.sin(ears), np.cos(ears)], axis=2).astype(np.float32)
    sines = ears @ np.stack([np.cos(waves), np.sin(waves)]).reshape(2, -1).astype(np.float32)
    p_spike = RATE_HZ * STEP_MS * 1e-3 * ((1 + sines) / 2) ** 2
    fired = (rng.random(p_spike.shape, np.float32) < p_spike).reshape(n_trials, 2, STEPS, PER_EAR)
    return fired.swapaxes(1, 2).reshape(n_trials, STEPS, -1), class_of(phase_difference)


def class_of(phase_difference: NDArray) -> NDArray[np.int64]:
    """Class of the phase between the ears, rad, (trial,)."""
    return np.clip(np.floor((phase_difference / np.pi + 0.5) * CLASSES), 0, CLASSES - 1).astype(
        np.int64
    )
