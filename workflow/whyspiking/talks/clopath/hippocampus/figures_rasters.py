"""Rasters of neurons in an order: rows, colours, and dots of single networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Order:
    """How neurons are drawn.

    Attributes:
        rank: Row of each, from 0, -1 for those that are left out; (neuron,).
        colours: (neuron,).
        height: Of a spike, in rows.
    """

    rank: NDArray[np.int64]
    colours: NDArray
    height: float


def by_phase(phase: NDArray) -> Order:
    """Neurons sorted and coloured by phases in rad, nan for those without one; (neuron,)."""
    has_phase = np.isfinite(phase)
    phase = np.mod(np.where(has_phase, phase, 0.0), 2 * np.pi)
    rank = np.argsort(np.argsort(np.where(has_phase, phase, np.inf), kind="stable"), kind="stable")
    return Order(np.where(has_phase, rank, -1), cyclic(phase), max(0.9, has_phase.sum() / 110))


def in_order(
    ax: Axes,
    spikes: list[NDArray],
    window_ms: tuple[float, float],
    order: Order,
    title: str,
    label: str,
    origin_ms: float | None = None,
) -> None:
    """Spikes within a window.

    Args:
        ax: Where to draw.
        spikes: Times in ms and neurons, (spike,) each.
        window_ms: Start and stop.
        order: Of the neurons.
        title: Of the panel.
        label: Of the axis of time; in seconds where it ends in s.
        origin_ms: Zero of that axis; by default the start of the window.
    """
    times, neuron = spikes
    start, stop = window_ms
    origin, unit = (
        start if origin_ms is None else origin_ms,
        1000.0 if label.endswith(" s") else 1.0,
    )
    is_shown = (times >= start) & (times < stop) & (order.rank[neuron] >= 0)
    shown_neurons = neuron[is_shown]
    fg.raster(
        ax, (times[is_shown] - origin) / unit, order.rank[shown_neurons],
        colours=order.colours[shown_neurons], height=order.height,
    )  # fmt: skip
    ax.set_title(title)
    ax.set_xlabel(label)
    ax.set_xlim((start - origin) / unit, (stop - origin) / unit)
    ax.set_ylim(-3, int(order.rank.max()) + 4)


def dots(ax: Axes, rows: Table, colour: str) -> None:
    """One dot per row at its `at` and `value`, one marker per seed."""
    for seed, seed_rows in rows.groupby("seed"):
        marker = fg.MARKERS[int(seed) % len(fg.MARKERS)]
        ax.plot(
            seed_rows["at"],
            seed_rows["value"],
            color=colour,
            linestyle="",
            marker=marker,
            alpha=0.8,
        )


def cyclic(phase: NDArray, steps: int = 24) -> NDArray:
    """Colours around the circle, as names, that keep their contrast on light and dark pages."""
    import colorsys

    wheel = np.array(
        [_set_mid_luminance(colorsys.hls_to_rgb(k / steps, 0.5, 0.75)) for k in range(steps)]
    )
    cycle_fraction = np.mod(phase, 2 * np.pi) / (2 * np.pi)
    return wheel[np.minimum((cycle_fraction * steps).astype(int), steps - 1)]


def _set_mid_luminance(rgb: tuple[float, float, float]) -> str:
    """A colour brought to a relative luminance (WCAG) of about 0.18, between both pages."""
    colour = np.array(rgb)
    for _ in range(40):
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        luminance = float(linear @ [0.2126, 0.7152, 0.0722])
        if luminance > 0.2:
            colour = colour * 0.97
        elif luminance < 0.17:
            colour = 1 - (1 - colour) * 0.97
    red, green, blue = (round(255 * float(channel)) for channel in np.clip(colour, 0, 1))
    return f"#{red:02x}{green:02x}{blue:02x}"
