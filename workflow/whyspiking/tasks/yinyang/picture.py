"""Picture of the task: one point as four spikes, and its place in the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from whyspiking.contract.types import ExperimentParameters
from whyspiking.datasets import yinyang
from whyspiking.plots.figures import INK, raster
from whyspiking.tasks.parameters import SharedTaskParameters
from whyspiking.tasks.pictures import LOOKS
from whyspiking.tasks.yinyang.generator import draw_latencies

CAPTION = (
    "Each coordinate of a point (ringed) comes in as the time of one spike, and once more "
    "mirrored. The network must name the region in which the point lies: yin, yang or dot."
)


def draw(params: ExperimentParameters, axes: Sequence[Axes]) -> str:
    """Draw a point of the class "dot" on two panels. Return a description.

    Args:
        params: Parameters of the task.
        axes: Two panels: spikes of the point, and the plane with all test points.
    """
    left, right = axes
    drawn = draw_latencies(params, "test")
    chosen = int(np.argmax(drawn.classes == 2))
    raster(left, drawn.times_ms[chosen], np.arange(4)[::-1], width=1.6)
    window_ms = SharedTaskParameters.of(params).window_ms
    left.set(xlim=(0, window_ms), ylim=(-0.6, 3.6), title="one point", ylabel="")
    left.set_yticks(range(4), ["1−y", "1−x", "y", "x"])
    for k, (colour, shape) in enumerate(LOOKS):
        points = drawn.features[drawn.classes == k]
        right.plot(points[:, 0], points[:, 1], shape, color=colour, markersize=2.4, linewidth=0)
    look = {"color": INK, "markersize": 9, "markerfacecolor": "none", "linewidth": 0}
    right.plot(*drawn.features[chosen, :2], "o", **look)
    right.set(aspect="equal", xticks=(), xlabel="x", ylabel="y", title="where?")
    names = ", ".join(yinyang.CLASS_NAMES)
    return f"Four spikes give x and y of a point (ringed); it lies in one of: {names}."
