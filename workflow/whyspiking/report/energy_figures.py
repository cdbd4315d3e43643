"""Energies of controls over those of spiking networks: figures, and what decides them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from whyspiking.plots.figures import (
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
from whyspiking.records import labels
from whyspiking.records.tables import Table
from whyspiking.report import html

ZONES = (
    ("saves energy, whatever is counted", GREEN, "^"),
    ("depends on what is counted", OLIVE, "D"),
    ("saves none, whatever is counted", RED, "s"),
)
"""Below, between and above the break-even densities: words, colour, marker."""


def when_spikes_save(
    measures: Table,
    ratios: Table,
    names: Mapping[str, str],
    unmatched: Mapping[tuple[str, str, str], str],
) -> Plate:
    """Spikes per synapse of every experiment beside the densities at which it breaks even.

    Energy grows with spikes, so a network that needs a share R of its control's energy would need
    as much with R times the spikes; its updates are neglected.

    Args:
        measures: Rows of measures.csv.
        ratios: Rows of energy.csv.
        names: Name of the talk -> how it is called.
        unmatched: Talk, experiment and a control that does not count -> the reason.

    Raises:
        NotMeasuredError: If no experiment has spikes, synapses and a control.
    """
    dense = measures[(measures["measure"] == "s") & measures["value"].notna()]
    density_of = {
        (row["talk"], row["experiment"]): row["value"] for row in dense.to_dict("records")
    }
    rows = []
    points = ratios[ratios["factor"] == ""]
    keys = zip(points["talk"], points["experiment"], points["locus"], strict=True)
    points = points.assign(counts=[key not in unmatched for key in keys])
    apart = {key[:2]: why for key, why in unmatched.items()}
    for place, every in points.groupby(["talk", "experiment"], sort=False):
        talk, experiment = map(str, place)
        own = every[every["counts"]]
        if not own.empty:
            apart.pop((talk, experiment), None)
        if place not in density_of or own.empty:
            continue
        label = f"{names[talk]} · {labels.experiment(talk, experiment)}"
        density = float(density_of[place])
        ends = density * own["mean"].min(), density * own["mean"].max()
        rows.append((label, density, *map(float, ends)))
    if not rows:
        raise NotMeasuredError("No experiment has spikes, synapses and a control to break even.")
    rows.sort(key=lambda row: row[1] / np.sqrt(row[2] * row[3]))
    told = [f"{names[t]} · {labels.experiment(t, e)}: {why}" for (t, e), why in apart.items()]
    left_out = f" Not drawn: {'; '.join(told)}." if told else ""
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
        "of the logarithms. Models that count operations only flatter spiking networks; the others "
        "pay for memory as well.",
        "Energy ratios on a logarithmic axis. " + "; ".join(words) + ".",
        "energy.csv",
    )


def assumptions(ratios: Table) -> Markup:
    """Which assumption of the cost model decides who is cheaper, as a table.

    Args:
        ratios: Rows of energy.csv.
    """
    points = ratios[ratios["factor"] != ""]
    rows = []
    for factor, own in points.groupby("factor", sort=False):
        by_place = own.groupby(["talk", "experiment", "locus"])["mean"]
        low, high = by_place.min(), by_place.max()
        turned = (low < 1) & (high > 1)
        middle = float(np.median(high / low))
        settings = list(dict.fromkeys(own["setting"]))
        rows.append((factor, settings, int(turned.sum()), len(low), middle))
    rows.sort(key=lambda row: -row[2])
    return html.macros("energy").assumptions(rows)
