"""Rasters: spikes of layers, one row a neuron, up to a decision; drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT = 8.0, 472.0
"""Edges of the axis of time, in pixels of a drawing that is 480 wide."""
NAMED = 46.0
"""Left edge where rows have names."""
TALLEST = 64.0
"""Of a panel; rows with names have 16 each, others 8 at most."""
SHORTEST = 2.5
"""Of a spike's tick."""


@dataclass(frozen=True)
class Panel:
    """Spikes of a layer.

    Attributes:
        name: Of the layer.
        rows: Spike times in ms of every row.
        names: Of the rows, if they are shown.
    """

    name: str
    rows: Sequence[Sequence[float] | NDArray]
    names: Sequence[str] = ()


def raster(
    panels: Sequence[Panel],
    span: tuple[float, float],
    decided: float,
    winner: tuple[int, int],
    said: str,
) -> dict[str, object]:
    """What the template draws.

    Args:
        panels: From above.
        span: First and last time in ms.
        decided: When the decision fell, in ms.
        winner: Panel and row of the spike that decided.
        said: What stands at the decision.
    """
    left = NAMED if any(panel.names for panel in panels) else LEFT
    top, drawn = 36.0, []
    for panel in panels:
        pitch = 16.0 if panel.names else min(8.0, TALLEST / max(len(panel.rows), 1))
        tall = max(0.8 * pitch, SHORTEST)
        rows = [
            {"name": name, "y": top + (row + 0.5) * pitch} for row, name in enumerate(panel.names)
        ]
        path = "".join(
            f"M{x:.1f} {top + (row + 0.5) * pitch - tall / 2:.1f}v{tall:.1f}"
            for row, spikes in enumerate(panel.rows)
            for x in place(np.asarray(spikes, float), span, left)
        )
        height = pitch * len(panel.rows)
        drawn.append(
            {"name": panel.name, "top": top, "pitch": pitch, "height": height, "tall": tall}
            | {"path": path, "rows": rows, "width": 2.5 if panel.names else 1.4}
        )
        top += height + 26
    at = float(place(np.array([decided]), span, left)[0])
    won = drawn[winner[0]]
    step = round_step(span[1] - span[0])
    ticks = [
        {"x": float(place(np.array([t]), span, left)[0]), "ms": f"{t - span[0]:g}"}
        for t in np.arange(span[0], span[1] + step / 1e6, step)
    ]
    return {
        "panels": drawn,
        "left": left,
        "right": RIGHT,
        "bottom": top - 20,
        "span": span,
        "ticks": ticks,
        "at": at,
        "said": said,
        "mark": won["top"] + (winner[1] + 0.5) * won["pitch"],
        # What comes after a decision is veiled.
        "veil": at,
    }


def place(times: NDArray, span: tuple[float, float], left: float) -> NDArray[np.float64]:
    """Horizontal places of the times that lie in a span."""
    kept = times[np.isfinite(times) & (times >= span[0]) & (times <= span[1])]
    return left + (kept - span[0]) / (span[1] - span[0]) * (RIGHT - left)


def round_step(length: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that goes into a length twice."""
    power = 10.0 ** np.floor(np.log10(length / 2))
    return float(max(k * power for k in (1, 2, 5) if k * power <= length / 2))
