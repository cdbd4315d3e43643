"""Picture of the task: two samples of each of two classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from whyspiking.contract.types import Params
from whyspiking.plots.figures import raster
from whyspiking.tasks.pictures import LOOKS
from whyspiking.tasks.randman.generator import draw_latencies

CAPTION = (
    "Each of 20 inputs spikes once. The spike times of a class lie on a smooth manifold, and the "
    "network must name one of ten classes."
)


def draw(params: Params, axes: Sequence[Axes]) -> str:
    """Draw two samples of the first and two of the second class. Return a description.

    Args:
        params: Parameters of the task.
        axes: Two panels; the second sample of a class has shorter lines.
    """
    samples = draw_latencies(params, "test")
    for ax, shown_class, (colour, _) in zip(axes, (0, 1), LOOKS, strict=False):
        pair = np.flatnonzero(samples.classes == shown_class)[:2]
        for sample, height in zip(pair, (1.0, 0.45), strict=True):
            look = {"colours": colour, "height": height, "width": 1.4}
            raster(ax, samples.times_ms[sample], np.arange(params.n_input), **look)
        ax.set(xlim=(0, params.window_ms), title=f"class {shown_class + 1}, twice")
    return (
        f"{params.n_input} inputs fire once each; two samples of each of two of the "
        f"{params.n_output} classes."
    )
