"""Energies of controls over those of spiking networks, and what decides them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    OLIVE,
    PALETTE,
    RED,
    NotMeasuredError,
    Plate,
    legend_below,
    log_axis,
)
from whyspiking.records.tables import Table

ZONES = (
    ("saves energy, whatever is counted", GREEN, "^"),
    ("depends on what is counted", OLIVE, "D"),
    ("saves none, whatever is counted", RED, "s"),
)
"""Below, between and above the break-even densities: words, colour, marker."""
UNMATCHED = 1e-3
"""Where the control needs less than this share of the energy they are not of one size."""


def when_spikes_save(measures: Table, ratios: Table, names: Mapping[str, str]) -> Plate:
    """Spikes per synapse of every experiment beside the densities at which it breaks even.

    Energy grows with spikes, so a network that needs a share R of its control's energy would need
    as much with R times the spikes; its updates are neglected.

    Args:
        measures: Rows of measures.csv.
        ratios: Rows of energy.csv.
        names: Name of the talk -> how it is called.

    Raises:
        NotMeasuredError: If no experiment has spikes, synapses and a control.
    """
    dense = measures[(measures["measure"] == "s") & measures["value"].notna()]
    density_of = {
        (row["talk"], row["experiment"]): row["value"] for row in dense.to_dict("records")
    }
    rows, apart = [], []
    points = ratios[ratios["factor"] == ""]
    for place, own in points.groupby(["talk", "experiment"], sort=False):
        if place not in density_of:
            continue
        label = f"{names[str(place[0])]} · {place[1]}".replace("_", " ")
        density = float(density_of[place])
        if own["mean"].max() < UNMATCHED:
            apart.append(label)
        else:
            ends = density * own["mean"].min(), density * own["mean"].max()
            rows.append((label, density, *map(float, ends)))
    if not rows:
        raise NotMeasuredError("No experiment has spikes, synapses and a control to break even.")
    rows.sort(key=lambda row: row[1] / np.sqrt(row[2] * row[3]))
    left_out = f" Not drawn, a thousand times its control: {', '.join(apart)}." if apart else ""
    plate = Plate(1.5 + 0.27 * len(rows), 9.6)
    ax = plate.panels(1, 1)[0, 0]
    words = []
    for k, (label, density, low, high) in enumerate(rows):
        y = len(rows) - 1 - k
        says, colour, marker = ZONES[int(density >= low) + int(density > high)]
        ax.barh(y, high - low, left=low, height=0.5, color=GREY, alpha=0.25, edgecolor="none")
        ax.plot(density, y, marker=marker, color=colour, zorder=3)
        words.append(f"{label}: {density:.2g}, breaks even at {low:.2g} to {high:.2g}: {says}")
    for says, colour, marker in ZONES:
        ax.plot([], [], linestyle="", marker=marker, color=colour, label=says)
    log_axis(ax, np.array([row[1:] for row in rows]))
    ax.set_yticks(range(len(rows)), [row[0] for row in rows[::-1]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.set_xlabel("synaptic events per synapse and trial")
    legend_below(plate, [ax])
    return plate.says(
        "When do spikes save energy? Mark: how often a synapse is used in a trial. Grey bar: the "
        "density at which network and control need the same, from the least favourable cost model "
        "and control (left: memory is paid for) to the most favourable (right: operations alone). "
        "Left of the bar spikes save energy whatever is counted, right of it whatever is counted "
        f"they do not.{left_out}",
        "Spikes per synapse and break-even. " + "; ".join(words) + ".",
        "energy.csv",
    )


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
