"""Signature figures of the first-spike networks: decision map, traces, distortion, learning.

Exhibits read (`<experiment>/exhibits.npz`); times in ms, infinite where a neuron stays silent:

- yinyang: `map.axis` (grid,) coordinates; `map.first_ms` (grid y, grid x, class) first output
  spikes; `trace.time_ms` (time,), `trace.v_output` (time, class), `trace.v_hidden` (time, some
  neurons) in units of the threshold; `trace.input_ms` (input,), `trace.hidden_ms` (hidden,),
  `trace.output_ms` (class,), `trace.target` (); `anytime.*` from the battery.
- mnist: `anytime.*` from the battery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    OLIVE,
    PURPLE,
    RED,
    NotMeasuredError,
    Plate,
    anytime,
    heat_map,
    label_ends,
    learning_curve,
    legend_below,
    need,
    over_seeds,
    raster,
    row_of_panels,
)
from whyspiking.plots.perturbation_curves import perturbation_curves
from whyspiking.records.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from whyspiking.contract.types import Results

CLASS_COLOURS = (BLUE, RED, GREEN)
CLASS_NAMES = ("yin", "yang", "dot")
TAU_MS = 1.0
R_BIG, R_SMALL = 0.5, 0.1
DISTORTED = {
    "spiking": "trained on the ideal substrate",
    "unadapted": "trained on the ideal substrate",
    "retrained": "retrained with the distortion",
    "sham": "retrained without the distortion",
}

SUBSTRATES = {
    ("fixed_point_wide", 7.0): "6 bits and sign, up to 4.2",
    ("fixed_point_wide", 4.0): "3 bits and sign, up to 4.2",
    ("fixed_point", 7.0): "6 bits and sign, up to 2.1 (chip)",
    ("fixed_point", 4.0): "3 bits and sign, up to 2.1",
    ("tau_spread", 0.2): "τ_m and τ_s spread by 20 %",
    ("tau_shift", 2.0): "τ_m twice what the rule assumes",
    ("jitter", 0.1): "input jitter, sd 0.1 τ",
}
"""Perturbation and strength -> row of the figure, from top to bottom."""
SCRATCH = {
    "ideal": ("the ideal one", GREY, "o"),
    "sham": ("the ideal one, twice as long", OLIVE, "v"),
    "elsewhere": ("another chip's neurons", PURPLE, "D"),
    "adapted": ("the substrate itself", BLUE, "s"),
}
"""Variant -> where it was trained, in words, with colour and marker."""
DEPTHS = {
    "deep": ("two hidden layers", BLUE),
    "shallow": ("one hidden layer, as many weights", GREY),
    "frozen": ("two, the first does not learn", RED),
}

# Validation accuracy of the networks released with the paper (v1.0.0), after these epochs.
PUBLISHED_CURVES = {
    "yinyang": {
        1: 0.594, 2: 0.711, 3: 0.833, 5: 0.862, 10: 0.893, 20: 0.886, 30: 0.922, 50: 0.921,
        100: 0.938, 300: 0.964,
    },
    "mnist": {
        1: 0.887, 2: 0.912, 3: 0.918, 5: 0.932, 10: 0.948, 20: 0.960, 30: 0.962, 50: 0.967,
        100: 0.973, 150: 0.974,
    },
}  # fmt: skip


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "decision map": lambda: decision_map(results.exhibit("yinyang")),
        "one sample": lambda: one_sample(results.exhibit("yinyang")),
        "learning": lambda: learning(results),
        "latency": lambda: latency(results),
        "distortion": lambda: distortion(results.metrics),
        "from scratch": lambda: from_scratch(results.metrics),
        "depth": lambda: depth(results.metrics),
    }


def decision_map(arrays: Mapping[str, NDArray]) -> Plate:
    """Which output neuron fires first at every point of the Yin-Yang plane, and when."""
    axis, first = need(arrays, "map.axis", "map.first_ms")
    x, y = np.meshgrid(axis, axis)
    outside = np.hypot(x - 0.5, y - 0.5) > R_BIG
    earliest = first.min(axis=2)
    choice = np.where(np.isfinite(earliest), first.argmin(axis=2), -1)
    shown = np.isfinite(earliest) & ~outside
    if not shown.any():
        raise NotMeasuredError("No output neuron fires anywhere on the map.")
    low, high = np.percentile(earliest[shown], [2, 98])
    late = np.clip((earliest - low) / max(high - low, 1e-9), 0, 1)

    plate = Plate(3.75)
    plate.set_layout_engine("compressed")
    grid = plate.add_gridspec(3, 2, width_ratios=[3.1, 1.0])
    ax = plate.add_subplot(grid[:, 0])
    picture = np.zeros((*choice.shape, 4))
    for index, colour in enumerate(CLASS_COLOURS):
        here = shown & (choice == index)
        picture[here, :3] = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        # The later the decision, the fainter the colour.
        picture[here, 3] = 1.0 - 0.75 * late[here]
    extent = (axis[0], axis[-1], axis[0], axis[-1])
    ax.imshow(picture, origin="lower", extent=extent, interpolation="nearest")
    levels = np.unique(np.round(np.linspace(low, high, 6)[1:-1] / TAU_MS, 2))
    times = np.where(shown, earliest, np.nan) / TAU_MS
    ax.contour(x, y, times, levels=levels, colors=INK, linewidths=0.6, alpha=0.7)
    _outline(ax)
    for name, place in zip(CLASS_NAMES, ((0.36, 0.13), (0.64, 0.87), (0.25, 0.5)), strict=True):
        ax.text(*place, name, ha="center", va="center", fontsize=10, fontweight="bold", color=INK)
    ax.set(title="first output neuron, and when it fires", xlabel="x", ylabel="y")

    finite = first[np.isfinite(first) & ~outside[:, :, None]] / TAU_MS
    limits = np.percentile(finite, [1, 99])
    maps = []
    for index in range(3):
        small = plate.add_subplot(grid[index, 1])
        times = np.where(outside | ~np.isfinite(first[:, :, index]), np.nan, first[:, :, index])
        heat_map(small, times[::-1] / TAU_MS, limits[0], limits[1], "viridis_r")
        small.set_title(CLASS_NAMES[index], loc="center")
        maps.append(small)
    bar = plate.colorbar(maps[0].collections[0], ax=maps, aspect=30, label="spike time, τ")
    bar.outline.set_visible(False)
    shares = [float((shown & (choice == k)).sum() / shown.sum()) for k in range(3)]
    parts = ", ".join(f"{n} {100 * s:.0f} %" for n, s in zip(CLASS_NAMES, shares, strict=True))
    return plate.says(
        "Decisions of one trained network over the Yin-Yang plane. Left: colour names the output "
        "neuron that fires first, intensity the time of that spike (faint: late); thin lines are "
        f"isochrones at {', '.join(f'{level:g}' for level in levels)} τ, thick ones the true "
        "borders. Right: spike time of each output neuron; empty: silent.",
        f"Map of decisions. Share of the plane by class: {parts}. Decisions fall between "
        f"{low / TAU_MS:.2f} and {high / TAU_MS:.2f} τ, latest along the borders of the classes.",
        exhibits="yinyang",
    )


def _outline(ax: Axes) -> None:
    """The true borders: big disc, two half discs, two dots (Kriener et al. 2022)."""
    angle = np.linspace(0, 2 * np.pi, 200)
    ax.plot(0.5 + R_BIG * np.cos(angle), 0.5 + R_BIG * np.sin(angle), color=INK, linewidth=1)
    upper, lower = np.linspace(0, np.pi, 100), np.linspace(np.pi, 2 * np.pi, 100)
    for centre, half in ((0.25, lower), (0.75, upper)):
        ax.plot(centre + 0.25 * np.cos(half), 0.5 + 0.25 * np.sin(half), color=INK, linewidth=1)
        ax.plot(
            centre + R_SMALL * np.cos(angle), 0.5 + R_SMALL * np.sin(angle), color=INK, linewidth=1
        )
    ax.set_aspect("equal")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def one_sample(arrays: Mapping[str, NDArray]) -> Plate:
    """Membrane voltages and first spikes of one sample, from Brian2."""
    names = ("time_ms", "v_output", "v_hidden", "input_ms", "hidden_ms", "output_ms", "target")
    time, v_output, v_hidden, inputs, hidden, outputs, target = need(arrays, *names, of="trace")
    fired = outputs[np.isfinite(outputs)]
    stop = float(min(time[-1], max(4.0 * TAU_MS, (fired.max() if fired.size else 0) * 1.15)))
    plate = Plate(4.6)
    rows = plate.panels(3, 1, sharex=True, height_ratios=[1.3, 1, 1.3])[:, 0]
    order = np.argsort(np.where(np.isfinite(hidden), hidden, np.inf), kind="stable")
    known = np.isfinite(hidden[order])
    raster(rows[0], hidden[order][known] / TAU_MS, np.flatnonzero(known), height=1.6)
    for number, moment in enumerate(inputs[np.isfinite(inputs)]):
        label = "input spikes" if not number else ""
        rows[0].axvline(moment / TAU_MS, color=GREY, linewidth=1, label=label)
    rows[0].set(ylabel="hidden neuron\n(sorted)", ylim=(-2, max(int(known.sum()), 1) + 2))
    rows[0].legend(loc="lower right")
    rows[1].plot(time / TAU_MS, v_hidden, color=GREY, linewidth=0.9)
    rows[1].set_ylabel("some hidden\nvoltages, V / θ")
    rows[1].axhline(1, color=INK, linewidth=0.8, linestyle=":")
    for index, colour in enumerate(CLASS_COLOURS):
        name = CLASS_NAMES[index] + ("\n(true class)" if index == int(target) else "")
        rows[2].plot(time / TAU_MS, v_output[:, index], color=colour, label=name)
        if np.isfinite(outputs[index]):
            marker = {"color": colour, "marker": MARKERS[index], "markersize": 8}
            rows[2].plot(outputs[index] / TAU_MS, 1.0, **marker)
    rows[2].axhline(1, color=INK, linewidth=0.8, linestyle=":")
    rows[2].set(ylabel="output\nvoltages, V / θ", xlabel="time, τ", xlim=(0, stop / TAU_MS))
    seen = v_output[time <= stop]
    rows[2].set_ylim(max(-3.0, 1.1 * float(seen.min()) - 0.1), 1.1 * max(1.2, float(seen.max())))
    label_ends(rows[2], gap=0.16)
    winner = CLASS_NAMES[int(np.argmin(outputs))] if fired.size else "none"
    when = f"{fired.min() / TAU_MS:.2f} τ" if fired.size else "never"
    return plate.says(
        "One test sample: spikes from Brian2, potentials from Eq. 2 driven by those spikes. Each "
        "neuron fires at most once; the first output spike "
        "(marker) is the decision. Dotted: threshold.",
        f"First output spike: {winner}, at {when}; true class: {CLASS_NAMES[int(target)]}. "
        f"{int(known.sum())} of {hidden.size} hidden neurons fire.",
        exhibits="yinyang",
    )


def learning(results: Results) -> Plate:
    """Validation accuracy against epoch beside the released networks' curves."""
    plate, axes = row_of_panels(2.9, 2)
    words = []
    titles = {"yinyang": "Yin-Yang", "mnist": "MNIST"}
    for ax, (experiment, title) in zip(axes, titles.items(), strict=True):
        rows = results.history[results.history["experiment"] == experiment]
        said = learning_curve(
            ax,
            rows,
            metric="validation_accuracy",
            labels={"spiking": "spiking (ours)", "mlp": "ReLU network"},
            reference=PUBLISHED_CURVES[experiment],
            reference_label="spiking (released)",
        )
        ax.set(title=title, ylabel="validation accuracy")
        words.append(f"{title}: {said}")
    legend_below(plate, axes)
    return plate.says(
        "Learning curves, epochs on a logarithmic axis. Diamonds: networks released with the "
        "paper. Bands: pointwise 95 % t intervals over seeds.",
        ". ".join(words) + ".",
        "history.csv",
    )


def latency(results: Results) -> Plate:
    """Accuracy if the Yin-Yang network were stopped at t."""
    return anytime(results.exhibit("yinyang"), TAU_MS, "yinyang")


def distortion(metrics: Table) -> Plate:
    """Accuracy on imperfect substrates, as trained on the ideal one and retrained on each."""
    rows = metrics[(metrics["experiment"] == "distortion") & (metrics["engine"] == "brian2")]
    variants = sorted(set(rows["variant"]), key=lambda name: (name == "retrained", name))
    labels = {str(name): DISTORTED.get(str(name), str(name).replace("_", " ")) for name in variants}
    if not labels:
        raise NotMeasuredError("The distortion study was not run at this scale.")
    plate = perturbation_curves(rows, labels=labels, metric="accuracy")
    plate.caption = (
        "Yin-Yang networks on imperfect substrates, in Brian2: weights of few bits, clipped "
        "weights, time constants that differ between neurons, jittered spikes. Retrained networks "
        "learned with the distortion in the forward pass, or as long without it. All test points; "
        "the first point is the ideal substrate; dotted is chance. Bands: pointwise 95 % t "
        "intervals over seeds."
    )
    return plate


def from_scratch(metrics: Table) -> Plate:
    """Accuracy on each substrate by where a network was trained from scratch."""
    rows = metrics[(metrics["experiment"] == "substrates") & (metrics["engine"] == "brian2")]
    if rows.empty:
        raise NotMeasuredError("Training on substrates was not run at this scale.")
    scores = rows[rows["metric"] == "accuracy"]
    clean = scores[(scores["perturbation"] == "none") & (scores["variant"] == "ideal")]["value"]
    plate, (ax,) = row_of_panels(3.4)
    ax.axvline(clean.mean(), color=INK, linewidth=0.8, linestyle=":")
    ax.annotate(
        "ideal network, ideal substrate", (clean.mean(), 1.0), (-4, -3), fontsize=8, ha="right",
        va="top", xycoords=("data", "axes fraction"), textcoords="offset points",
    )  # fmt: skip
    names, words = [], []
    for (perturbation, strength), name in SUBSTRATES.items():
        here = scores[(scores["perturbation"] == perturbation) & (scores["strength"] == strength)]
        if here.empty:
            continue
        place = -len(names)
        names.append(name)
        means = here.groupby("variant")["value"].mean()
        ends = [means[variant] for variant in ("ideal", "adapted") if variant in means.index]
        ax.plot(ends, [place] * len(ends), color=BLUE, linewidth=1, alpha=0.5, zorder=1)
        for offset, (variant, (label, colour, marker)) in enumerate(SCRATCH.items()):
            own = here[here["variant"] == variant]["value"]
            if own.empty:
                continue
            y = place + 0.09 * (1.5 - offset)
            ax.plot(own, [y] * len(own), ".", color=colour, markersize=3, alpha=0.6)
            ax.plot(own.mean(), y, marker, color=colour, markersize=6, linestyle="", label=label)
        said = _recovered(rows, perturbation, strength)
        ax.text(1.02, place, said, transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
        listed = ", ".join(f"{SCRATCH[v][0]} {means[v]:.2f}" for v in SCRATCH if v in means.index)
        words.append(f"{name}: {listed}; won back: {said}")
    ax.text(1.02, 0.7, "won back", transform=ax.get_yaxis_transform(), va="center", fontsize=8.5)
    ax.set_yticks([-place for place in range(len(names))], names)
    ax.set(xlabel="accuracy, all test points", ylim=(0.5 - len(names), 0.95), xlim=(None, 1.0))
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    plate.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=4,
        title="trained from scratch on",
    )
    return plate.says(
        "Yin-Yang networks on imperfect substrates, by the substrate on which they were trained "
        "from scratch; judged in Brian2. Large marks: means, small ones: seeds. Right: share of "
        "the ideal network's loss that training on the substrate itself wins back, mean and 95 % t "
        "interval; claims ask for half.",
        "Accuracy by substrate and training. " + ". ".join(words) + ".",
        experiment="substrates",
    )


def _recovered(rows: Table, perturbation: str, strength: float) -> str:
    here = rows[
        (rows["perturbation"] == perturbation)
        & (rows["strength"] == strength)
        & (rows["variant"] == "adapted")
        & (rows["metric"] == "loss_recovered")
    ]
    if here.empty:
        return "loss < 2 points"
    (point,) = over_seeds(here, ["perturbation"]).to_dict("records")
    mean = f"{100 * point['mean']:.0f} %"
    if not np.isfinite(point["low"]):
        return mean
    if point["high"] - point["low"] > 1:
        return "too small a loss to tell"
    return f"{mean} [{100 * point['low']:.0f}, {100 * point['high']:.0f}]"


def depth(metrics: Table) -> Plate:
    """MNIST through two hidden layers; and how many hidden neurons fire before the decision."""
    table = metrics[metrics["perturbation"] == "none"]
    deep = table[(table["experiment"] == "mnist_deep") & (table["engine"] == "compiled")]
    few = table[(table["experiment"] == "few_spikes") & (table["engine"] == "brian2")]
    if deep.empty and few.empty:
        raise NotMeasuredError("Deeper networks were not run at this scale.")
    plate, (left, right) = row_of_panels(2.5, 2)
    for ax, rows in ((left, deep), (right, few)):
        if rows.empty:
            ax.set_axis_off()
    words = []
    for place, (variant, (label, colour)) in enumerate(DEPTHS.items()):
        own = deep[(deep["variant"] == variant) & (deep["metric"] == "accuracy")]["value"]
        if own.size:
            words.append(_dots(left, own, -place, label, colour))
    left.set(yticks=[], ylim=(-2.4, 0.7), xlabel="test accuracy", title="MNIST, five epochs")
    pairs = {
        ("spiking", "hidden_before_decision"): ("fired by the decision", BLUE),
        ("no_push", "hidden_before_decision"): ("the same without the push", RED),
        ("spiking", "active_share"): ("fire at all", GREY),
    }
    for place, ((variant, metric), (label, colour)) in enumerate(pairs.items()):
        own = few[(few["variant"] == variant) & (few["metric"] == metric)]
        own = own[own["locus"].isin(["", "hidden"])]["value"]
        if own.size:
            words.append(_dots(right, own, -place, label, colour))
    right.set(
        yticks=[], ylim=(-2.4, 0.7), xlim=(0, 1), xlabel="share of hidden neurons", title="Yin-Yang"
    )
    return plate.says(
        "Left: MNIST networks of one and two hidden layers and as many weights, trained alike. "
        "Right: share of the hidden neurons that have fired when the first output neuron does, "
        "with and without the push towards early spikes (α in Eq. 4). Small marks: seeds.",
        ". ".join(words) + ".",
        experiment="mnist_deep",
    )


def _dots(ax: Axes, values: Table, place: float, label: str, colour: str) -> str:
    mean = float(values.mean())
    ax.plot(values, [place] * values.size, "o", color=colour, markersize=4, alpha=0.6)
    ax.plot(mean, place, "|", color=colour, markersize=16, markeredgewidth=2)
    ax.annotate(
        f"{label}: {100 * mean:.1f} %", (0.02, place + 0.35), fontsize=8.5, color=colour,
        xycoords=("axes fraction", "data"), va="center",
    )  # fmt: skip
    return f"{label}: {mean:.3f}"
