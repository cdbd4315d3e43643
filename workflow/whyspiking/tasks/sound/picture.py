"""Picture of the task: a trial of the first and one of the last direction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from whyspiking.contract.types import ExperimentParameters
from whyspiking.plots.figures import BLUE, RED
from whyspiking.tasks.pictures import draw_two_trials
from whyspiking.tasks.sound.generator import PER_EAR, draw_spikes

CAPTION = (
    "Noisy spikes of the left ear (red) and of the right ear (blue) come in. Their phase "
    "difference gives the direction of the sound, and the network must name one of twelve "
    "directions."
)
N_DRAWN = 40


def draw(params: ExperimentParameters, axes: Sequence[Axes]) -> str:
    """Draw two trials, the ears in two colours. Return a description."""
    spikes, classes = draw_spikes(np.random.default_rng(0), N_DRAWN)
    colours = [RED] * PER_EAR + [BLUE] * PER_EAR
    return draw_two_trials(axes, ("far left", "far right"), spikes, classes, [colours, colours])
