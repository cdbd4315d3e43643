"""Figures of the talk: one digit, the two regimes, information in spike times, Boolean gates.

The figure data (`<experiment>/figure_data.npz`) are described in `exhibits.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table, where
from whyspiking.talks.comsa.measures import SLOW_FROM

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from whyspiking.contract.types import Results

REGIMES = {"mnist_slow": "slow", "regimes": "fast"}
"""Regime of the network in the figure data of each experiment."""
COLOURS = {"slow": fg.BLUE, "fast": fg.RED}
AXIS_LENGTH = 1.25
"""Length of the time axis of a raster, relative to the time of the decision."""
PROBE_LABELS = {"same_time": "all pixels\nat t = 0", "swap_pixels": "exchanged\nin the image"}
NETWORK_STYLES = {
    ("regimes", "spiking"): ("published initialisation and rates", fg.BLUE),
    ("regimes", "readme_rates"): ("learning rates of the code's README", fg.GREY),
    ("regimes", "fixed_pulses"): ("pulses not trained", fg.PURPLE),
    ("released", "slow"): ("authors' slow network", fg.GREEN),
    ("released", "fast"): ("authors' fast network", fg.RED),
    ("regimes_published", "spiking"): ("published initialisation, 1,000 epochs", fg.OLIVE),
}
"""Label and colour of the networks of each experiment and variant."""
CONTROL_LABELS = {"mlp": "ReLU", "ink": "ReLU,\npixel mask", "linear": "linear"}


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Return the talk's figures by name, in the order of the page."""
    return {
        "one digit": lambda: draw_one_digit({n: results.exhibit(n) for n in REGIMES}),
        "two regimes": lambda: draw_two_regimes({n: results.exhibit(n) for n in REGIMES}),
        "found from one start": lambda: draw_both_regimes(results.metrics),
        "what times carry": lambda: draw_timing(results.metrics),
        "boolean": lambda: draw_gates(results.exhibit("boolean")),
    }


def draw_one_digit(exhibits: Mapping[str, Mapping[str, NDArray]]) -> fg.Plate:
    """Draw the spikes of both networks for one digit, up to the decision."""
    plate = fg.Plate(4.6)
    axes = plate.panels(3, 2, sharex="col", height_ratios=[1, 1.5, 0.7])
    texts = [
        _draw_digit(axes[:, column], exhibits[experiment], regime)
        for column, (experiment, regime) in enumerate(REGIMES.items())
    ]
    axes[0, 0].set_ylabel("pixels, sorted\nby spike time")
    axes[1, 0].set_ylabel("hidden neurons,\nsorted by spike time")
    axes[2, 0].set_ylabel("output\nneurons")
    return plate.says(
        "The figure shows the first test digit that each network classifies correctly, in Brian2. "
        "Every neuron fires at most once. Purple marks are synchronisation pulses of the layer. "
        "The red mark is the first output spike, which is the decision. The two networks have "
        "different time axes.",
        "One digit. " + "; ".join(texts) + ".",
        exhibits="mnist_slow",
    )


def _draw_digit(rows: NDArray, arrays: Mapping[str, NDArray], regime: str) -> str:
    """Draw rasters of pixels, hidden neurons and outputs; return a description of them."""
    names = ("input_ms", "hidden_ms", "output_ms", "input_pulses_ms", "hidden_pulses_ms")
    pixels, hidden, output, input_pulses, hidden_pulses = fg.need(arrays, *names, of="digit")
    target = int(fg.need(arrays, "digit.target")[0])
    decision = float(output.min())
    if not np.isfinite(decision):
        raise fg.NotMeasuredError("No output neuron fired for the example digit.")
    axis_end = AXIS_LENGTH * decision
    for ax, times, pulses in ((rows[0], pixels, input_pulses), (rows[1], hidden, hidden_pulses)):
        order = np.sort(times[np.isfinite(times)])
        n = order.size
        fg.raster(ax, order, np.arange(n), colours=fg.GREY, height=max(1.0, n / 60))
        pulses_shown = pulses[pulses <= axis_end]
        pulse_heights, height = np.full(pulses_shown.size, 1.11 * n), 0.14 * max(n, 1)
        fg.raster(ax, pulses_shown, pulse_heights, colours=fg.PURPLE, height=height)
        ax.set_ylim(-0.03 * n, 1.22 * n)
        ax.set_yticks([0, n])
    choice = int(output.argmin())
    fg.raster(rows[2], output, np.arange(output.size), height=0.8)
    rows[2].plot(decision, choice, color=fg.RED, marker="o", markersize=6)
    rows[2].set_ylim(-0.8, output.size - 0.2)
    rows[2].set_yticks([0, output.size - 1])
    rows[2].set(xlim=(-0.02 * axis_end, axis_end), xlabel="time, ms")
    for ax in rows:
        ax.axvline(decision, color=fg.RED, linewidth=1, zorder=0)
    rows[0].set_title(f"{regime}: digit {target}, decision at {decision:.1f} ms")
    share = float((hidden <= decision).mean())
    return (
        f"{regime}: digit {target}, decision {choice} at {decision:.2f} ms, when "
        f"{100 * share:.0f} % of the hidden neurons have fired"
    )


def draw_two_regimes(exhibits: Mapping[str, Mapping[str, NDArray]]) -> fg.Plate:
    """Draw when hidden neurons fire relative to the decision."""
    plate, axes = fg.row_of_panels(2.6, 2, sharey=True)
    texts = []
    for ax, (experiment, regime) in zip(axes, REGIMES.items(), strict=True):
        names = ("edges_ms", "share", "decision_ms")
        edges, share, decisions = fg.need(exhibits[experiment], *names, of="relative")
        share_before = float(share[edges[1:] <= 0].sum())
        i_shown = np.flatnonzero(share > 0.001)
        bar_style = {"color": COLOURS[regime], "linewidth": 0}
        ax.bar(edges[:-1], 100 * share, width=np.diff(edges), align="edge", **bar_style)
        ax.axvline(0, color=fg.INK, linewidth=1)
        if i_shown.size:
            ax.set_xlim(min(edges[i_shown[0]], -5), max(edges[i_shown[-1] + 1], 5))
        ax.set_xlabel("spike time relative to decision, ms")
        ax.set_title(f"{regime}: decision at {decisions.mean():.1f} ± {decisions.std():.1f} ms")
        ax.annotate(
            f"{100 * share_before:.1f} %\nbefore",
            (0.03, 0.93), xycoords="axes fraction", va="top", fontsize=9,
        )  # fmt: skip
        texts.append(
            f"{regime}: {100 * share_before:.1f} % of the hidden neurons fire before the decision, "
            f"which comes at {decisions.mean():.1f} ms"
        )
    axes[0].set_ylabel("hidden neurons\nper bin, %")
    return plate.says(
        "The figure shows when hidden neurons fire relative to the first output spike, for 1,000 "
        "test images, in bins of 1 ms, for one network per regime. In the slow regime, nearly all "
        "hidden neurons fire before the decision. In the fast regime, the network decides while "
        "hidden neurons are still firing.",
        ". ".join(texts) + ".",
        exhibits="mnist_slow",
    )


def draw_both_regimes(metrics: Table) -> fg.Plate:
    """Draw decision time and accuracy of each network from the published initialisation."""
    rows = where(metrics, engine="brian2", perturbation="none")
    plate, (ax,) = fg.row_of_panels(3.2, width=5.4)
    texts = []
    for ((experiment, variant), (name, colour)), marker in zip(
        NETWORK_STYLES.items(), fg.MARKERS, strict=False
    ):
        network_rows = where(rows, experiment=experiment, variant=variant)
        times, scores, is_slow, waits_for_hidden = (
            where(network_rows, metric=metric).sort_values("seed")["value"].to_numpy()
            for metric in ("decision_time", "score", "slow_regime", "waits_for_hidden")
        )
        if not is_slow.size:
            continue
        ax.plot(times, 100 * scores, linestyle="none", marker=marker, color=colour, label=name)
        texts.append(
            f"{name}: {is_slow.size} networks, {is_slow.sum():.0f} slow, "
            f"{waits_for_hidden.sum():.0f} slow by the "
            "fraction of hidden neurons that have fired"
        )
    if not texts:
        raise fg.NotMeasuredError("No network was trained from the published initialisation.")
    ax.axvline(SLOW_FROM, color=fg.INK, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", xlabel="mean first output spike, ms", ylabel="accuracy, %")
    ax.set_xticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
    fg.legend_below(plate, [ax])
    return plate.says(
        "The figure shows accuracy and mean decision time in Brian2, with one point per network. "
        "A network is slow if its mean decision time is to the right of the dotted line, which is "
        "half of the decision time of the authors' slow network. The authors' two networks have "
        "the same initialisation and were trained longer.",
        "; ".join(texts) + ".",
    )


def draw_timing(metrics: Table) -> fg.Plate:
    """Draw accuracy with changed pixel times and with jitter of one layer, and of controls."""
    rows = where(metrics, experiment="mnist_slow")
    spiking = where(rows, engine="brian2", variant="spiking")
    perturbed = where(spiking, metric="normalised_score")
    if perturbed.empty:
        raise fg.NotMeasuredError("The perturbations of spike times were not run at this scale.")
    unperturbed = where(rows, metric="accuracy", perturbation="none")
    plate, (accuracy_ax, pixels_ax, jitter_ax) = fg.row_of_panels(
        3.1, 3, width_ratios=[1.2, 0.8, 1.2]
    )
    texts = (
        _draw_unperturbed(accuracy_ax, unperturbed)
        + _draw_pixel_times(pixels_ax, perturbed)
        + _draw_jitter(jitter_ax, perturbed)
    )
    accuracy_ax.set(ylabel="accuracy", title="unperturbed")
    pixels_ax.set(ylabel="normalised score", title="pixel times")
    jitter_ax.set(
        ylabel="normalised score", xlabel="sd of jitter, τ = 5.5 ms", title="jitter of one layer"
    )
    for ax in (pixels_ax, jitter_ax):
        ax.axhline(1, color=fg.INK, linewidth=0.8, linestyle=":")
    fg.legend_below(plate, [accuracy_ax, jitter_ax])
    return plate.says(
        "The figure shows how much accuracy depends on spike times in the slow regime, in Brian2 "
        "without retraining. Left: accuracy on all test images, compared with ReLU networks that "
        "receive the brightness of pixels or only the mask of pixels that are not background. "
        "Middle: all pixels at t = 0, and spike times exchanged among the pixels of an image. "
        "Right: jitter of the pixels (solid) or of the hidden spikes (dashed). The normalised "
        "score is the accuracy above chance level, relative to that on the same images without "
        "perturbation. Bars are 95 % t intervals over seeds.",
        "; ".join(texts) + ".",
    )


def _draw_unperturbed(ax: Axes, unperturbed: Table) -> list[str]:
    """Draw the accuracies of the network and of the controls; return a description."""
    spiking = where(unperturbed, engine="brian2", variant="spiking")
    names = ["slow"]
    texts = [f"slow: accuracy {_draw_mean(ax, 0, spiking, 'slow'):.3f}"]
    for variant, label in CONTROL_LABELS.items():
        variant_rows = where(unperturbed, variant=variant)
        if not variant_rows.empty:
            texts.append(
                f"{variant}: {_draw_mean(ax, len(names), variant_rows, 'not spiking'):.3f}"
            )
            names.append(label)
    _set_labels(ax, names)
    return texts


def _draw_pixel_times(ax: Axes, perturbed: Table) -> list[str]:
    """Draw the scores with all pixels at one time or with exchanged times; describe them."""
    texts = []
    for i_probe, probe in enumerate(PROBE_LABELS):
        probe_rows = where(perturbed, perturbation=probe)
        if not probe_rows.empty:
            texts.append(
                f"{probe.replace('_', ' ')}: {_draw_mean(ax, i_probe, probe_rows, 'slow'):.3f}"
            )
    _set_labels(ax, list(PROBE_LABELS.values()))
    return texts


def _draw_jitter(ax: Axes, perturbed: Table) -> list[str]:
    """Draw the scores against the jitter of one layer; describe those at the largest jitter."""
    texts = []
    for location, name, dashes in (("input", "pixels", "-"), ("hidden", "hidden spikes", "--")):
        location_rows = where(perturbed, perturbation="layer_jitter", location=location)
        points = fg.over_seeds(location_rows, ["strength"])
        x, y = [0.0, *points["strength"]], [1.0, *points["mean"]]
        ax.plot(x, y, linestyle=dashes, label=name, **_choose_style("slow"))
        texts.append(f"{name} jittered by {x[-1]:g} tau: {y[-1]:.3f}")
    return texts


def _choose_style(label: str) -> dict[str, Any]:
    """Return colour and marker of the slow regime, or of a non-spiking network."""
    is_slow = label == "slow"
    return {
        "color": COLOURS["slow"] if is_slow else fg.GREEN,
        "marker": fg.MARKERS[0 if is_slow else 2],
    }


def _draw_mean(ax: Axes, x: float, rows: Table, label: str) -> float:
    """Draw the mean over seeds with its interval, and return the mean."""
    points = fg.over_seeds(rows, ["metric"]).iloc[0]
    mean, low, high = (float(points[name]) for name in ("mean", "ci_low", "ci_high"))
    error = [[mean - low], [high - mean]] if np.isfinite(low) else None
    style = _choose_style(label)
    ax.errorbar([x], [mean], yerr=error, linestyle="none", markersize=6, label=label, **style)
    return mean


def _set_labels(ax: Axes, labels: list[str]) -> None:
    ax.set_xticks(range(len(labels)), labels, rotation=90)
    ax.set_xlim(-0.5, len(labels) - 0.5)


def draw_gates(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw the test accuracy of all small networks for each gate."""
    import pandas as pd
    import seaborn

    from whyspiking.talks.comsa.boolean_task import GATES

    (accuracies,) = fg.need(arrays, "boolean.accuracy")
    plate, (ax,) = fg.row_of_panels(2.6, width=5.0)
    table = pd.DataFrame(
        [(gate.upper(), a) for gate, row in zip(GATES, accuracies, strict=True) for a in row],
        columns=pd.Index(["gate", "accuracy"]),
    )
    seaborn.swarmplot(
        table, x="gate", y="accuracy", ax=ax, color=fg.BLUE, size=4.5, warn_thresh=1.0
    )
    medians = np.median(accuracies, axis=1)
    positions = np.arange(len(medians))
    ax.hlines(
        medians,
        positions - 0.3,
        positions + 0.3,
        color=fg.RED,
        linewidth=2,
        zorder=5,
        label="median",
    )
    ax.axhline(0.5, color=fg.GREY, linewidth=0.8, linestyle=":")
    ax.set(ylim=(0.45, 1.03), xlabel="", ylabel="test accuracy")
    ax.legend(loc="lower right")
    texts = [
        f"{gate.upper()}: median {median:.3f}, worst {row.min():.3f}, best {row.max():.3f}"
        for gate, row, median in zip(GATES, accuracies, medians, strict=True)
    ]
    return plate.says(
        f"The figure shows the test accuracy on noisy Boolean gates of {accuracies.shape[1]} "
        "networks per gate, each with four hidden neurons. The line is the median, and the dotted "
        "line is chance level.",
        "; ".join(texts) + ".",
        exhibits="boolean",
    )
