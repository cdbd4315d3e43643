"""Signature figures of the talk: one digit, two regimes, why there are two, what times carry.

Exhibits read (`<experiment>/exhibits.npz`) are described in `exhibits.py`; `anytime.*` comes from
the battery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    PALETTE,
    PURPLE,
    RED,
    NotMeasuredError,
    Plate,
    label_ends,
    learning_curve,
    legend_below,
    need,
    over_seeds,
    raster,
    row_of_panels,
    speed_curve,
)
from whyspiking.records.tables import Table, where
from whyspiking.talks.comsa.figures_inputs import wanted
from whyspiking.talks.comsa.figures_regimes import courses

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from whyspiking.contract.types import Results

REGIMES = {"mnist_slow": "slow", "mnist_fast": "fast"}
COLOURS = {"slow": BLUE, "fast": RED}
AFTER = 1.25
"""How far a raster reaches beyond the decision."""
PROBE_LABELS = {"same_time": "all at\nt = 0", "swap_pixels": "exchanged\nin image"}
CONTROL_LABELS = {"mlp": "ReLU", "ink": "ReLU,\nink mask", "linear": "linear"}


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "one digit": lambda: one_digit({n: results.exhibit(n) for n in REGIMES}),
        "two regimes": lambda: two_regimes({n: results.exhibit(n) for n in REGIMES}),
        "speed and accuracy": lambda: speed({n: results.exhibit(n) for n in REGIMES}),
        "why two regimes": lambda: why(results.exhibit("mnist_slow")),
        "what times carry": lambda: timing(results.metrics),
        "learning": lambda: learning(results.history),
        "regimes in training": lambda: courses(results.history, results.metrics),
        "what it wants to see": lambda: wanted(results.exhibit("ideal")),
        "boolean": lambda: gates(results.exhibit("boolean")),
        "boolean pulses": lambda: pulses_of_gates(results.exhibit("boolean_pulses")),
    }


def one_digit(exhibits: Mapping[str, Mapping[str, NDArray]]) -> Plate:
    """One digit through both networks up to the decision."""
    plate = Plate(4.6)
    axes = plate.panels(3, 2, sharex="col", height_ratios=[1, 1.5, 0.7])
    words = []
    for column, (experiment, regime) in enumerate(REGIMES.items()):
        names = ("input_ms", "hidden_ms", "output_ms", "input_pulses_ms", "hidden_pulses_ms")
        pixels, hidden, output, first, second = need(exhibits[experiment], *names, of="digit")
        target = int(need(exhibits[experiment], "digit.target")[0])
        decision = float(output.min())
        if not np.isfinite(decision):
            raise NotMeasuredError("The example digit was not decided.")
        stop = AFTER * decision
        rows = axes[:, column]
        for ax, times, pulses in ((rows[0], pixels, first), (rows[1], hidden, second)):
            order = np.sort(times[np.isfinite(times)])
            n = order.size
            raster(ax, order, np.arange(n), colours=GREY, height=max(1.0, n / 60))
            seen = pulses[pulses <= stop]
            raster(ax, seen, np.full(seen.size, 1.11 * n), colours=PURPLE, height=0.14 * max(n, 1))
            ax.set_ylim(-0.03 * n, 1.22 * n)
            ax.set_yticks([0, n])
        raster(rows[2], output, np.arange(output.size), height=0.8)
        rows[2].plot(decision, int(output.argmin()), color=RED, marker="o", markersize=6)
        rows[2].set_ylim(-0.8, output.size - 0.2)
        rows[2].set_yticks([0, output.size - 1])
        rows[2].set(xlim=(-0.02 * stop, stop), xlabel="time, ms")
        for ax in rows:
            ax.axvline(decision, color=RED, linewidth=1, zorder=0)
        rows[0].set_title(f"{regime}: a {target}, decided at {decision:.1f} ms")
        share = float((hidden <= decision).mean())
        words.append(
            f"{regime}: digit {target}, answer {int(output.argmin())} at {decision:.2f} ms, "
            f"{100 * share:.0f} % of the hidden neurons have fired"
        )
    axes[0, 0].set_ylabel("pixels\n(by time)")
    axes[1, 0].set_ylabel("hidden neurons\n(by time)")
    axes[2, 0].set_ylabel("outputs")
    return plate.says(
        "The first test digit that each network decides rightly, in Brian2. Every neuron fires "
        "at most once. Purple: synchronisation pulses of the layer. Red: the first output spike, "
        "which is the answer. Mind the different time axes.",
        "One digit. " + "; ".join(words) + ".",
        exhibits="mnist_slow",
    )


def two_regimes(exhibits: Mapping[str, Mapping[str, NDArray]]) -> Plate:
    """When hidden neurons fire relative to the decision."""
    plate, axes = row_of_panels(2.6, 2, sharey=True)
    words = []
    for ax, (experiment, regime) in zip(axes, REGIMES.items(), strict=True):
        names = ("edges_ms", "share", "decision_ms")
        edges, share, decisions = need(exhibits[experiment], *names, of="relative")
        centres, before = edges[:-1], float(share[edges[1:] <= 0].sum())
        shown = np.flatnonzero(share > 0.001)
        ax.bar(
            centres, 100 * share, width=np.diff(edges), align="edge", color=COLOURS[regime],
            linewidth=0,
        )  # fmt: skip
        ax.axvline(0, color=INK, linewidth=1)
        if shown.size:
            ax.set_xlim(min(edges[shown[0]], -5), max(edges[shown[-1] + 1], 5))
        ax.set_xlabel("hidden spike − decision, ms")
        ax.set_title(f"{regime}: decides at {decisions.mean():.1f} ± {decisions.std():.1f} ms")
        ax.annotate(
            f"{100 * before:.1f} %\nbefore",
            (0.03, 0.93), xycoords="axes fraction", va="top", fontsize=9,
        )  # fmt: skip
        words.append(
            f"{regime}: {100 * before:.1f} % of the hidden neurons fire before the decision, which "
            f"comes at {decisions.mean():.1f} ms"
        )
    axes[0].set_ylabel("hidden neurons\nper bin, %")
    return plate.says(
        "Hidden spikes relative to the first output spike, 1,000 test images, bins of 1 ms, one "
        "network per regime. In the slow regime the decision waits for the hidden layer; in the "
        "fast one it falls while hidden neurons are still firing.",
        ". ".join(words) + ".",
        exhibits="mnist_slow",
    )


def speed(exhibits: Mapping[str, Mapping[str, NDArray]]) -> Plate:
    """Accuracy if the networks were stopped at t, both regimes."""
    plate, (ax,) = row_of_panels(2.8, width=5.6)
    words = []
    for index, (experiment, regime) in enumerate(REGIMES.items()):
        arrays = exhibits[experiment]
        (time_ms,) = need(arrays, "anytime.time_ms")
        curves = [v for k, v in sorted(arrays.items()) if k.startswith("anytime.spiking.")]
        if not curves:
            raise NotMeasuredError("No spiking network was simulated.")
        final, reached = speed_curve(ax, time_ms, curves, index=index, label=regime)
        words.append(f"{regime}: {final:.3f} in the end, 95 % of it by {reached:.1f} ms")
    label_ends(ax)
    ax.set(xlabel="time since stimulus onset, ms", ylabel="accuracy if stopped at t")
    ax.set_ylim(0, 1.02)
    return plate.says(
        "Speed against accuracy: undecided images guess. The input is over after 1 ms. Bands: "
        "pointwise 95 % t intervals over seeds.",
        "Accuracy against the time of stopping. " + "; ".join(words) + ".",
        exhibits="mnist_slow",
    )


def why(arrays: Mapping[str, NDArray]) -> Plate:
    """Potentials of the outputs with and without pulses, and where untrained networks start."""
    names = ("time_ms", "v_output", "v_without", "output_ms", "hidden_pulses_ms", "target")
    time, v, without, output, pulses, target = need(arrays, *names, of="digit")
    means, starts, first = need(arrays, "means", "pulses_ms", "first_ms", of="start")
    plate, (left, right) = row_of_panels(3.2, 2, width_ratios=[1.25, 1])
    stop = float(min(time[-1], 1.6 * output.min())) if np.isfinite(output.min()) else time[-1]
    seen = time <= stop
    others = [k for k in range(v.shape[1]) if k != int(target)]
    for number, k in enumerate(others):
        label = "other outputs" if not number else ""
        left.plot(time[seen], v[seen, k], color=GREY, linewidth=0.8, label=label)
    left.plot(time[seen], v[seen, int(target)], color=BLUE, linewidth=1.6, label="true class")
    left.plot(
        time[seen], without[seen, int(target)],
        color=BLUE, linewidth=1.2, linestyle="--", label="true class without pulses",
    )  # fmt: skip
    left.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    reach = np.percentile(np.concatenate([v[seen].ravel(), without[seen, int(target)]]), [1, 99])
    low, high = min(-1.0, 1.1 * reach[0]), max(2.0, 1.2 * reach[1])
    left.set_ylim(low, high)
    near = pulses[pulses <= stop]
    raster(left, near, np.full(near.size, high - 0.04 * (high - low)), colours=PURPLE,
           height=0.07 * (high - low))  # fmt: skip
    left.plot([], [], color=PURPLE, linewidth=1, label="pulses")
    left.set(xlabel="time, ms", ylabel="output potential, V / θ", title="after learning, one digit")
    legend_below(plate, [left])
    words = []
    for index, ((begin, _), times) in enumerate(zip(starts, first, strict=True)):
        name = "pulses from 0.1 ms" if begin < 1 else f"pulses from {begin:g} ms"
        # A network without any output spike has no median; it is left out and told.
        known = np.isfinite(times)
        right.plot(
            means[known], times[known], color=PALETTE[1 - index], marker=MARKERS[index], label=name
        )
        told = ", ".join(
            f"{m:g}: {t:.2f} ms" if np.isfinite(t) else f"{m:g}: none"
            for m, t in zip(means, times, strict=True)
        )
        words.append(f"{name}, by mean weight {told}")
    right.set_yscale("log")
    right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    right.invert_xaxis()
    right.legend(loc="upper left", fontsize=8.5)
    right.set_xlabel("mean output weight, σ\n(inhibitory to the right)")
    right.set(ylabel="median first\noutput spike, ms", title="before learning")
    return plate.says(
        "Why there are two regimes. Left: the hidden spikes alone hold the outputs of the slow "
        "network down (dashed); late pulses lift them over the threshold (dotted), the true class "
        "first. Right: untrained networks. Late pulses alone do not delay the first output spike; "
        "late pulses and inhibitory output weights do, since then nothing can fire before a pulse.",
        "Median first output spike of untrained networks. " + ". ".join(words) + ".",
        exhibits="mnist_slow",
    )


def timing(metrics: Table) -> Plate:
    """What is left when times are taken away or one layer is jittered; the controls beside it."""
    rows = where(metrics, experiment=list(REGIMES))
    spiking = where(rows, engine="brian2", variant="spiking")
    clean = where(rows, metric="accuracy", perturbation="none")
    probed = where(spiking, metric="normalised_score")
    if probed.empty:
        raise NotMeasuredError("The probes of spike times were not run at this scale.")
    plate, (left, middle, right) = row_of_panels(3.1, 3, width_ratios=[1.2, 0.8, 1.2])
    names, words = [], []
    for index, (experiment, regime) in enumerate(REGIMES.items()):
        look = {"color": COLOURS[regime], "marker": MARKERS[index]}
        whole = where(spiking, experiment=experiment, metric="accuracy", perturbation="none")
        if whole.empty:  # a regime that this scale leaves out
            continue
        words.append(f"{regime}: accuracy {_dot(left, len(names), whole, look, regime):.3f}")
        names.append(regime)
        own = where(probed, experiment=experiment)
        for place, probe in enumerate(PROBE_LABELS):
            part = where(own, perturbation=probe)
            if not part.empty:
                kept = _dot(middle, place + 0.2 * (index - 0.5), part, look, regime)
                words.append(f"{regime}, {probe.replace('_', ' ')}: {kept:.3f}")
        for locus, dashes in (("input", "-"), ("hidden", "--")):
            part = where(own, perturbation="layer_jitter", locus=locus)
            points = over_seeds(part, ["strength"])
            x, y = [0.0, *points["strength"]], [1.0, *points["mean"]]
            name = f"{regime}, {'pixels' if locus == 'input' else 'hidden spikes'}"
            right.plot(
                x, y, color=look["color"], marker=look["marker"], linestyle=dashes, label=name
            )
            words.append(f"{name} jittered by {x[-1]:g} tau: {y[-1]:.3f}")
    for variant, label in CONTROL_LABELS.items():
        part = where(clean, variant=variant, experiment="mnist_slow")
        if not part.empty:
            look = {"color": GREEN, "marker": MARKERS[2]}
            words.append(f"{variant}: {_dot(left, len(names), part, look, 'not spiking'):.3f}")
            names.append(label)
    for ax, ticks in ((left, names), (middle, list(PROBE_LABELS.values()))):
        ax.set_xticks(range(len(ticks)), ticks, rotation=90)
        ax.set_xlim(-0.5, len(ticks) - 0.5)
    left.set(ylabel="accuracy", title="unperturbed")
    middle.set(ylabel="normalised score", title="pixel times")
    right.set(ylabel="normalised score", xlabel="jitter sd, τ = 5.5 ms")
    right.set_title("jitter of one layer")
    for ax in (middle, right):
        ax.axhline(1, color=INK, linewidth=0.8, linestyle=":")
    legend_below(plate, [left, right])
    return plate.says(
        "What spike times carry, in Brian2, nothing retrained. Left: all test images, beside ReLU "
        "networks that see brightness or only which pixels have ink. Middle: all pixels at t = 0, "
        "and pixel times exchanged within an image. Right: jitter of the pixels (solid) or of the "
        "hidden spikes (dashed). Score above chance relative to the same images unperturbed. Bars: "
        "95 % t intervals over seeds.",
        "; ".join(words) + ".",
    )


def _dot(ax: Axes, x: float, rows: Table, look: Mapping[str, Any], label: str) -> float:
    """Mean over seeds with its interval; returns the mean."""
    points = over_seeds(rows, ["metric"]).iloc[0]
    mean, low, high = (float(points[name]) for name in ("mean", "low", "high"))
    error = [[mean - low], [high - mean]] if np.isfinite(low) else None
    ax.errorbar([x], [mean], yerr=error, linestyle="none", markersize=6, label=label, **look)
    return mean


def learning(history: Table) -> Plate:
    """Validation accuracy and decision time against epoch."""
    plate, (left, right) = row_of_panels(2.9, 2)
    words = []
    for metric, ax, name in (
        ("validation_accuracy", left, "validation accuracy"),
        ("validation_decision_ms", right, "mean decision on\nvalidation images, ms"),
    ):
        rows = history[history["metric"] == metric]
        named = rows.assign(
            variant=rows["experiment"].astype(str) + " " + rows["variant"].astype(str)
        )
        labels = {f"{experiment} spiking": regime for experiment, regime in REGIMES.items()}
        labels["pulses fixed_pulses"] = "slow, fixed pulses"
        words.append(f"{metric.replace('_', ' ')}: "
                     + learning_curve(ax, named, metric=metric, labels=labels))  # fmt: skip
        ax.set_ylabel(name)
    # Intervals may reach beyond what is possible.
    left.set_ylim(-0.02, 1.02)
    right.set_yscale("log")
    right.set_ylim(bottom=0.5)
    right.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    right.yaxis.set_minor_formatter(lambda value, _: "")
    legend_below(plate, [left])
    return plate.says(
        "Learning in both regimes, epochs on a logarithmic axis. The regime is decided at the "
        "start and kept. Bands: pointwise 95 % t intervals over seeds, where there are several.",
        ". ".join(words) + ".",
        "history.csv",
    )


def gates(arrays: Mapping[str, NDArray]) -> Plate:
    """Test accuracy of all small networks, gate by gate."""
    import pandas as pd
    import seaborn

    from whyspiking.talks.comsa.boolean import GATES

    (found,) = need(arrays, "boolean.accuracy")
    plate, (ax,) = row_of_panels(2.6, width=5.0)
    table = pd.DataFrame(
        [(gate.upper(), a) for gate, row in zip(GATES, found, strict=True) for a in row],
        columns=pd.Index(["gate", "accuracy"]),
    )
    seaborn.swarmplot(table, x="gate", y="accuracy", ax=ax, color=BLUE, size=4.5, warn_thresh=1.0)
    for index, row in enumerate(found):
        name = "median" if not index else ""
        span, middle = [index - 0.3, index + 0.3], [float(np.median(row))] * 2
        ax.plot(span, middle, color=RED, linewidth=2, zorder=5, label=name)
    ax.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    ax.set(ylim=(0.45, 1.03), xlabel="", ylabel="test accuracy")
    ax.legend(loc="lower right")
    words = [
        f"{gate.upper()}: median {np.median(row):.3f}, worst {row.min():.3f}, best {row.max():.3f}"
        for gate, row in zip(GATES, found, strict=True)
    ]
    return plate.says(
        f"Noisy Boolean gates: {found.shape[1]} networks with four hidden neurons each. Line: "
        "median. Dotted: guessing.",
        "; ".join(words) + ".",
        exhibits="boolean",
    )


def pulses_of_gates(arrays: Mapping[str, NDArray]) -> Plate:
    """Test accuracy of all small networks with learned, fixed and no pulses."""
    from whyspiking.talks.comsa.boolean import GATES

    kinds = {"spiking": "learned", "fixed_pulses": "fixed", "no_pulses": "none"}
    found = need(arrays, *kinds, of="boolean")
    plate, axes = row_of_panels(2.6, len(GATES), sharey=True)
    words = []
    for index, (ax, gate) in enumerate(zip(axes, GATES, strict=True)):
        for place, (values, kind) in enumerate(zip(found, kinds.values(), strict=True)):
            own = np.sort(values[index])
            # Networks of like accuracy side by side: their place in the order, without chance.
            spread = place + 0.6 * ((np.arange(own.size) * 0.618) % 1 - 0.5)
            ax.plot(spread, own, linestyle="none", marker="o", markersize=3, color=BLUE, alpha=0.6)
            span, middle = [place - 0.36, place + 0.36], [float(np.median(own))] * 2
            ax.plot(span, middle, color=RED, linewidth=2, zorder=5)
            words.append(f"{gate.upper()}, {kind}: median {np.median(own):.3f} of {own.size}")
        ax.axhline(0.5, color=GREY, linewidth=0.8, linestyle=":")
        ax.set(title=gate.upper(), xticks=range(len(kinds)), xlabel="pulses", ylim=(0.4, 1.03))
        ax.set_xticklabels(list(kinds.values()))
    axes[0].set_ylabel("test accuracy")
    return plate.says(
        "Pulses and the Boolean gates: one dot per network with four hidden neurons, all seeds. "
        "Line: median. Dotted: guessing.",
        "; ".join(words) + ".",
        exhibits="boolean_pulses",
    )
