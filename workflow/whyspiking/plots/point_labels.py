"""Names beside points: each where it covers no other point and no other name."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from whyspiking.plots.figures import GREY

SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
"""From the point to its name, in the order in which they are tried."""
REACHES = (6.0, 13.0, 21.0)
"""How far away, in points."""
LETTER, LINE = 0.62, 1.2
"""Width of a letter and height of a line over the size of the font, some air included."""


def label_points(
    ax: Axes, x: ArrayLike, y: ArrayLike, names: Sequence[str], *, size: float = 7.5
) -> None:
    """Write a name beside every point; one that had to go further away gets a line to it.

    The figure must be laid out: call it last, after `Figure.draw_without_rendering`.

    Args:
        ax: Where the points are drawn.
        x: Their places, (point,).
        y: Their places, (point,).
        names: One a point.
        size: Font size in points.
    """
    scale = 72 / ax.figure.dpi
    places = ax.transData.transform(np.column_stack([np.asarray(x), np.asarray(y)])) * scale
    frame = ax.get_window_extent()
    inside = np.array([frame.x0, frame.y0, frame.x1, frame.y1]) * scale
    taken = [np.array([px - 3, py - 3, px + 3, py + 3]) for px, py in places]
    # The most crowded first: they have the least choice.
    near = [np.sum(np.hypot(*(places - place).T) < 40) for place in places]
    for k in sorted(range(len(places)), key=lambda k: -near[k]):
        width, height = LETTER * size * len(names[k]), LINE * size
        tried = [
            (reach, side, _box(places[k], side, reach, width, height))
            for reach, side in itertools.product(REACHES, SIDES)
        ]
        others = [box for j, box in enumerate(taken) if j != k]
        reach, side, box = min(tried, key=lambda t: _cost(t[2], others, inside) + 0.02 * t[0])
        taken.append(box)
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 2}
        ax.annotate(
            names[k],
            (float(np.asarray(x)[k]), float(np.asarray(y)[k])),
            (reach * side[0], reach * side[1]),
            textcoords="offset points",
            fontsize=size,
            ha=("right", "center", "left")[side[0] + 1],
            va=("top", "center", "bottom")[side[1] + 1],
            arrowprops=line if reach > REACHES[0] else None,
            annotation_clip=False,
        ).set_in_layout(False)


def _box(
    place: NDArray, side: tuple[int, int], reach: float, width: float, height: float
) -> NDArray:
    """Left, bottom, right, top of a name, in points."""
    x = place[0] + reach * side[0] + width * (side[0] - 1) / 2
    y = place[1] + reach * side[1] + height * (side[1] - 1) / 2
    return np.array([x, y, x + width, y + height])


def _cost(box: NDArray, others: Sequence[NDArray], inside: NDArray) -> float:
    """Area that a name would cover of others, and have outside the axes, in lines squared."""
    covered = sum(_common(box, other) for other in others)
    outside = (box[2] - box[0]) * (box[3] - box[1]) - _common(box, inside)
    return float(covered + 2 * outside)


def _common(one: NDArray, other: NDArray) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0.0)))
