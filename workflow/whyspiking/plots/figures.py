"""Plots that every talk shares, and their look.

Intervals are t intervals over seeds: the percentile bootstrap, seaborn's default, covers only 75 %
with three seeds. Colours have a contrast of at least 3:1 on the light and on the
dark page, pale areas an edge of one, no two look alike to a colour-blind reader, and a marker
always says the same as a colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from whyspiking.measures.statistics import known_interval
from whyspiking.measures.statistics import over_seeds as over_seeds  # for figures of talks
from whyspiking.records import labels
from whyspiking.records.tables import Table

STYLE = Path(__file__).with_name("style.mplstyle")
INK = "#010203"
"""The page's text colour; `svg.embed` turns it into currentColor."""
BLUE, RED, GREEN = "#0072B2", "#C8553D", "#00876C"
PURPLE, OLIVE, GREY = "#A13FDC", "#917300", "#7C858E"
PALETTE = (BLUE, RED, GREEN, PURPLE, OLIVE, GREY)
MARKERS = ("o", "s", "^", "D", "v", "X")
CLASSES = {"yin": BLUE, "yang": RED, "dot": GREEN}
"""Class of Yin-Yang -> colour, in the order of the classes."""
SIMILAR_VARIANTS = (
    ("spiking",),
    ("mlp", "relu", "conv", "ink", "backprop"),
    ("gru", "bptt", "gated"),
    ("linear", "counts"),
    ("random_hidden", "rnn", "rate"),
)
"""Networks that share a place in `PALETTE` and `MARKERS`: of each no figure shows two."""
MAX_LINE_SPIKES = 1500
"""Spikes of a raster that are drawn as lines, at most."""
WIDTH = 7.2
"""Width of a figure across the page, in inches."""


class NotMeasuredError(Exception):
    """A figure has nothing to show; the message says what is missing and why."""


def require(data: object, message: str) -> None:
    """See to it that a figure has something to show.

    Raises:
        NotMeasuredError: If it has nothing.
    """
    if not data:
        raise NotMeasuredError(message)


class Plate(Figure):
    """A figure with its caption, its text for those who cannot see it, and its source table.

    Attributes:
        caption: What the figure shows, one or two sentences.
        alt: What a reader who cannot see it should know, numbers included.
        source: The file behind it, relative to the folder of the talk or run.
        experiment: The experiment whose data it shows, if it is one.
    """

    def __init__(self, height: float, width: float = WIDTH) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        self.says("", "")

    def says(
        self,
        caption: str,
        alt: str,
        source: str = "metrics.csv",
        experiment: str = "",
        *,
        exhibits: str = "",
    ) -> Plate:
        """Set caption, alternative text, source and experiment; returns the figure itself.

        `exhibits` is the experiment whose exhibits are the source.
        """
        self.caption, self.alt, self.experiment = caption, alt, experiment or exhibits
        self.source = f"{exhibits}/figure_data.npz" if exhibits else source
        return self

    def panels(self, rows: int, columns: int, used: int | None = None, **options: Any) -> NDArray:
        """Axes as an array (rows, columns), whatever its size; those beyond `used` stay blank."""
        axes = np.asarray(self.subplots(rows, columns, squeeze=False, **options))
        for ax in axes.flat[used:] if used is not None else ():
            ax.set_axis_off()
        return axes


def row_of_panels(
    height: float, columns: int = 1, *, width: float = WIDTH, **options: Any
) -> tuple[Plate, NDArray]:
    """A figure of panels side by side, and their axes (column,); sizes in inches."""
    plate = Plate(height, width)
    return plate, plate.panels(1, columns, **options)[0]


@contextmanager
def style() -> Iterator[None]:
    """Draw and save figures in the look of the report."""
    import matplotlib.style

    with matplotlib.style.context(str(STYLE)):
        yield


def place_of(variant: str) -> int:
    """The place of a network in `PALETTE` and `MARKERS`; the last one is that of all others."""
    return next(
        (k for k, names in enumerate(SIMILAR_VARIANTS) if variant in names), len(PALETTE) - 1
    )


def line_with_interval(
    ax: Axes,
    x: ArrayLike,
    points: Table,
    *,
    index: int = 0,
    label: str = "",
    markers: bool = True,
    **options: Any,
) -> None:
    """Mean over seeds with its pointwise t interval as a band.

    Args:
        ax: Where to draw.
        x: Positions, (point,).
        points: A table as `over_seeds` returns it, one row per position.
        index: Which colour and marker of the palette.
        label: For legend or `label_ends`.
        markers: Whether each point gets its marker.
        options: Passed on to `Axes.plot`.
    """
    colour = PALETTE[index % len(PALETTE)]
    marker = MARKERS[index % len(MARKERS)] if markers else ""
    ax.plot(x, points["mean"], color=colour, marker=marker, label=label, **options)
    if points["ci_low"].notna().any():
        look: dict[str, Any] = {"facecolor": (colour, 0.15), "edgecolor": colour, "linewidth": 0.5}
        ax.fill_between(x, points["ci_low"], points["ci_high"], zorder=1, **look)


def label_ends(ax: Axes, *, gap: float = 0.085, size: float = 8.5) -> None:
    """Write each line's label at its right end, pushed apart vertically where they would touch.

    Args:
        ax: Axes whose lines carry labels.
        gap: Least distance of two labels, as a fraction of the axis.
        size: Font size in points.
    """
    line_ends = []
    for line in ax.get_lines():
        label = str(line.get_label())
        y = np.asarray(line.get_ydata(), float)
        y = y[np.isfinite(y)]
        if label and not label.startswith("_") and y.size:
            end_px = ax.transData.transform((1.0, float(y[-1])))
            share = ax.transAxes.inverted().transform(end_px)[1]
            line_ends.append((float(share), label, line.get_color()))
    line_ends.sort(key=lambda end: end[0])
    frame: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    for height, (_, label, colour) in zip(
        spread([share for share, *_ in line_ends], gap), line_ends, strict=True
    ):
        # The dash has the line's colour; the word the page's, to be read on light and dark.
        dash = {"arrowstyle": "-", "color": colour, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 3}
        ax.annotate("", (1.0, height), (12, 0), arrowprops=dash, **frame)
        ax.annotate(label, (1.0, height), (15, 0), fontsize=size, va="center", **frame)


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Move sorted places apart to at least `gap`, with the least sum of squared moves."""
    from scipy.optimize import isotonic_regression

    offsets = gap * np.arange(len(positions))
    return (isotonic_regression(positions - offsets).x + offsets).tolist() if positions else []


def legend_below(plate: Plate, axes: Iterable[Axes]) -> None:
    """One legend under all panels, each label once."""
    handles_by_label: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            handles_by_label.setdefault(label, handle)
    if handles_by_label:
        # About 110 letters fit side by side, the marks included.
        n_fitting = max(1, 110 // (max(map(len, handles_by_label)) + 8))
        plate.legend(
            list(handles_by_label.values()),
            list(handles_by_label),
            loc="outside lower center",
            ncols=min(len(handles_by_label), n_fitting),
        )


def raster(
    ax: Axes,
    times: ArrayLike,
    rows: ArrayLike,
    *,
    colours: Sequence[str] | NDArray | str = INK,
    height: float = 0.9,
    width: float = 0.7,
) -> None:
    """Spikes as small vertical lines, one path per colour (a marker each would swell the page).

    Of very many a picture is drawn, which cannot follow the page's text colour as `INK` does.

    Args:
        ax: Where to draw.
        times: Spike times, (spike,), in the unit of the axis.
        rows: Row of each spike, (spike,).
        colours: One colour, or one per spike.
        height: Height of a line in rows.
        width: Of a line, in points.
    """
    times, rows = np.asarray(times, float), np.asarray(rows, float)
    kinds = np.full(times.size, colours) if isinstance(colours, str) else np.asarray(colours)
    for kind in np.unique(kinds):
        is_kind = kinds == kind
        x = np.repeat(times[is_kind], 3)
        y = rows[is_kind][:, None] + np.array([-height / 2, height / 2, np.nan])
        look = {"color": str(kind), "linewidth": width, "solid_capstyle": "butt"}
        ax.plot(x, y.ravel(), rasterized=times.size > MAX_LINE_SPIKES and kind != INK, **look)


def anytime(arrays: Mapping[str, NDArray], tau_char_ms: float, experiment: str) -> Plate:
    """Accuracy if the network were stopped at t, guessing where it has not decided (L1).

    Args:
        arrays: Exhibits of the experiment: `anytime.time_ms` (time,) and
            `anytime.<variant>.<seed>` (time,).
        tau_char_ms: The talk's characteristic time, for the second axis.
        experiment: Its name.

    Raises:
        NotMeasuredError: If the arrays are missing.
    """
    message = "There are no decisions in this experiment, so there is no latency."
    require("anytime.time_ms" in arrays, message)
    time_ms = np.asarray(arrays["anytime.time_ms"], float)
    curves: dict[str, list[NDArray]] = {}
    for key in sorted(arrays):
        key_parts = key.split(".")
        if len(key_parts) == 3 and key_parts[0] == "anytime":
            curves.setdefault(key_parts[1], []).append(np.asarray(arrays[key], float))
    plate, (ax,) = row_of_panels(2.7, width=5.6)
    results = []
    # The spiking network comes first.
    for variant in sorted(curves, key=lambda variant: (variant != "spiking", variant)):
        label, index = labels.variant(variant), place_of(variant)
        runs = np.stack(curves[variant], axis=1)
        intervals = pd.DataFrame([known_interval(values) for values in runs])
        points = intervals.rename(columns={"low": "ci_low", "high": "ci_high"})
        line_with_interval(ax, time_ms, points, index=index, label=label, markers=False)
        final = points["mean"].iloc[-1]
        reached = time_ms[int(np.argmax(points["mean"] >= 0.95 * final))]
        results.append(f"{label}: {final:.2f}, 95 % of it after {reached:.2f} ms")
    label_ends(ax)
    ax.set(xlabel="time since stimulus onset, ms", ylabel="accuracy if stopped at t")
    scales = (lambda ms: ms / tau_char_ms, lambda tau: tau * tau_char_ms)
    ax.secondary_xaxis("top", functions=scales).set_xlabel("time since stimulus onset, τ")
    return plate.says(
        "Speed against accuracy: undecided trials guess; controls say at every time what they make "
        "of the input that has come by then. Bands: pointwise 95 % t intervals over seeds.",
        "Accuracy against the time of stopping. " + "; ".join(results) + ".",
        exhibits=experiment,
    )


def need(arrays: Mapping[str, NDArray], *keys: str, of: str = "") -> list[NDArray]:
    """The named exhibits, in order; `of` is what all their names begin with, before a dot.

    Raises:
        NotMeasuredError: If one is missing.
    """
    keys = tuple(f"{of}.{key}" for key in keys) if of else keys
    missing_keys = ", ".join(key for key in keys if key not in arrays)
    require(not missing_keys, f"What it shows is left out at this scale (exhibits {missing_keys}).")
    return [np.asarray(arrays[key]) for key in keys]
