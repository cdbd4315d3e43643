"""Score against the strength of every perturbation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from whyspiking.contract.perturb import ORIGIN
from whyspiking.plots.figures import (
    GREY,
    Plate,
    legend_below,
    line_with_interval,
    over_seeds,
    place_of,
    require,
)
from whyspiking.records import labels
from whyspiking.records.tables import Table

DESCENDING = ("quantise", "clip")
"""Perturbations of which a smaller number is the stronger one."""

COLUMNS = 3
"""Panels per row."""
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


def perturbation_curves(metrics: Table, variants: Sequence[str]) -> Plate:
    """Score against strength, one panel per perturbation and location, one line per variant.

    Args:
        metrics: Rows of one experiment; the clean run (perturbation `none`) is every curve's start.
        variants: Only these are drawn, in this order.

    Raises:
        NotMeasuredError: If no graded perturbation was applied.
    """
    table = metrics[metrics["variant"].isin(variants)]
    chance = table.loc[table["metric"] == "chance", "value"].dropna().unique()
    table = table[(table["metric"] == "score") & table["value"].notna()]
    clean = table[(table["perturbation"] == "none") & (table["location"] == "")]
    graded = table[table["perturbation"].isin(list(LEVEL_NAMES))]
    levels = graded.groupby(["perturbation", "location"])["strength"].nunique()
    kinds = levels[levels > 1].index.tolist()
    require(kinds, "No graded perturbation was applied in this experiment.")
    n_rows = -(-len(kinds) // COLUMNS)
    plate = Plate(0.35 + 2.15 * n_rows)
    axes = plate.panels(n_rows, COLUMNS, len(kinds), sharey=True)
    for ax, (perturbation, location) in zip(axes.flat, kinds, strict=False):
        panel_rows = graded[
            (graded["perturbation"] == perturbation) & (graded["location"] == location)
        ]
        _draw_panel(ax, perturbation, location, panel_rows, clean, variants)
        if chance.size == 1:
            ax.axhline(float(chance[0]), color=GREY, linestyle=":", linewidth=1, zorder=0)
    axes[0, 0].set_ylim(-0.03, 1.03)  # intervals may reach beyond what is possible
    for ax in axes[:, 0]:
        ax.set_ylabel("score")
    legend_below(plate, axes.flat)
    return plate.says(
        "Score under each perturbation; levels are evenly spaced, the first point is the clean "
        "run, dotted is chance. Bands: pointwise 95 % t intervals over seeds.",
        f"Score of {', '.join(map(labels.variant, variants))} against the strength of "
        f"{len(kinds)} perturbations; all numbers stand in the table.",
        experiment=str(metrics["experiment"].iloc[0]),
    )


def _draw_panel(
    ax: Axes, perturbation: str, location: str, graded: Table, clean: Table, variants: Sequence[str]
) -> None:
    """Draw the curves of one perturbation at one location."""
    graded = graded[graded["strength"] != ORIGIN.get(perturbation, 0.0)]
    levels = sorted(set(graded["strength"]), reverse=perturbation in DESCENDING)
    positions = {level: position for position, level in enumerate(levels, 1)}  # 0: the clean run
    measured = set(graded["variant"])
    for variant in (name for name in variants if name in measured):
        variant_rows = graded[graded["variant"] == variant]
        start = clean[
            (clean["variant"] == variant) & clean["engine"].isin(set(variant_rows["engine"]))
        ]
        curve = pd.concat(
            [
                start.assign(place=0),
                variant_rows.assign(place=variant_rows["strength"].map(positions)),
            ]
        )
        points, look = over_seeds(curve, ["place"]), place_of(variant)
        line_with_interval(ax, points["place"], points, index=look, label=labels.variant(variant))
    ticks = ["none" if perturbation in DESCENDING else "0"]
    # Three decimals would touch their neighbours.
    ticks += [f"{level:.2g}".replace("0.", ".") for level in levels]
    ax.set_xticks(range(len(ticks)), ticks, fontsize=8)
    ax.set(title=labels.contrast(perturbation, location), xlabel=LEVEL_NAMES[perturbation])
