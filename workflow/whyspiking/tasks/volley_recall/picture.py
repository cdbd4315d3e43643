"""Picture of the task: a trial of the first and one of the last class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from whyspiking.contract.types import ExperimentParameters
from whyspiking.plots.figures import BLUE, GREY, RED
from whyspiking.tasks import cue_streams
from whyspiking.tasks.pictures import draw_two_trials
from whyspiking.tasks.volley_recall.generator import SETTINGS, draw_spikes

CAPTION = (
    "Four groups of inputs fire in turn, and once the inputs of one group (red) fire within 10 ms. "
    "At the go signal (blue), up to 280 ms later, the network must name this group."
)
N_DRAWN = 20


def draw(params: ExperimentParameters, axes: Sequence[Axes]) -> str:
    """Draw two trials; the inputs that tell the class are red. Return a description."""
    spikes, classes = draw_spikes(np.random.default_rng(0), N_DRAWN)
    groups = cue_streams.list_inputs(SETTINGS)
    colours = [
        np.where(groups == shown, RED, np.where(groups < cue_streams.GROUPS, GREY, BLUE))
        for shown in (classes.min(), classes.max())
    ]
    return draw_two_trials(axes, ("group 1", "group 4"), spikes, classes, colours)
