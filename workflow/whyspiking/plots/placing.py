"""Names beside marks: where each fits without touching a mark or another name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from numpy.typing import NDArray

DISTANCES = (8, 12, 17, 23, 30, 40, 52, 66)
"""From mark to name in points, the nearest first."""
DIRECTIONS = 16
FAR = 13
"""A name farther away gets a line to its mark."""
MARGIN = 1.5
"""Between names, in points."""
CROSSED = 8.0
"""A line through a name counts as so many points of distance."""


@dataclass(frozen=True)
class Name:
    """What is to be written beside a mark.

    Attributes:
        words: The name.
        x: Of the mark, in data.
        y: Of the mark, in data.
    """

    words: str
    x: float
    y: float


def place(
    ax: Axes, names: Sequence[Name], taken: NDArray, lines: NDArray, *, size: float, reach: float
) -> list[Annotation]:
    """Write names beside their marks, the nearest place that is free first.

    Those that come first choose first; a name that finds no place is left out. The layout of the
    figure must be fixed, for places are sought in points of the drawn figure.

    Args:
        ax: The panel, which all names stay within.
        names: What to write, the most important first.
        taken: Boxes that no name may touch, (box, (left, bottom, right, top)), in points.
        lines: Lines that names had better not cross, likewise, in points.
        size: Of the letters, in points.
        reach: How far from its mark a name may be, in points.

    Returns:
        The names that were written.
    """
    frame = in_points(ax, np.array([[0, 0], [1, 1]]), of="axes").ravel()
    distances = np.array([distance for distance in DISTANCES if distance <= reach])
    angles = np.arange(DIRECTIONS) / DIRECTIONS * 2 * np.pi
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    written = []
    for name in names:
        text = _write(ax, name, size)
        extent = text.get_window_extent()
        half = np.array([extent.width, extent.height]) * 36 / ax.figure.dpi
        (mark,) = in_points(ax, np.array([[name.x, name.y]]))
        # The edge of the name that faces the mark lies at the distance.
        away = np.concatenate([ways * distance + ways * half for distance in distances])
        boxes = np.hstack([mark + away - half - MARGIN, mark + away + half + MARGIN])
        free = (boxes[:, :2] >= frame[:2]).all(1) & (boxes[:, 2:] <= frame[2:]).all(1)
        free &= ~_meet(boxes, taken).any(1)
        if not free.any():
            text.remove()
            continue
        cost = np.repeat(distances, DIRECTIONS) + CROSSED * _meet(boxes, lines).sum(1)
        best = int(np.argmin(np.where(free, cost, np.inf)))
        text.set_position(tuple(away[best]))
        if np.repeat(distances, DIRECTIONS)[best] <= FAR and text.arrow_patch is not None:
            text.arrow_patch.set_visible(False)
        taken = np.vstack([taken, boxes[best]])
        written.append(text)
    return written


def in_points(ax: Axes, places: NDArray, of: str = "data") -> NDArray[np.float64]:
    """Places (place, (x, y)) in points from the lower left corner of the figure."""
    transform = ax.transData if of == "data" else ax.transAxes
    return np.asarray(transform.transform(places)) * 72 / ax.figure.dpi


def _write(ax: Axes, name: Name, size: float) -> Annotation:
    text = ax.annotate(
        name.words,
        (name.x, name.y),
        (0, 0),
        textcoords="offset points",
        fontsize=size,
        ha="center",
        va="center",
        arrowprops={
            "arrowstyle": "-",
            "color": "#777B82",
            "linewidth": 0.6,
            "shrinkA": 0,
            "shrinkB": 3,
        },
        zorder=5,
    )
    text.set_in_layout(False)
    return text


def _meet(boxes: NDArray, others: NDArray) -> NDArray[np.bool_]:
    """Which boxes overlap which others, (box, other)."""
    a, b = boxes[:, None], others[None]
    return np.asarray((a[..., :2] < b[..., 2:]).all(-1) & (b[..., :2] < a[..., 2:]).all(-1))
