"""Figures of the experiment `xor`: bursts, learning, lesions, credit, homeostasis, weights.

Exhibits read (`xor/exhibits.npz`); `<v>.<s>` are variant and seed, populations I1, I2, H1, H2, O,
patterns 00, 10, 01, 11:

- `trace.time_ms`, `trace.soma_mv`, `trace.dendrite_mv`, `trace.threshold_mv` (step,),
  `trace.event_ms`, `trace.burst_ms` (spike,), `trace.step_ms` (2,), `trace.step_pa` ().
- `output.before`, `output.after` (bin,), `output.bin_ms` (): the four patterns one after the other.
- `tests.epoch.<v>.<s>` (test,), `tests.rates.<v>.<s>` (test, pattern, population) in Hz.
- `credit.<v>.<s>` (population, pattern).
- `updates.<v>.<s>` (example, population, 2): change of a neuron's summed weights by the rule, by
  the e_min term; `predicted.<v>.<s>` (example, population): rates while predicting, in Hz.
- `weights.edges`, `weights.counts` (projection, bin), `weights.mean` (projection,),
  `weights.start` ().
- `alignment.<start|trained>.<rule|gradient>` (pattern, projection).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    OLIVE,
    PALETTE,
    PURPLE,
    RED,
    NotMeasuredError,
    Plate,
    legend_below,
    line_with_interval,
    need,
    over_seeds,
)
from whyspiking.talks.naud.xor_network import POPULATIONS, PROJECTIONS, TRIAL_MS
from whyspiking.talks.naud.xor_protocol import (
    HIDDEN_CREDIT,
    LAST_SHARE,
    MARGIN_HZ,
    PATTERNS,
    TARGETS,
    THRESHOLD_HZ,
    margins,
)

Arrays = Mapping[str, NDArray]
LABELS = {
    "spiking": "intact",
    "random_order": "random order",
    "short_examples": "shorter examples",
    "short_means": "shorter means",
    "symmetric_feedback": "equal feedback",
    "no_floor": "no e_min term",
    "no_feedback": "feedback cut",
    "no_hidden_plasticity": "hidden layer fixed",
    "no_bursts": "no bursts",
}
"""Variants in the order of drawing."""
NAMES = [f"({a},{b})" for a, b in PATTERNS]
OUTPUT, HIDDEN_1 = 4, 2
E_MIN_HZ = 2.0
"""Lower end of homeostasis (talk.yaml: e_min)."""


def of_variant(arrays: Arrays, name: str, variant: str) -> dict[int, NDArray]:
    """Seed -> array of `<name>.<variant>.<seed>`."""
    found = {}
    for key in arrays:
        head, _, seed = key.rpartition(".")
        if head == f"{name}.{variant}":
            found[int(seed)] = np.asarray(arrays[key], float)
    return dict(sorted(found.items()))


def some_variant(arrays: Arrays, name: str, variant: str = "spiking") -> dict[int, NDArray]:
    """The same.

    Raises:
        NotMeasuredError: If there is none.
    """
    found = of_variant(arrays, name, variant)
    if not found:
        raise NotMeasuredError(f"The run kept no '{name}' of '{variant}'.")
    return found


def burst(arrays: Arrays) -> Plate:
    """Soma and dendrite of one neuron; a current into the dendrite turns events into bursts."""
    names = ("time_ms", "soma_mv", "dendrite_mv", "threshold_mv", "event_ms", "burst_ms")
    time, soma, dendrite, threshold, events, bursts = need(arrays, *(f"trace.{k}" for k in names))
    step, size = need(arrays, "trace.step_ms", "trace.step_pa")
    plate = Plate(3.6)
    axes = plate.panels(2, 1, sharex=True)[:, 0]
    axes[0].plot(time, soma, color=BLUE, linewidth=0.9, label="soma")
    axes[0].plot(time, threshold, color=GREY, linestyle="--", linewidth=0.9, label="threshold")
    top = float(max(threshold.max(), soma.max())) + 4
    axes[0].plot(events, np.full(events.size, top), "|", color=INK, markersize=9, label="event")
    axes[0].plot(
        bursts, np.full(bursts.size, top), "|", color=RED, markersize=9, label="second spike: burst"
    )
    axes[0].set_ylim(float(soma.min()) - 2, top + 3)
    axes[0].set_ylabel("soma, mV")
    axes[1].plot(time, dendrite, color=GREEN, linewidth=0.9, label="dendrite")
    axes[1].axvspan(*step, color=GREY, alpha=0.15, linewidth=0, label=f"{float(size):.0f} pA in")
    axes[1].set_ylabel("dendrite, mV")
    axes[1].set_xlabel("time, ms")
    legend_below(plate, list(axes))
    inside = (events >= step[0]) & (events < step[1])
    during = (bursts >= step[0]) & (bursts < step[1])
    return plate.says(
        "One neuron of an active input. The soma decides when it fires an event; the "
        "dendrite decides how probably a second spike follows within 16 ms. Grey: a current into "
        "the dendrite.",
        f"During the current {int(during.sum())} bursts in {int(inside.sum())} events, outside "
        f"{int((~during).sum())} in {int((~inside).sum())}.",
        exhibits="xor",
    )


def before_and_after(arrays: Arrays) -> Plate:
    """Output rate through the four patterns, before and after learning."""
    width, before, after = need(arrays, "output.bin_ms", "output.before", "output.after")
    time = (np.arange(before.size) + 0.5) * float(width) / 1000
    plate = Plate(2.8)
    axes = plate.panels(1, 2, sharey=True)[0]
    words = []
    length = TRIAL_MS / 1000
    for ax, rate, title in zip(axes, (before, after), ("before", "after"), strict=True):
        for k, (name, target) in enumerate(zip(NAMES, TARGETS, strict=True)):
            if target:
                ax.axvspan(k * length, (k + 1) * length, color=GREEN, alpha=0.15, linewidth=0)
            ax.annotate(
                f"{name}\n→ {target}",
                ((k + 0.5) / len(NAMES), 0.98),
                xycoords="axes fraction",
                ha="center",
                va="top",
            )
        ax.plot(time, rate, color=BLUE)
        ax.axhline(THRESHOLD_HZ, color=GREY, linestyle="--", linewidth=1)
        ax.set_title(f"{title} learning")
        ax.set_xlabel("time, s")
        ax.set_xlim(0, length * len(NAMES))
        quarter = rate.reshape(len(NAMES), -1)[:, round(1000 / float(width)) :].mean(axis=1)
        words.append(
            f"{title}: " + ", ".join(f"{n} {r:.1f} Hz" for n, r in zip(NAMES, quarter, strict=True))
        )
    axes[0].set_ylim(0, 1.35 * max(float(before.max()), float(after.max())))
    axes[0].set_ylabel("output event rate, Hz")
    return plate.says(
        "Event rate of the output ensemble, plasticity off, in the order of training. Green: "
        "patterns whose answer is 1. Dashed: the threshold of 6 Hz.",
        "Output from the second second on, " + "; ".join(words) + ".",
        exhibits="xor",
    )


def learning(arrays: Arrays, exhibits: str = "xor") -> Plate:
    """Margin in the tests, and the four outputs, over training."""
    rates = some_variant(arrays, "tests.rates")
    plate = Plate(3.2)
    axes = plate.panels(1, 2)[0]
    shown = [v for v in ("spiking", "no_feedback") if of_variant(arrays, "tests.rates", v)]
    words = []
    for index, variant in enumerate(shown):
        table = _table(arrays, variant, lambda output: margins(output))
        points = over_seeds(table, ["epoch"])
        line_with_interval(
            axes[0], points["epoch"], points, index=index, label=LABELS[variant], markers=False
        )
        for epochs, margin in _curves(arrays, variant):
            axes[0].plot(epochs, margin, color=PALETTE[index], linewidth=0.6, alpha=0.6)
        words.append(f"{LABELS[variant]}: margin ends at {points['mean'].iloc[-1]:.1f} Hz")
    axes[0].axhline(MARGIN_HZ, color=GREY, linestyle="--", linewidth=1)
    axes[0].axhline(0, color=GREY, linestyle=":", linewidth=1)
    axes[0].set_ylabel("min(true) − max(false), Hz")
    last = max(float(e.max()) for e in of_variant(arrays, "tests.epoch", "spiking").values())
    axes[0].axvspan((last - 1) * (1 - LAST_SHARE), last, color=GREY, alpha=0.12, linewidth=0)
    for pattern, (name, colour, marker) in enumerate(
        zip(NAMES, (BLUE, RED, GREEN, PURPLE), MARKERS, strict=False)
    ):
        table = _table(arrays, "spiking", lambda output, k=pattern: output[:, k])
        points = over_seeds(table, ["epoch"])
        axes[1].plot(
            points["epoch"],
            points["mean"],
            color=colour,
            marker=marker,
            markersize=3,
            linestyle="-" if TARGETS[pattern] else "--",
            label=f"{name} → {TARGETS[pattern]}",
        )
    axes[1].axhline(THRESHOLD_HZ, color=GREY, linestyle=":", linewidth=1)
    axes[1].set_ylabel("output event rate, Hz")
    for ax in axes:
        ax.set_xlabel("epoch")
    legend_below(plate, list(axes))
    return plate.says(
        "Tests with plasticity off. Left: lower true output minus higher false one; thick mean and "
        "95 % t interval over seeds, thin the seeds, dashed the margin of 1 Hz, grey the judged "
        "last fifth. Right: the intact network's outputs, mean over seeds, dotted the threshold.",
        f"{len(rates)} seeds. " + "; ".join(words) + ".",
        exhibits=exhibits,
    )


def _curves(arrays: Arrays, variant: str) -> list[tuple[NDArray, NDArray]]:
    epochs = of_variant(arrays, "tests.epoch", variant)
    rates = of_variant(arrays, "tests.rates", variant)
    return [(epochs[seed], margins(rates[seed][:, :, OUTPUT])) for seed in rates]


def _table(arrays: Arrays, variant: str, measure: Callable[[NDArray], NDArray]) -> pd.DataFrame:
    """Long table (seed, epoch, value) of a measure of the output rates."""
    epochs = of_variant(arrays, "tests.epoch", variant)
    parts = [
        pd.DataFrame({"seed": seed, "epoch": epochs[seed], "value": measure(rates[:, :, OUTPUT])})
        for seed, rates in of_variant(arrays, "tests.rates", variant).items()
    ]
    return pd.concat(parts, ignore_index=True)


def _late(arrays: Arrays, variant: str) -> dict[int, NDArray]:
    """Seed -> mean rates of the judged tests, (pattern, population)."""
    epochs = of_variant(arrays, "tests.epoch", variant)
    found = {}
    for seed, rates in of_variant(arrays, "tests.rates", variant).items():
        last = float(epochs[seed].max()) - 1
        found[seed] = rates[epochs[seed] > last * (1 - LAST_SHARE)].mean(axis=0)
    return found


def lesions(arrays: Arrays, exhibits: str = "xor") -> Plate:
    """Outputs after training, intact and with each lesion or change."""
    some_variant(arrays, "tests.rates")
    shown = [v for v in LABELS if of_variant(arrays, "tests.rates", v)]
    plate = Plate(2.9)
    axes = plate.panels(1, len(shown), sharey=True)[0]
    words = []
    for ax, variant in zip(axes, shown, strict=True):
        late = np.array([rates[:, OUTPUT] for rates in _late(arrays, variant).values()])
        for k in range(len(NAMES)):
            colour = GREEN if TARGETS[k] else BLUE
            ax.bar(k, late[:, k].mean(), color=colour, alpha=0.35, width=0.75)
            ax.plot(np.full(len(late), k), late[:, k], "o", color=colour, markersize=4)
        ax.axhline(THRESHOLD_HZ, color=GREY, linestyle="--", linewidth=1)
        ax.set_xticks(range(len(NAMES)), [n.strip("()").replace(",", "") for n in NAMES])
        ax.set_title(LABELS[variant].replace(" ", "\n", 1), fontsize=9)
        ax.set_xlabel("pattern")
        said = ", ".join(f"{rate:.1f}" for rate in late.mean(axis=0))
        words.append(f"{LABELS[variant]} {said} Hz")
    axes[0].set_ylabel("output event rate, Hz")
    return plate.says(
        "Output in the tests of the last fifth of training, one dot per seed; green patterns "
        "should answer 1. Dashed: the threshold of 6 Hz.",
        "Outputs for 00, 10, 01, 11: " + "; ".join(words) + ".",
        exhibits=exhibits,
    )


def credit(arrays: Arrays) -> Plate:
    """Change of burst probability by the teaching current, from the output down."""
    some_variant(arrays, "credit")
    shown = [v for v in ("spiking", "no_feedback") if of_variant(arrays, "credit", v)]
    plate = Plate(2.6)
    axes = plate.panels(1, 3, sharey=True)[0]
    words = []
    for ax, population in zip(axes, (4, 2, 3), strict=True):
        for index, variant in enumerate(shown):
            found = np.array(
                [c[population] for c in of_variant(arrays, "credit", variant).values()]
            )
            x = np.arange(len(NAMES)) + 0.38 * (index - (len(shown) - 1) / 2)
            colour = (BLUE, GREY)[index]
            ax.bar(
                x, found.mean(axis=0), width=0.36, color=colour, alpha=0.5, label=LABELS[variant]
            )
            for seed in found:
                ax.plot(x, seed, MARKERS[index], color=colour, markersize=3)
            said = ", ".join(f"{value:+.2f}" for value in found.mean(axis=0))
            words.append(f"{POPULATIONS[population]} {LABELS[variant]} {said}")
        if population != OUTPUT:
            ax.axhspan(-HIDDEN_CREDIT, HIDDEN_CREDIT, color=GREY, alpha=0.15, linewidth=0)
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set_xticks(
            range(len(NAMES)), [f"{n}\n→{t}" for n, t in zip(NAMES, TARGETS, strict=True)]
        )
        ax.set_title(POPULATIONS[population])
    axes[0].set_ylabel("burst probability,\nlearning − prediction")
    legend_below(plate, [axes[0]])
    return plate.says(
        "What the teaching current at the output does to burst probability, first 10 epochs, dots "
        "are seeds. H1 hears the output's bursts with excitation, H2 with inhibition. Grey "
        "band: too small to count.",
        "; ".join(words) + ".",
        exhibits="xor",
    )


def homeostasis(arrays: Arrays) -> Plate:
    """What the e_min term gives back of what the burst rule takes, and the network without it."""
    shown = [v for v in ("spiking", "no_floor") if of_variant(arrays, "updates", v)]
    if len(shown) < 2:
        raise NotMeasuredError("The network without the e_min term was not trained.")
    plate = Plate(4.8)
    axes = plate.panels(2, 2, sharey="row")
    n_patterns = len(PATTERNS)
    words = []
    for column, (variant, term) in enumerate(zip(shown, ("on", "off"), strict=True)):
        seed = min(of_variant(arrays, "updates", variant))
        change = of_variant(arrays, "updates", variant)[seed][:, HIDDEN_1]
        rates = of_variant(arrays, "predicted", variant)[seed][:, HIDDEN_1].reshape(-1, n_patterns)
        epochs = 1 + np.arange(len(rates))
        upper, lower = axes[0, column], axes[1, column]
        for pattern, colour in enumerate((BLUE, RED, GREEN, PURPLE)):
            rate = _smooth(rates[:, pattern])
            upper.plot(epochs, rate, color=colour, label=f"H1 at {NAMES[pattern]}", linewidth=1.2)
        upper.plot(epochs, _smooth(rates.mean(axis=1)), color=INK, label="mean of the four")
        upper.axhline(E_MIN_HZ, color=GREY, linestyle="--", linewidth=1)
        by_pattern = change.reshape(-1, n_patterns, 2).mean(axis=0)
        for k, (name, colour) in enumerate((("burst rule", OLIVE), ("e_min term", INK))):
            x = np.arange(n_patterns) + 0.4 * (k - 0.5)
            lower.bar(x, by_pattern[:, k], width=0.38, color=colour, alpha=0.7, label=name)
        lower.axhline(0, color=INK, linewidth=0.8)
        lower.set_xticks(range(n_patterns), NAMES)
        upper.set_title(f"e_min term {term}")
        upper.set_xlabel("epoch")
        lower.set_xlabel("pattern")
        by_rule, by_term = change.sum(axis=0)
        ends = ", ".join(f"{rate:.1f}" for rate in rates[-5:].mean(axis=0))
        words.append(
            f"term {term}: the rule adds {by_rule:+.1f}, the term {by_term:+.1f}; H1 ends at "
            f"{ends} Hz"
        )
    axes[0, 0].set_ylabel("H1, event rate, Hz")
    axes[1, 0].set_ylabel("weight change of an H1\nneuron per example, summed")
    legend_below(plate, list(axes.ravel()))
    return plate.says(
        "Ensemble H1 with the published e_min term and without it. Upper: its event rate while "
        "predicting, dashed e_min, below which a neuron's mean over all patterns, bursts "
        "included, calls the term. Lower: what the burst rule and the term add to the summed "
        "input weights of a neuron in one learning window (before clipping), mean over training.",
        "Over all training, per neuron, and rates for 00, 10, 01, 11: " + "; ".join(words) + ".",
        exhibits="xor",
    )


def _smooth(values: NDArray, width: int = 5) -> NDArray:
    """Running mean, shorter at the ends."""
    weights = np.ones(min(width, values.size))
    return np.convolve(values, weights, "same") / np.convolve(np.ones(values.size), weights, "same")


def weights(arrays: Arrays) -> Plate:
    """Learned weights by projection, and weight changes against the gradient."""
    edges, counts, mean, start = need(
        arrays, *(f"weights.{key}" for key in ("edges", "counts", "mean", "start"))
    )
    plate = Plate(3.2)
    axes = plate.panels(1, 3, width_ratios=[1.2, 1, 1])[0]
    centres = (edges[1:] + edges[:-1]) / 2
    labels = [f"{POPULATIONS[a]}→{POPULATIONS[b]}" for a, b in PROJECTIONS]
    for k, (label, colour) in enumerate(zip(labels, PALETTE, strict=True)):
        axes[0].plot(centres, counts[k] / counts[k].sum(), color=colour, label=label, linewidth=1.2)
    axes[0].axvline(float(start), color=INK, linestyle=":", linewidth=1)
    axes[0].set_xlabel("weight")
    axes[0].set_ylabel("share of synapses per bin")
    words = [f"{label} {value:.3f}" for label, value in zip(labels, mean, strict=True)]
    angles = []
    for ax, when, title in zip(axes[1:], ("start", "trained"), ("before", "after"), strict=True):
        rule, gradient = need(arrays, f"alignment.{when}.rule", f"alignment.{when}.gradient")
        for chosen, colour, marker, name in (
            (slice(0, 4), PURPLE, "o", "input → hidden"),
            (slice(4, 6), OLIVE, "s", "hidden → output"),
        ):
            x, y = gradient[:, chosen].ravel(), rule[:, chosen].ravel()
            norm_x, norm_y = np.linalg.norm(x) or 1.0, np.linalg.norm(y) or 1.0
            ax.plot(x / norm_x, y / norm_y, marker, color=colour, label=name, markersize=4)
            angles.append(f"{title}, {name}: cosine {(x @ y) / (norm_x * norm_y):.2f}")
        _cross(ax)
        ax.set_title(f"{title} training")
        ax.set_xlabel("gradient")
    axes[1].set_ylabel("burst rule")
    legend_below(plate, list(axes))
    return plate.says(
        "Left: weights of the first seed after training, dotted their common start. Right: change "
        "of the mean weight of each projection by the burst rule for each pattern, against the "
        "gradient of a fitted rate model, both scaled to unit length per layer.",
        "Mean weights " + ", ".join(words) + ". " + "; ".join(angles) + ".",
        exhibits="xor",
    )


def _cross(ax: Any) -> None:
    """Axes through the origin and the diagonal, with equal limits."""
    ax.axhline(0, color=GREY, linewidth=0.7)
    ax.axvline(0, color=GREY, linewidth=0.7)
    ax.plot([-1, 1], [-1, 1], color=GREY, linewidth=0.7, linestyle=":")
    ax.set_xlim(-1, 1)
    ax.set_ylim(-1, 1)
