"""Figures of the first-spike networks: decision map, chip, substrates, few spikes.

Exhibits read: of experiment yinyang `map.*` (see `exhibits`), of released_chip `chip.*` (see
`exhibits_chip`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from whyspiking.contract.types import Results

CLASS_LABEL_POSITIONS = {"yin": (0.36, 0.13), "yang": (0.64, 0.87), "dot": (0.25, 0.5)}
"""Class -> a place inside it."""
TAU_MS = 1.0
R_BIG, R_SMALL = 0.5, 0.1
SUBSTRATES = {
    ("fixed_point_wide", 7.0): "6 bits and sign, up to 4.2",
    ("fixed_point_wide", 4.0): "3 bits and sign, up to 4.2",
    ("fixed_point", 7.0): "6 bits and sign, up to 2.1 (chip)",
    ("fixed_point", 4.0): "3 bits and sign, up to 2.1",
    ("tau_spread", 0.2): "τ_m and τ_s vary by 20 %",
    ("tau_shift", 2.0): "τ_m twice as long as assumed",
    ("jitter", 0.1): "input jitter, sd 0.1 τ",
}
"""Perturbation and strength -> row of the figure, from top to bottom."""
TRAINED_ON = {
    "ideal": ("ideal", fg.GREY, "o"),
    "sham": ("ideal (twice as long)", fg.OLIVE, "v"),
    "elsewhere": ("another chip", fg.PURPLE, "D"),
    "adapted": ("tested substrate", fg.BLUE, "s"),
}
"""Variant -> where it was trained, in words, with colour and marker."""
CHIP_MODELS = {
    "grid": "weights rounded as on the chip",
    "common": "same factors for all neurons",
    "neurons": "factors for each neuron",
    "elsewhere": "factors of other neurons",
}
"""Variant -> model of the chip, in words."""
FEW_SPIKES_ROWS = {
    ("spiking", "hidden_before_decision"): ("fire before the decision", fg.BLUE),
    ("no_push", "hidden_before_decision"): ("fire before the decision (α = 0)", fg.RED),
    ("spiking", "active_share"): ("fire in the whole trial", fg.GREY),
}
"""Variant and metric -> words and colour."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """The talk's figures by name, in the order of the story."""
    return {
        "decision map": lambda: draw_decision_map(results.exhibit("yinyang")),
        "chip": lambda: chip(results.exhibit("released_chip"), results.metrics),
        "substrates": lambda: draw_substrates(results.metrics),
        "few spikes": lambda: draw_few_spikes(results.metrics),
    }


def draw_decision_map(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw which output neuron fires first at each point of the Yin-Yang plane, and when."""
    axis, first_ms = fg.need(arrays, "map.axis", "map.first_ms")
    x, y = np.meshgrid(axis, axis)
    is_inside = np.hypot(x - 0.5, y - 0.5) <= R_BIG
    earliest = first_ms.min(axis=2)
    is_decided = np.isfinite(earliest) & is_inside
    if not is_decided.any():
        raise fg.NotMeasuredError("No output neuron fires anywhere on the map.")
    choice = np.where(is_decided, first_ms.argmin(axis=2), -1)
    low, high = np.percentile(earliest[is_decided], [2, 98])
    lateness = np.clip((earliest - low) / max(high - low, 1e-9), 0, 1)
    picture = np.zeros((*choice.shape, 4))
    for index, colour in enumerate(fg.CLASSES.values()):
        picture[choice == index, :3] = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    # The later the decision, the fainter the colour.
    picture[is_decided, 3] = 1.0 - 0.75 * lateness[is_decided]
    plate, (ax,) = fg.row_of_panels(3.75, width=4.5)
    ax.imshow(picture, origin="lower", extent=axis[[0, -1, 0, -1]], interpolation="nearest")
    levels = np.unique(np.round(np.linspace(low, high, 6)[1:-1] / TAU_MS, 2))
    times = np.where(is_decided, earliest, np.nan) / TAU_MS
    ax.contour(x, y, times, levels=levels, colors=fg.INK, linewidths=0.6, alpha=0.7)
    _draw_borders(ax)
    for name, position in CLASS_LABEL_POSITIONS.items():
        ax.text(
            *position, name, ha="center", va="center", fontsize=10, fontweight="bold", color=fg.INK
        )
    ax.set(title="first output neuron and its spike time", xlabel="x", ylabel="y")
    class_shares = ", ".join(
        f"{name} {100 * (choice[is_decided] == k).mean():.0f} %"
        for k, name in enumerate(CLASS_LABEL_POSITIONS)
    )
    return plate.says(
        "The map shows the decisions of one trained network over the Yin-Yang plane. The colour "
        "is that of the output neuron that fires first, and a fainter colour means a later spike. "
        "Thin lines connect points with the same decision time "
        f"({', '.join(f'{level:g}' for level in levels)} τ), and thick lines are the true borders.",
        f"Map of decisions. Fraction of the plane by class: {class_shares}. Decisions fall between "
        f"{low / TAU_MS:.2f} and {high / TAU_MS:.2f} τ and are latest at the class borders.",
        exhibits="yinyang",
    )


def _draw_borders(ax: Axes) -> None:
    """Draw the true borders: big disc, two half discs, two dots (Kriener et al. 2022)."""
    full_circle, upper_half, lower_half = (
        np.linspace(start, stop, 200)
        for start, stop in ((0, 2 * np.pi), (0, np.pi), (np.pi, 2 * np.pi))
    )
    arcs = [(0.5, R_BIG, full_circle)]
    for centre, half in ((0.25, lower_half), (0.75, upper_half)):
        arcs += [(centre, 0.25, half), (centre, R_SMALL, full_circle)]
    for centre, radius, angle in arcs:
        px, py = centre + radius * np.cos(angle), 0.5 + radius * np.sin(angle)
        ax.plot(px, py, color=fg.INK, linewidth=1)
    ax.set_aspect("equal")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def chip(arrays: Mapping[str, NDArray], metrics: Table) -> fg.Plate:
    """Draw spike times of a chip, of ideal and of fitted neurons, and the explained fraction."""
    saved, ideal, fitted = fg.need(arrays, "chip.saved", "chip.ideal", "chip.fitted")
    rows = metrics[(metrics["experiment"] == "released_chip") & (metrics["engine"] == "compiled")]
    explainable = rows[rows["metric"] == "released_time_explainable"]["value"].mean()
    fg.require(np.isfinite(explainable), "No model was fitted to the recordings of the chip.")
    plate, (scatter_ax, bars_ax) = fg.row_of_panels(2.8, 2)
    limits = np.array(
        [saved[np.isfinite(saved)].min(), np.quantile(saved[np.isfinite(saved)], 0.99)]
    )
    for times, colour, name in ((ideal, fg.GREY, "ideal"), (fitted, fg.BLUE, "fitted")):
        both_fired = np.isfinite(saved) & np.isfinite(times)
        scatter_ax.plot(
            saved[both_fired],
            times[both_fired],
            ".",
            color=colour,
            markersize=2,
            alpha=0.5,
            label=name,
        )
    scatter_ax.plot(limits, limits, color=fg.INK, linewidth=0.8)
    scatter_ax.set(
        xlim=limits,
        ylim=(limits[0] - 0.3, limits[1] + 0.3),
        xlabel="spike time on the chip (τ)",
        ylabel="spike time in the model (τ)",
    )
    scatter_ax.legend(title="neurons", markerscale=4, loc="upper left")
    texts = []
    for i_row, (variant, name) in enumerate(CHIP_MODELS.items()):
        variant_rows = rows[rows["variant"] == variant]
        shares = variant_rows[variant_rows["metric"] == "released_time_explained"]["value"]
        if shares.empty:
            continue
        bars_ax.barh(-i_row, max(shares.mean(), 0), color=fg.BLUE, height=0.55)
        text = f"{name}: {100 * shares.mean():.0f} %"
        bars_ax.annotate(text, (0.01, 0.38 - i_row), fontsize=8.5, va="center")
        texts.append(text)
    bars_ax.axvline(explainable, color=fg.INK, linestyle=":", linewidth=0.8)
    text_position = (explainable - 0.01, 0.62 - len(CHIP_MODELS))
    bars_ax.text(
        *text_position, "without model, from similar inputs", fontsize=8, ha="right", va="bottom"
    )
    bars_ax.set(yticks=[], xlim=(0, 1), ylim=(0.6 - len(CHIP_MODELS), 0.7))
    bars_ax.set(title="explained part of the difference", xlabel="fraction, other recordings")
    scatter_ax.set_title("output spikes of one network")
    return plate.says(
        "The network was trained on the chip BrainScaleS-2. The left panel compares its recorded "
        "output spikes with those of the same weights in ideal neurons and in neurons whose "
        "thresholds and time constants were fitted to other recordings. The right panel shows the "
        "fraction of the squared difference between chip and ideal neurons that a model explains "
        "on recordings to which it was not fitted. The dotted line is the fraction that the chip's "
        "own spikes for the nearest inputs explain.",
        "Explained fraction: "
        + "; ".join(texts)
        + f". The chip's own spikes for the nearest inputs: {100 * explainable:.0f} %.",
        experiment="released_chip",
        exhibits="released_chip",
    )


def draw_substrates(metrics: Table) -> fg.Plate:
    """Draw the accuracy on each substrate by where a network was trained from scratch."""
    rows = metrics[(metrics["experiment"] == "substrates") & (metrics["engine"] == "brian2")]
    if rows.empty:
        raise fg.NotMeasuredError("Training on substrates was not run at this scale.")
    scores = rows[rows["metric"] == "accuracy"]
    ideal_accuracy = scores[(scores["perturbation"] == "none") & (scores["variant"] == "ideal")][
        "value"
    ]
    plate, (ax,) = fg.row_of_panels(3.4)
    ax.axvline(ideal_accuracy.mean(), color=fg.INK, linewidth=0.8, linestyle=":")
    row_names: list[str] = []
    texts = [f"trained and tested on the ideal substrate: {ideal_accuracy.mean():.3f}"]
    for (perturbation, strength), name in SUBSTRATES.items():
        condition_rows = rows[
            (rows["perturbation"] == perturbation) & (rows["strength"] == strength)
        ]
        if condition_rows.empty:
            continue
        y_row = -len(row_names)
        row_names.append(name)
        accuracy_texts = []
        for offset, (variant, (label, colour, marker)) in enumerate(TRAINED_ON.items()):
            accuracies = condition_rows[
                (condition_rows["variant"] == variant) & (condition_rows["metric"] == "accuracy")
            ]["value"]
            if accuracies.empty:
                continue
            y = y_row + 0.09 * (1.5 - offset)
            ax.plot(accuracies, [y] * len(accuracies), ".", color=colour, markersize=3, alpha=0.6)
            ax.plot(
                accuracies.mean(), y, marker, color=colour, markersize=6, linestyle="", label=label
            )
            accuracy_texts.append(f"{label} {accuracies.mean():.2f}")
        recovered = _format_recovery(condition_rows)
        ax.text(
            1.02, y_row, recovered, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5
        )
        texts.append(f"{name}: {', '.join(accuracy_texts)}; recovered: {recovered}")
    ax.text(1.02, 0.7, "recovered", transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
    ax.set_yticks([-y_row for y_row in range(len(row_names))], row_names)
    ax.set(xlabel="accuracy, all test points", ylim=(0.5 - len(row_names), 0.95), xlim=(None, 1.0))
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    plate.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=4,
        title="substrate on which the network was trained",
    )
    return plate.says(
        "The figure shows the accuracy of Yin-Yang networks on imperfect substrates in Brian2, by "
        "the substrate on which they were trained from scratch. Large marks are means, and small "
        "marks are single networks. The dotted line is the accuracy of networks trained and tested "
        "on the ideal substrate. The column on the right gives the fraction of their accuracy loss "
        "that training on the tested substrate recovers (mean and 95 % t interval). The claims "
        "require at least half.",
        "Accuracy by tested substrate and by training. " + ". ".join(texts) + ".",
        experiment="substrates",
    )


def _format_recovery(rows: Table) -> str:
    """Format mean and interval of the fraction of loss that training on a substrate recovers."""
    recovered_rows = rows[(rows["variant"] == "adapted") & (rows["metric"] == "loss_recovered")]
    if recovered_rows.empty:
        return "loss < 2 points"
    (point,) = fg.over_seeds(recovered_rows, ["perturbation"]).to_dict("records")
    mean = f"{100 * point['mean']:.0f} %"
    if not np.isfinite(point["ci_low"]):
        return mean
    if point["ci_high"] - point["ci_low"] > 1:
        return "loss too small to judge"
    return f"{mean} [{100 * point['ci_low']:.0f}, {100 * point['ci_high']:.0f}]"


def draw_few_spikes(metrics: Table) -> fg.Plate:
    """Draw the fraction of hidden neurons that fire before the decision, by training loss."""
    rows = metrics[(metrics["perturbation"] == "none") & metrics["location"].isin(["", "hidden"])]
    rows = rows[(rows["experiment"] == "few_spikes") & (rows["engine"] == "brian2")]
    fg.require(not rows.empty, "Networks with few spikes were not trained at this scale.")
    plate, (ax,) = fg.row_of_panels(2.5)
    texts = []
    for i_row, ((variant, metric), (label, colour)) in enumerate(FEW_SPIKES_ROWS.items()):
        shares = rows[(rows["variant"] == variant) & (rows["metric"] == metric)]["value"]
        if shares.empty:
            continue
        ax.plot(shares, [-i_row] * shares.size, "o", color=colour, markersize=4, alpha=0.6)
        ax.plot(shares.mean(), -i_row, "|", color=colour, markersize=16, markeredgewidth=2)
        ax.annotate(
            f"{label}: {100 * shares.mean():.1f} %", (0.02, 0.35 - i_row), fontsize=8.5,
            xycoords=("axes fraction", "data"), va="center",
        )  # fmt: skip
        texts.append(f"{label}: {shares.mean():.3f}")
    ax.set(yticks=[], ylim=(-2.4, 0.7), xlim=(0, 1), title="Yin-Yang")
    ax.set(xlabel="fraction of hidden neurons")
    return plate.says(
        "The figure shows the fraction of hidden neurons that have fired when the first output "
        "neuron fires, for networks trained with and without (α = 0) the loss term for early "
        "spikes in Eq. 4. Small marks are single networks.",
        ". ".join(texts) + ".",
        experiment="few_spikes",
    )
