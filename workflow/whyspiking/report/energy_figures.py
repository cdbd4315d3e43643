"""Energies of controls over those of spiking networks: figures, and what decides them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from whyspiking.measures import energy
from whyspiking.plots.figures import (
    GREY,
    INK,
    MARKERS,
    PALETTE,
    Plate,
    legend_below,
    log_axis,
    require,
    row_of_panels,
)
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html


def energy_dots(ratios: Table) -> Plate:
    """Energy of the control over that of the spiking network, one row per cost model.

    Raises:
        NotMeasuredError: If no energy ratio was computed.
    """
    points = ratios[ratios["factor"] == ""]
    require(len(points), "No energy ratio was computed: no control with counted operations.")
    contrasts = list(points.groupby(["talk", "experiment", "variant", "locus"], sort=False))
    logs = np.log(points["mean"]).groupby(points["setting"])
    order = logs.mean().sort_values().index.tolist()
    rows = len(contrasts)
    plate, (ax,) = row_of_panels(1.0 + len(order) * max(0.26, 0.07 * rows))
    words = []
    offsets = np.linspace(0.3, -0.3, rows) if rows > 1 else np.zeros(1)
    for index, ((key, own), offset) in enumerate(zip(contrasts, offsets, strict=True)):
        places = own["setting"].map(order.index).to_numpy() + offset
        colour = PALETTE[index % len(PALETTE)]
        several = own["low"].notna().to_numpy()
        ax.hlines(
            places[several], own["low"][several], own["high"][several], color=colour, linewidth=1.2
        )
        label = f"{labels.experiment(key[0], key[1])}, against {labels.variant(key[3])}"
        marker = MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
        ax.plot(own["mean"], places, color=colour, marker=marker, linestyle="", label=label)
        words.append(f"{label}: R from {own['mean'].min():.2g} to {own['mean'].max():.2g}")
    ax.axvline(1, color=INK, linewidth=0.9)
    log_axis(ax, points[["mean", "low", "high"]].to_numpy())
    for place in range(1, len(order)):
        ax.axhline(place - 0.5, color=GREY, linewidth=0.4, alpha=0.5)
    ax.set_yticks(range(len(order)), [labels.perturbation(str(model)) for model in order])
    ax.tick_params(axis="y", length=0)
    label = "R = energy of the control / energy of the spiking network"
    ax.set(ylim=(-0.5, len(order) - 0.5), xlabel=label)
    frame = {"xycoords": ax.get_xaxis_transform(), "textcoords": "offset points", "fontsize": 8.5}
    ax.annotate("spikes cheaper →", (1, 1.01), (6, 0), ha="left", **frame)
    ax.annotate("← control cheaper", (1, 1.01), (-6, 0), ha="right", **frame)
    legend_below(plate, [ax])
    return plate.says(
        "Energy under every cost model, on a logarithmic axis. Bars: 95 % t intervals over seeds "
        "of the logarithms. Models that count operations only flatter spiking networks; the others "
        "pay for memory as well.",
        "Energy ratios on a logarithmic axis. " + "; ".join(words) + ".",
        "energy.csv",
    )


def cost_models(config: Mapping[str, Any]) -> Markup:
    """What every cost model counts, and what an operation costs under it, as a table.

    Args:
        config: The config's `energy` block.
    """
    models = [(model, energy.prices(model, config)) for model in config["models"]]
    return html.macros("energy").cost_models(models)


def assumptions(ratios: Table) -> Markup:
    """Which assumption of the cost model decides who is cheaper, as a table.

    Args:
        ratios: Rows of energy.csv.
    """
    points = ratios[ratios["factor"] != ""]
    rows = []
    for factor, own in points.groupby("factor", sort=False):
        ends = own.groupby(["talk", "experiment", "locus"])["mean"].agg(["min", "max"])
        turned = int(((ends["min"] < 1) & (ends["max"] > 1)).sum())
        middle = float(np.median(ends["max"] / ends["min"]))
        rows.append((factor, own["setting"].unique().tolist(), turned, len(ends), middle))
    rows.sort(key=lambda row: -row[2])
    return html.macros("energy").assumptions(rows)
