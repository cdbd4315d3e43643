"""Energies of controls over those of spiking networks, and what decides them."""

from __future__ import annotations

import numpy as np

from whyspiking.plots.figures import (
    BLUE,
    GREY,
    INK,
    MARKERS,
    PALETTE,
    NotMeasuredError,
    Plate,
    legend_below,
    log_axis,
)
from whyspiking.records.tables import Table


def energy_dots(ratios: Table) -> Plate:
    """Energy of the control over that of the spiking network, one row per cost model.

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
    for told, side, gap in (("spikes cheaper →", "left", 6), ("← control cheaper", "right", -6)):
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
    axes = plate.panels(n_rows, columns, len(panels), sharex=True, sharey=True)
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
    plate.supxlabel("R = energy of the control / energy of the spiking network", fontsize=9)
    return plate.says(
        "One assumption of the cost model changed at a time; a long bar is an assumption that "
        "decides the answer.",
        "Energy ratio under varied assumptions. " + "; ".join(words) + ".",
        "energy.csv",
    )
