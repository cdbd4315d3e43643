"""Rasters: spikes of layers, one row a neuron, up to a decision; drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEFT_PX, RIGHT_PX = 8.0, 472.0
"""Edges of the axis of time, in pixels of a drawing that is 480 wide."""
LEFT_NAMED_PX = 46.0
"""Left edge where rows have names."""
MAX_PANEL_PX = 64.0
"""Of a panel; rows with names have 16 each, others 8 at most."""
MIN_TICK_PX = 2.5
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
    decision_ms: float,
    winner: tuple[int, int],
    label: str,
) -> dict[str, object]:
    """Compute what the template draws.

    Args:
        panels: From above.
        span: First and last time in ms.
        decision_ms: When the decision fell, in ms.
        winner: Panel and row of the spike that decided.
        label: Text at the decision.
    """
    left_px = LEFT_NAMED_PX if any(panel.names for panel in panels) else LEFT_PX
    top, drawn_panels = 36.0, []
    for panel in panels:
        pitch = 16.0 if panel.names else min(8.0, MAX_PANEL_PX / max(len(panel.rows), 1))
        tick_height = max(0.8 * pitch, MIN_TICK_PX)
        rows = [
            {"name": name, "y": top + (row + 0.5) * pitch} for row, name in enumerate(panel.names)
        ]
        path = "".join(
            f"M{x:.1f} {top + (row + 0.5) * pitch - tick_height / 2:.1f}v{tick_height:.1f}"
            for row, spikes in enumerate(panel.rows)
            for x in map_to_pixels(np.asarray(spikes, float), span, left_px)
        )
        height = pitch * len(panel.rows)
        drawn_panels.append(
            {"name": panel.name, "top": top, "pitch": pitch, "height": height, "tall": tick_height}
            | {"path": path, "rows": rows, "width": 2.5 if panel.names else 1.4}
        )
        top += height + 26
    x_decision = float(map_to_pixels(np.array([decision_ms]), span, left_px)[0])
    winner_panel = drawn_panels[winner[0]]
    step = round_step(span[1] - span[0])
    ticks = [
        {"x": float(map_to_pixels(np.array([t]), span, left_px)[0]), "ms": f"{t - span[0]:g}"}
        for t in np.arange(span[0], span[1] + step / 1e6, step)
    ]
    return {
        "panels": drawn_panels,
        "left": left_px,
        "right": RIGHT_PX,
        "bottom": top - 20,
        "span": span,
        "ticks": ticks,
        "at": x_decision,
        "said": label,
        "mark": winner_panel["top"] + (winner[1] + 0.5) * winner_panel["pitch"],
        # What comes after a decision is veiled.
        "veil": x_decision,
    }


def map_to_pixels(times: NDArray, span: tuple[float, float], left_px: float) -> NDArray[np.float64]:
    """Horizontal places of the times that lie in a span."""
    times_in_span = times[np.isfinite(times) & (times >= span[0]) & (times <= span[1])]
    return left_px + (times_in_span - span[0]) / (span[1] - span[0]) * (RIGHT_PX - left_px)


def round_step(length: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that goes into a length twice."""
    power = 10.0 ** np.floor(np.log10(length / 2))
    return float(max(k * power for k in (1, 2, 5) if k * power <= length / 2))
