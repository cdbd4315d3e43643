"""Picture of the task: a trial of the first and one of the last class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from whyspiking.contract.types import ExperimentParameters
from whyspiking.plots.figures import BLUE, GREY, RED
from whyspiking.tasks import cue_streams
from whyspiking.tasks.pictures import draw_two_trials
from whyspiking.tasks.span_recall.generator import SETTINGS, draw_spikes

CAPTION = (
    "A stream of cues comes in, and one cue (red) coincides with a marker (blue). At the go signal "
    "(blue, at the end), up to 440 ms later, the network must name this cue."
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
    return draw_two_trials(axes, ("cue 1", "cue 4"), spikes, classes, colours)
