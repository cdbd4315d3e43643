"""Figures of XOR: outputs before and after learning, with each lesion, and the credit.

`xor/exhibits.py` describes the arrays; populations are I1, I2, H1, H2, O, patterns 00, 10, 01, 11.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg
from whyspiking.records.tables import Table
from whyspiking.talks.naud.xor.counters import HIDDEN_CREDIT, THRESHOLD_HZ
from whyspiking.talks.naud.xor.model import HIDDEN, OUTPUT, POPULATIONS
from whyspiking.talks.naud.xor.task import LAST_SHARE, PATTERNS, TARGETS

Arrays = Mapping[str, NDArray]
LABELS = {
    "spiking": "intact",
    "random_order": "random order",
    "no_floor": "without e_min term",
    "no_feedback": "without feedback",
    "no_hidden_plasticity": "fixed hidden layer",
    "no_bursts": "without bursts",
}
"""Variants in the order of drawing."""
NAMES = [f"({a},{b})" for a, b in PATTERNS]


def before_and_after(experiment: str, arrays: Arrays) -> fg.Plate:
    """Output rate in the published test before and after learning, as plot_xor.py draws it.

    Args:
        experiment: Whose networks they are.
        arrays: Its exhibits.
    """
    output_rates = [arrays[name] for name in sorted(arrays) if name.startswith("output.spiking.")]
    if not output_rates:
        raise fg.NotMeasuredError("The run saved no results of the published test.")
    networks = np.array(output_rates)
    # The band is about bins, the numbers in the text about whole presentations.
    mean, double_sd = networks.mean(axis=0), 2 * networks.std(axis=0)
    by_pattern = networks.mean(axis=3)
    pattern_mean, pattern_double_sd = by_pattern.mean(axis=0), 2 * by_pattern.std(axis=0)
    plate = fg.Plate(2.8)
    axes = plate.panels(1, 2, sharey=True)[0]
    pattern_axis = (np.arange(mean[0].size) + 0.5) / mean.shape[2]
    rate_texts = []
    for i_phase, (ax, title) in enumerate(zip(axes, ("before", "after"), strict=True)):
        for k, (name, target) in enumerate(zip(NAMES, TARGETS, strict=True)):
            if target:
                ax.axvspan(k, k + 1, color=fg.GREEN, alpha=0.15, linewidth=0)
            ax.annotate(
                f"{name}\n→ {target}",
                ((k + 0.5) / len(NAMES), 0.98),
                xycoords="axes fraction",
                ha="center",
                va="top",
            )
        rate, half_width = mean[i_phase].ravel(), double_sd[i_phase].ravel()
        ax.fill_between(
            pattern_axis,
            rate - half_width,
            rate + half_width,
            color=fg.BLUE,
            alpha=0.3,
            linewidth=0,
        )
        ax.plot(pattern_axis, rate, color=fg.BLUE)
        ax.axhline(THRESHOLD_HZ, color=fg.GREY, linestyle="--", linewidth=1)
        ax.set_title(f"{title} learning")
        ax.set_xlabel("pattern")
        ax.set_xticks([])
        ax.set_xlim(0, len(NAMES))
        pattern_values = zip(NAMES, pattern_mean[i_phase], pattern_double_sd[i_phase], strict=True)
        rate_texts.append(
            f"{title}: " + ", ".join(f"{n} {r:.1f} ± {d:.1f} Hz" for n, r, d in pattern_values)
        )
    axes[0].set_ylim(0, 1.35 * float(mean.max()))
    axes[0].set_ylabel("output event rate, Hz")
    return plate.says(
        "Event rate of the output ensemble without plasticity, in the test that the published "
        "program runs before and after learning (bins of 0.4 s, mean ± 2 standard deviations over "
        f"{len(networks)} network{'s' * (len(networks) > 1)}). Green: patterns with target 1. "
        "The dashed line is the threshold of 6 Hz.",
        "Output rate over 8 s, mean ± 2 standard deviations over networks; "
        + "; ".join(rate_texts)
        + ".",
        exhibits=experiment,
    )


def lesions(history: Table) -> fg.Plate:
    """Outputs after training, intact and with each lesion or change."""
    tests = history[(history["experiment"] == "xor") & history["metric"].str.startswith("output_")]
    variants = [variant for variant in LABELS if (tests["variant"] == variant).any()]
    if not variants:
        raise fg.NotMeasuredError("No network learned XOR.")
    # The last tests stand one epoch behind the last of training.
    late = tests[tests["epoch"] > (tests["epoch"].max() - 1) * (1 - LAST_SHARE)]
    plate = fg.Plate(2.9)
    axes = plate.panels(1, len(variants), sharey=True)[0]
    rate_texts = []
    for ax, variant in zip(axes, variants, strict=True):
        rates = late[late["variant"] == variant].groupby(["metric", "seed"])["value"].mean()
        mean_texts = []
        for k, (a, b) in enumerate(PATTERNS):
            seed_rates = rates[f"output_{a}{b}"]
            colour = fg.GREEN if TARGETS[k] else fg.BLUE
            ax.bar(k, seed_rates.mean(), color=colour, alpha=0.35, width=0.75)
            ax.plot(np.full(len(seed_rates), k), seed_rates, "o", color=colour, markersize=4)
            mean_texts.append(f"{seed_rates.mean():.1f}")
        ax.axhline(THRESHOLD_HZ, color=fg.GREY, linestyle="--", linewidth=1)
        ax.set_xticks(range(len(PATTERNS)), [f"{a}{b}" for a, b in PATTERNS])
        ax.set_title(LABELS[variant].replace(" ", "\n", 1), fontsize=9)
        ax.set_xlabel("pattern")
        rate_texts.append(f"{LABELS[variant]} {', '.join(mean_texts)} Hz")
    axes[0].set_ylabel("output event rate, Hz")
    return plate.says(
        "Output rate in the tests of the last fifth of training (one dot per seed). Green: "
        "patterns with target 1. The dashed line is the threshold of 6 Hz.",
        "Output rates for patterns 00, 10, 01, 11: " + "; ".join(rate_texts) + ".",
        "history.csv",
        "xor",
    )


def credit(arrays: Arrays) -> fg.Plate:
    """Change of burst probability by the teaching current, from the output down."""
    by_variant = {
        variant: [arrays[name] for name in sorted(arrays) if name.startswith(f"credit.{variant}.")]
        for variant in ("spiking", "no_feedback")
    }
    variants = [variant for variant, credits in by_variant.items() if credits]
    if not variants:
        raise fg.NotMeasuredError("The run saved no credit.")
    plate = fg.Plate(2.6)
    axes = plate.panels(1, 3, sharey=True)[0]
    credit_texts = []
    for ax, population in zip(axes, (OUTPUT, *HIDDEN), strict=True):
        for index, variant in enumerate(variants):
            credits = np.array([c[population] for c in by_variant[variant]])
            x = np.arange(len(NAMES)) + 0.38 * (index - (len(variants) - 1) / 2)
            colour = (fg.BLUE, fg.GREY)[index]
            ax.bar(
                x, credits.mean(axis=0), width=0.36, color=colour, alpha=0.5, label=LABELS[variant]
            )
            for seed in credits:
                ax.plot(x, seed, fg.MARKERS[index], color=colour, markersize=3)
            mean_texts = ", ".join(f"{value:+.2f}" for value in credits.mean(axis=0))
            credit_texts.append(f"{POPULATIONS[population]} {LABELS[variant]} {mean_texts}")
        if population != OUTPUT:
            ax.axhspan(-HIDDEN_CREDIT, HIDDEN_CREDIT, color=fg.GREY, alpha=0.15, linewidth=0)
        ax.axhline(0, color=fg.INK, linewidth=0.8)
        ax.set_xticks(
            range(len(NAMES)), [f"{n}\n→{t}" for n, t in zip(NAMES, TARGETS, strict=True)]
        )
        ax.set_title(POPULATIONS[population])
    axes[0].set_ylabel("burst probability,\nlearning − prediction")
    fg.legend_below(plate, [axes[0]])
    return plate.says(
        "Change of burst probability caused by the teaching current at the output during the first "
        "10 epochs (dots are seeds). H1 receives mostly excitation from the bursts of the output, "
        "and H2 mostly inhibition. Changes inside the grey area are too small to count.",
        "; ".join(credit_texts) + ".",
        exhibits="xor",
    )
