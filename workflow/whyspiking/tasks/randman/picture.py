"""Picture of the task: two samples of each of two classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from whyspiking.contract.types import ExperimentParameters
from whyspiking.plots.figures import raster
from whyspiking.tasks.parameters import SharedTaskParameters
from whyspiking.tasks.pictures import LOOKS
from whyspiking.tasks.randman.generator import draw_latencies

CAPTION = (
    "Each of 20 inputs spikes once. The spike times of a class lie on a smooth manifold, and the "
    "network must name one of ten classes."
)


def draw(params: ExperimentParameters, axes: Sequence[Axes]) -> str:
    """Draw two samples of the first and two of the second class. Return a description.

    Args:
        params: Parameters of the task.
        axes: Two panels; the second sample of a class has shorter lines.
    """
    task, drawn = SharedTaskParameters.of(params), draw_latencies(params, "test")
    for ax, which, (colour, _) in zip(axes, (0, 1), LOOKS, strict=False):
        pair = np.flatnonzero(drawn.classes == which)[:2]
        for sample, height in zip(pair, (1.0, 0.45), strict=True):
            look = {"colours": colour, "height": height, "width": 1.4}
            raster(ax, drawn.times_ms[sample], np.arange(task.n_input), **look)
        ax.set(xlim=(0, task.window_ms), title=f"class {which + 1}, twice")
    return (
        f"{task.n_input} inputs fire once each; two samples of each of two of the "
        f"{task.n_output} classes."
    )
