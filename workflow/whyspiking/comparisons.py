"""Plots that compare variants: perturbation curves, energies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from whyspiking.conditions import ORIGIN
from whyspiking.figures import (
    BLUE,
    GREY,
    INK,
    MARKERS,
    PALETTE,
    NotMeasuredError,
    Plate,
    legend_below,
    line_with_interval,
    over_seeds,
)
from whyspiking.tables import GLOSSARY, Table

DESCENDING = ("quantise", "clip")
"""Perturbations of which a smaller number is the stronger one."""

LEVEL_NAMES = {
    "jitter": "sd of the jitter, τ",
    "delete": "share of spikes deleted",
    "insert": "inserted over mean rate",
    "quantise": "bits per weight",
    "clip": "limit over largest weight",
    "mismatch": "relative sd",
    "shuffle_window": "window over firing window",
    "tau_spread": "relative sd of τ_m and τ_s",
}
"""What the strength of each graded perturbation is."""


def level_positions(levels: Iterable[float], *, descending: bool = False) -> dict[float, int]:
    """Evenly spaced positions of the levels of a perturbation; position 0 is the clean run.

    Args:
        levels: The strengths, in any order, repeats allowed.
        descending: Where a smaller number is stronger (bits).
    """
    ordered = sorted({float(level) for level in levels}, reverse=descending)
    return {level: k + 1 for k, level in enumerate(ordered)}


def perturbation_curves(
    metrics: Table,
    *,
    labels: Mapping[str, str],
    metric: str = "score",
    columns: int = 3,
) -> Plate:
    """Score against strength, one panel per perturbation and locus, one line per variant.

    Args:
        metrics: Rows of one experiment; the clean run (perturbation `none`) is every curve's start.
        labels: Variant -> label; only these are drawn, in this order.
        metric: Which metric to draw.
        columns: Panels per row.

    Raises:
        NotMeasuredError: If no graded perturbation was applied.
    """
    table = metrics[metrics["variant"].isin(list(labels))]
    chance = table.loc[table["metric"] == "chance", "value"].dropna().unique()
    table = table[(table["metric"] == metric) & table["value"].notna()]
    clean = table[(table["perturbation"] == "none") & (table["locus"] == "")]
    graded = table[table["perturbation"].isin(list(LEVEL_NAMES))]
    kinds = [
        (str(key[0]), str(key[1]))
        for key, part in graded.groupby(["perturbation", "locus"], sort=True)
        if isinstance(key, tuple) and part["strength"].nunique() > 1
    ]
    if not kinds:
        raise NotMeasuredError("No graded perturbation was applied in this experiment.")
    n_rows = -(-len(kinds) // columns)
    plate = Plate(0.35 + 2.15 * n_rows)
    axes = plate.panels(n_rows, columns, sharey=True)
    words = []
    for ax, (perturbation, locus) in zip(axes.flat, kinds, strict=False):
        here = graded[(graded["perturbation"] == perturbation) & (graded["locus"] == locus)]
        here = here[here["strength"] != ORIGIN.get(perturbation, 0.0)]
        places = level_positions(here["strength"], descending=perturbation in DESCENDING)
        for index, (variant, label) in enumerate(labels.items()):
            own = here[here["variant"] == variant]
            if own.empty:
                continue
            start = clean[(clean["variant"] == variant) & clean["engine"].isin(set(own["engine"]))]
            points = over_seeds(
                pd.concat(
                    [
                        start.assign(place=0),
                        own.assign(place=[places[float(level)] for level in own["strength"]]),
                    ]
                ),
                ["place"],
            )
            line_with_interval(ax, points["place"], points, index=index, label=label)
            words.append(
                f"{label}, {perturbation} {locus}: {points['mean'].iloc[0]:.2f} unperturbed, "
                f"{points['mean'].iloc[-1]:.2f} at the strongest level"
            )
        if chance.size == 1:
            ax.axhline(float(chance[0]), color=GREY, linestyle=":", linewidth=1, zorder=0)
        ticks = ["0" if perturbation not in DESCENDING else "none"]
        ticks += [f"{level:g}".replace("0.", ".") for level in places]
        ax.set_xticks(range(len(ticks)), ticks, fontsize=8 if len(ticks) < 7 else 7.5)
        ax.set_title(f"{perturbation} · {locus}".replace("_", " ").rstrip(" ·"))
        ax.set_xlabel(LEVEL_NAMES[perturbation])
    for ax in list(axes.flat)[len(kinds) :]:
        ax.set_axis_off()
    if GLOSSARY[metric].unit == "fraction":
        axes[0, 0].set_ylim(-0.03, 1.03)  # intervals may reach beyond what is possible
    for ax in axes[:, 0]:
        ax.set_ylabel(metric.replace("_", " "))
    legend_below(plate, axes.flat)
    experiment = str(metrics["experiment"].iloc[0])
    return plate.says(
        f"{metric.replace('_', ' ').capitalize()} under each perturbation; levels are evenly "
        "spaced, the first point is the clean run, dotted is chance. Bands: pointwise 95 % t "
        "intervals over seeds.",
        "Perturbation curves. " + "; ".join(words) + ".",
        experiment=experiment,
    )


def energy_dots(ratios: Table) -> Plate:
    """Energy of the control over that of the spiking network, one row per cost model.

    Args:
        ratios: Rows of energy.csv.

    Raises:
        NotMeasuredError: If no energy ratio was computed.
    """
    points = ratios[ratios["factor"] == ""]
    if points.empty:
        raise NotMeasuredError("No energy ratio was computed: no control with counted operations.")
    keys = ["talk", "experiment", "variant", "locus"]
    panels = list(points[keys].drop_duplicates().itertuples(index=False, name=None))
    logs = points.assign(log=np.log(points["mean"]))
    order = logs.groupby("setting")["log"].mean().sort_values().index.tolist()
    rows = len(panels)
    plate = Plate(1.0 + len(order) * max(0.26, 0.07 * rows))
    ax = plate.panels(1, 1)[0, 0]
    words = []
    offsets = np.linspace(0.3, -0.3, rows) if rows > 1 else np.zeros(1)
    for index, (key, offset) in enumerate(zip(panels, offsets, strict=True)):
        own = points[(points[keys] == list(key)).all(axis=1)].set_index("setting")
        places = np.array([order.index(model) for model in own.index]) + offset
        colour = PALETTE[index % len(PALETTE)]
        known = own["low"].notna().to_numpy()
        ax.hlines(places[known], own["low"][known], own["high"][known], color=colour, linewidth=1.2)
        label = f"{key[0]} · {key[1]}, against {key[3]}".replace("_", " ")
        marker = MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
        ax.plot(own["mean"], places, color=colour, marker=marker, linestyle="", label=label)
        words.append(f"{label}: R from {own['mean'].min():.2g} to {own['mean'].max():.2g}")
    ax.axvline(1, color=INK, linewidth=0.9)
    log_axis(ax, points[["mean", "low", "high"]].to_numpy())
    for place in range(1, len(order)):
        ax.axhline(place - 0.5, color=GREY, linewidth=0.4, alpha=0.5)
    ax.set_yticks(range(len(order)), [str(model).replace("_", " ") for model in order])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.5, len(order) - 0.5)
    ax.set_xlabel("R = energy of the control / energy of the spiking network")
    for told, side, gap in (
        ("spikes cheaper →", "left", 6),
        ("← control cheaper", "right", -6),
    ):
        ax.annotate(
            told,
            xy=(1, 1.01),
            xycoords=ax.get_xaxis_transform(),
            xytext=(gap, 0),
            textcoords="offset points",
            ha=side,
            fontsize=8.5,
        )
    legend_below(plate, [ax])
    return plate.says(
        "Energy under every cost model, on a logarithmic axis. Bars: 95 % t intervals over seeds "
        "of the logarithms. Models whose name begins with ops count operations only, which "
        "flatters spiking networks; those with mem pay for memory as well.",
        "Energy ratios on a logarithmic axis. " + "; ".join(words) + ".",
        "energy.csv",
    )


def energy_tornado(ratios: Table) -> Plate:
    """How one assumption at a time moves the energy ratio.

    Args:
        ratios: Rows of energy.csv.

    Raises:
        NotMeasuredError: If no assumption was varied.
    """
    points = ratios[ratios["factor"] != ""]
    if points.empty:
        raise NotMeasuredError("No assumption was varied: no control with counted operations.")
    keys = ["talk", "experiment", "locus"]
    panels = list(points[keys].drop_duplicates().itertuples(index=False, name=None))
    factors = list(dict.fromkeys(points["factor"]))
    columns = min(3, len(panels))
    n_rows = -(-len(panels) // columns)
    plate = Plate(0.5 + n_rows * (0.65 + 0.24 * len(factors)))
    axes = plate.panels(n_rows, columns, sharex=True, sharey=True)
    words = []
    for ax, (talk, experiment, control) in zip(axes.flat, panels, strict=False):
        place = (points[keys] == [talk, experiment, control]).all(axis=1)
        for row, factor in enumerate(reversed(factors)):
            own = points[place & (points["factor"] == factor)].sort_values("mean")
            if own.empty:
                continue
            ax.plot(own["mean"], [row] * len(own), color=BLUE, marker="o", linewidth=3)
            low, high = own.iloc[0], own.iloc[-1]
            words.append(
                f"{talk} {experiment}, {factor}: {low['mean']:.2g} ({low['setting']}) to "
                f"{high['mean']:.2g} ({high['setting']})"
            )
        ax.axvline(1, color=INK, linewidth=0.9)
        ax.set_title(f"{talk} · {experiment}\nagainst {control}".replace("_", " "))
    log_axis(axes[0, 0], points[["mean"]].to_numpy())
    axes[0, 0].set_yticks(range(len(factors)), factors[::-1])
    axes[0, 0].set_ylim(-0.6, len(factors) - 0.4)
    for ax in list(axes.flat)[len(panels) :]:
        ax.set_axis_off()
    plate.supxlabel("R = energy of the control / energy of the spiking network", fontsize=9)
    return plate.says(
        "One assumption of the cost model changed at a time; a long bar is an assumption that "
        "decides the answer.",
        "Energy ratio under varied assumptions. " + "; ".join(words) + ".",
        "energy.csv",
    )


def log_axis(ax: Axes, values: NDArray) -> None:
    """Logarithmic x axis around 1 with plain numbers at powers of ten.

    Args:
        ax: Where to draw.
        values: All numbers that must be seen; others than positive ones are left out.
    """
    known = values[np.isfinite(values) & (values > 0)]
    ax.set_xscale("log")
    ax.set_xlim(min(0.5, 0.7 * float(known.min())), max(2.0, 1.4 * float(known.max())))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(lambda value, _: "")
