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

INSIDE = {"yin": (0.36, 0.13), "yang": (0.64, 0.87), "dot": (0.25, 0.5)}
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
CHIP = {
    "grid": "weights rounded as on the chip",
    "common": "same factors for all neurons",
    "neurons": "factors for each neuron",
    "elsewhere": "factors of other neurons",
}
"""Variant -> model of the chip, in words."""
FEW = {
    ("spiking", "hidden_before_decision"): ("fire before the decision", fg.BLUE),
    ("no_push", "hidden_before_decision"): ("fire before the decision (α = 0)", fg.RED),
    ("spiking", "active_share"): ("fire in the whole trial", fg.GREY),
}
"""Variant and metric -> words and colour."""


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """The talk's figures by name, in the order of the story."""
    return {
        "decision map": lambda: decision_map(results.exhibit("yinyang")),
        "chip": lambda: chip(results.exhibit("released_chip"), results.metrics),
        "substrates": lambda: substrates(results.metrics),
        "few spikes": lambda: few_spikes(results.metrics),
    }


def decision_map(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Which output neuron fires first at every point of the Yin-Yang plane, and when."""
    axis, first = fg.need(arrays, "map.axis", "map.first_ms")
    x, y = np.meshgrid(axis, axis)
    inside = np.hypot(x - 0.5, y - 0.5) <= R_BIG
    earliest = first.min(axis=2)
    decided = np.isfinite(earliest) & inside
    if not decided.any():
        raise fg.NotMeasuredError("No output neuron fires anywhere on the map.")
    choice = np.where(decided, first.argmin(axis=2), -1)
    low, high = np.percentile(earliest[decided], [2, 98])
    late = np.clip((earliest - low) / max(high - low, 1e-9), 0, 1)
    picture = np.zeros((*choice.shape, 4))
    for index, colour in enumerate(fg.CLASSES.values()):
        picture[choice == index, :3] = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    # The later the decision, the fainter the colour.
    picture[decided, 3] = 1.0 - 0.75 * late[decided]
    plate, (ax,) = fg.row_of_panels(3.75, width=4.5)
    ax.imshow(picture, origin="lower", extent=axis[[0, -1, 0, -1]], interpolation="nearest")
    levels = np.unique(np.round(np.linspace(low, high, 6)[1:-1] / TAU_MS, 2))
    times = np.where(decided, earliest, np.nan) / TAU_MS
    ax.contour(x, y, times, levels=levels, colors=fg.INK, linewidths=0.6, alpha=0.7)
    _outline(ax)
    for name, place in INSIDE.items():
        ax.text(
            *place, name, ha="center", va="center", fontsize=10, fontweight="bold", color=fg.INK
        )
    ax.set(title="first output neuron and its spike time", xlabel="x", ylabel="y")
    parts = ", ".join(
        f"{name} {100 * (choice[decided] == k).mean():.0f} %" for k, name in enumerate(INSIDE)
    )
    return plate.says(
        "The map shows the decisions of one trained network over the Yin-Yang plane. The colour "
        "is that of the output neuron that fires first, and a fainter colour means a later spike. "
        "Thin lines connect points with the same decision time "
        f"({', '.join(f'{level:g}' for level in levels)} τ), and thick lines are the true borders.",
        f"Map of decisions. Fraction of the plane by class: {parts}. Decisions fall between "
        f"{low / TAU_MS:.2f} and {high / TAU_MS:.2f} τ and are latest at the class borders.",
        exhibits="yinyang",
    )


def _outline(ax: Axes) -> None:
    """The true borders: big disc, two half discs, two dots (Kriener et al. 2022)."""
    whole, upper, lower = (
        np.linspace(start, stop, 200)
        for start, stop in ((0, 2 * np.pi), (0, np.pi), (np.pi, 2 * np.pi))
    )
    arcs = [(0.5, R_BIG, whole)]
    for centre, half in ((0.25, lower), (0.75, upper)):
        arcs += [(centre, 0.25, half), (centre, R_SMALL, whole)]
    for centre, radius, angle in arcs:
        px, py = centre + radius * np.cos(angle), 0.5 + radius * np.sin(angle)
        ax.plot(px, py, color=fg.INK, linewidth=1)
    ax.set_aspect("equal")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def chip(arrays: Mapping[str, NDArray], metrics: Table) -> fg.Plate:
    """Spike times of a real chip, of ideal and of fitted neurons; fraction explained by models."""
    saved, ideal, fitted = fg.need(arrays, "chip.saved", "chip.ideal", "chip.fitted")
    rows = metrics[(metrics["experiment"] == "released_chip") & (metrics["engine"] == "compiled")]
    repeats = rows[rows["metric"] == "released_time_explainable"]["value"].mean()
    fg.require(np.isfinite(repeats), "No model was fitted to the recordings of the chip.")
    plate, (left, right) = fg.row_of_panels(2.8, 2)
    ends = np.array([saved[np.isfinite(saved)].min(), np.quantile(saved[np.isfinite(saved)], 0.99)])
    for times, colour, name in ((ideal, fg.GREY, "ideal"), (fitted, fg.BLUE, "fitted")):
        both = np.isfinite(saved) & np.isfinite(times)
        left.plot(saved[both], times[both], ".", color=colour, markersize=2, alpha=0.5, label=name)
    left.plot(ends, ends, color=fg.INK, linewidth=0.8)
    left.set(
        xlim=ends,
        ylim=(ends[0] - 0.3, ends[1] + 0.3),
        xlabel="spike time on the chip (τ)",
        ylabel="spike time in the model (τ)",
    )
    left.legend(title="neurons", markerscale=4, loc="upper left")
    words = []
    for place, (variant, name) in enumerate(CHIP.items()):
        own = rows[rows["variant"] == variant]
        shares = own[own["metric"] == "released_time_explained"]["value"]
        if shares.empty:
            continue
        right.barh(-place, max(shares.mean(), 0), color=fg.BLUE, height=0.55)
        said = f"{name}: {100 * shares.mean():.0f} %"
        right.annotate(said, (0.01, 0.38 - place), fontsize=8.5, va="center")
        words.append(said)
    right.axvline(repeats, color=fg.INK, linestyle=":", linewidth=0.8)
    below = (repeats - 0.01, 0.62 - len(CHIP))
    right.text(*below, "without model, from similar inputs", fontsize=8, ha="right", va="bottom")
    right.set(yticks=[], xlim=(0, 1), ylim=(0.6 - len(CHIP), 0.7))
    right.set(title="explained part of the difference", xlabel="fraction, other recordings")
    left.set_title("output spikes of one network")
    return plate.says(
        "The network was trained on the chip BrainScaleS-2. The left panel compares its recorded "
        "output spikes with those of the same weights in ideal neurons and in neurons whose "
        "thresholds and time constants were fitted to other recordings. The right panel shows the "
        "fraction of the squared difference between chip and ideal neurons that a model explains "
        "on recordings to which it was not fitted. The dotted line is the fraction that the chip's "
        "own spikes for the nearest inputs explain.",
        "Explained fraction: "
        + "; ".join(words)
        + f". The chip's own spikes for the nearest inputs: {100 * repeats:.0f} %.",
        experiment="released_chip",
        exhibits="released_chip",
    )


def substrates(metrics: Table) -> fg.Plate:
    """Accuracy on each substrate by where a network was trained from scratch."""
    rows = metrics[(metrics["experiment"] == "substrates") & (metrics["engine"] == "brian2")]
    if rows.empty:
        raise fg.NotMeasuredError("Training on substrates was not run at this scale.")
    scores = rows[rows["metric"] == "accuracy"]
    clean = scores[(scores["perturbation"] == "none") & (scores["variant"] == "ideal")]["value"]
    plate, (ax,) = fg.row_of_panels(3.4)
    ax.axvline(clean.mean(), color=fg.INK, linewidth=0.8, linestyle=":")
    names, words = [], [f"trained and tested on the ideal substrate: {clean.mean():.3f}"]
    for (perturbation, strength), name in SUBSTRATES.items():
        here = rows[(rows["perturbation"] == perturbation) & (rows["strength"] == strength)]
        if here.empty:
            continue
        place = -len(names)
        names.append(name)
        said = []
        for offset, (variant, (label, colour, marker)) in enumerate(TRAINED_ON.items()):
            own = here[(here["variant"] == variant) & (here["metric"] == "accuracy")]["value"]
            if own.empty:
                continue
            y = place + 0.09 * (1.5 - offset)
            ax.plot(own, [y] * len(own), ".", color=colour, markersize=3, alpha=0.6)
            ax.plot(own.mean(), y, marker, color=colour, markersize=6, linestyle="", label=label)
            said.append(f"{label} {own.mean():.2f}")
        share = _won_back(here)
        ax.text(1.02, place, share, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
        words.append(f"{name}: {', '.join(said)}; recovered: {share}")
    ax.text(1.02, 0.7, "recovered", transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
    ax.set_yticks([-place for place in range(len(names))], names)
    ax.set(xlabel="accuracy, all test points", ylim=(0.5 - len(names), 0.95), xlim=(None, 1.0))
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
        "Accuracy by tested substrate and by training. " + ". ".join(words) + ".",
        experiment="substrates",
    )


def _won_back(rows: Table) -> str:
    """Mean and interval of the fraction of the loss that training on a substrate recovers."""
    here = rows[(rows["variant"] == "adapted") & (rows["metric"] == "loss_recovered")]
    if here.empty:
        return "loss < 2 points"
    (point,) = fg.over_seeds(here, ["perturbation"]).to_dict("records")
    mean = f"{100 * point['mean']:.0f} %"
    if not np.isfinite(point["ci_low"]):
        return mean
    if point["ci_high"] - point["ci_low"] > 1:
        return "loss too small to judge"
    return f"{mean} [{100 * point['ci_low']:.0f}, {100 * point['ci_high']:.0f}]"


def few_spikes(metrics: Table) -> fg.Plate:
    """Fraction of hidden neurons that fire before the decision, by the loss of the training."""
    rows = metrics[(metrics["perturbation"] == "none") & metrics["location"].isin(["", "hidden"])]
    rows = rows[(rows["experiment"] == "few_spikes") & (rows["engine"] == "brian2")]
    fg.require(not rows.empty, "Networks with few spikes were not trained at this scale.")
    plate, (ax,) = fg.row_of_panels(2.5)
    words = []
    for place, ((variant, metric), (label, colour)) in enumerate(FEW.items()):
        shares = rows[(rows["variant"] == variant) & (rows["metric"] == metric)]["value"]
        if shares.empty:
            continue
        ax.plot(shares, [-place] * shares.size, "o", color=colour, markersize=4, alpha=0.6)
        ax.plot(shares.mean(), -place, "|", color=colour, markersize=16, markeredgewidth=2)
        ax.annotate(
            f"{label}: {100 * shares.mean():.1f} %", (0.02, 0.35 - place), fontsize=8.5,
            xycoords=("axes fraction", "data"), va="center",
        )  # fmt: skip
        words.append(f"{label}: {shares.mean():.3f}")
    ax.set(yticks=[], ylim=(-2.4, 0.7), xlim=(0, 1), title="Yin-Yang")
    ax.set(xlabel="fraction of hidden neurons")
    return plate.says(
        "The figure shows the fraction of hidden neurons that have fired when the first output "
        "neuron fires, for networks trained with and without (α = 0) the loss term for early "
        "spikes in Eq. 4. Small marks are single networks.",
        ". ".join(words) + ".",
        experiment="few_spikes",
    )
