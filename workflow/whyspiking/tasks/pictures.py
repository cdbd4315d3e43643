"""Drawing functions that the pictures of the shared tasks have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.plots.figures import BLUE, GREEN, RED, raster

LOOKS = ((BLUE, "o"), (RED, "s"), (GREEN, "^"))
"""Colour and marker of a class."""


def draw_two_trials(
    axes: Sequence[Axes],
    titles: tuple[str, str],
    spikes: Spikes,
    classes: NDArray[np.int64],
    colours_of: Sequence[ArrayLike],
) -> str:
    """Draw the first trial of the lowest and of the highest class; return a description.

    Args:
        axes: Two panels.
        titles: What the two classes are.
        spikes: Trials.
        classes: (trial,).
        colours_of: Colour of each input in the first and in the second panel.
    """
    shown_classes = (classes.min(), classes.max())
    for ax, title, shown_class, colours in zip(
        axes, titles, shown_classes, colours_of, strict=True
    ):
        trial = spikes.select_trials(np.flatnonzero(classes == shown_class)[:1])
        heights = spikes.n_units - 1 - trial.units
        raster(ax, trial.times_ms, heights, colours=np.asarray(colours)[trial.units])
        ax.set(xlim=(0, spikes.duration_ms), title=title)
    return f"Spikes of {spikes.n_units} inputs in two trials: {' and '.join(titles)}."
