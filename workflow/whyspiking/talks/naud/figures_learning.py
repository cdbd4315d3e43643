"""Figures of `plasticity` and `mnist`: the rule at one synapse, and in a hierarchy of rate units.

Exhibits read are described in `plasticity.py` and `digits.py`; learning curves and angles come from
the history.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    GREY,
    INK,
    MARKERS,
    PALETTE,
    NotMeasuredError,
    Plate,
    learning_curve,
    legend_below,
    line_with_interval,
    need,
    over_seeds,
)
from whyspiking.records.tables import Table

Arrays = Mapping[str, NDArray]
RULES = {
    "backprop": "backprop",
    "burstprop": "bursts, learned feedback",
    "fixed_feedback": "bursts, fixed feedback",
    "readout_only": "output layer only",
}

DEEP = {
    "backprop_3": "backprop",
    "learned_3": "bursts, learned feedback",
    "fixed_3": "bursts, fixed feedback",
    "perturbation_3": "node perturbation",
    "output_only_3": "output layer only",
}
DEPTHS = {1: ":", 2: "--", 3: "-"}


def plasticity(arrays: Arrays) -> Plate:
    """Change of weight against burst probability for both event rates."""
    change, predicted, rates, p, start = need(
        arrays, "burst", "predicted", "event_rates_hz", "burst_probabilities", "p_start"
    )
    plate = Plate(3.2, 5.6)
    ax = plate.panels(1, 1)[0, 0]
    ax.axhline(0, color=GREY, linewidth=0.8)
    ax.axvline(float(start), color=GREY, linewidth=0.8)
    words = []
    for k, rate in enumerate(rates):
        mean, sd = change[k].mean(axis=-1), change[k].std(axis=-1)
        colour = PALETTE[k]
        ax.errorbar(
            p, mean, sd, color=colour, marker=MARKERS[k], linestyle="", capsize=2, linewidth=1,
            markersize=5, label=f"events at {rate:.0f} Hz",
        )  # fmt: skip
        slope, offset = np.polyfit(p, mean, 1)
        ax.plot(p, slope * p + offset, color=colour)
        ax.plot(p, predicted[k], color=colour, linestyle=":", linewidth=1.2)
        crossing = -offset / slope
        ax.plot([crossing], [0], marker="x", color=INK, markersize=9, markeredgewidth=2, zorder=5)
        words.append(f"at {rate:.0f} Hz slope {slope:.2f}, zero at {crossing:.3f}")
    ax.set_xlabel("burst probability")
    ax.set_ylabel("change of weight")
    legend_below(plate, [ax])
    return plate.says(
        f"Change of one synapse in Brian2 after the burst-Poisson protocol, mean and sd of "
        f"{change.shape[-1]} repetitions, straight-line fits with their zero crossings (crosses); "
        "dotted: mean-field theory. Vertical line: running mean of burst probability at the "
        "start.",
        "Change of weight against burst probability: " + "; ".join(words) + ".",
        exhibits="plasticity",
    )


def protocols(arrays: Arrays) -> Plate:
    """Poisson and periodic pairing."""
    poisson, starts, rates = need(arrays, "poisson", "poisson_starts", "poisson_rates_hz")
    periodic, periodic_rates = need(arrays, "periodic", "periodic_rates_hz")
    plate = Plate(2.9)
    left, right = plate.panels(1, 2)[0]
    words = []
    for k, start in enumerate(starts):
        mean, sd = poisson[k].mean(axis=-1), poisson[k].std(axis=-1)
        left.errorbar(
            rates, mean, sd, color=PALETTE[k], marker=MARKERS[k], capsize=2, linewidth=1,
            markersize=5, label=f"running mean starts at {float(start):g}",
        )  # fmt: skip
        words.append(
            f"from {float(start):g}, {mean[0]:.2f} at the lowest rate and {mean[-1]:.2f} at the "
            "highest"
        )
    right.plot(periodic_rates, periodic, color=PALETTE[3], marker=MARKERS[3], label="five pairs")
    right.axvline(1000 / 16, color=GREY, linestyle="--", linewidth=1)
    right.annotate(
        "interval\n16 ms", (1000 / 16 - 2, 0.98), xycoords=("data", "axes fraction"), va="top",
        ha="right", fontsize=9,
    )  # fmt: skip
    left.set_title("Poisson")
    right.set_title("periodic")
    for ax in (left, right):
        ax.axhline(0, color=GREY, linewidth=0.8)
        ax.set_xlabel("spike rate, Hz")
    left.set_ylabel("change of weight")
    legend_below(plate, [left, right])
    return plate.says(
        "Other pairing protocols in Brian2. In a Poisson train bursts come by chance, more often "
        "at high rates (mean and sd of the repetitions). In short periodic trains the second spike "
        "makes a burst once the interval is within 16 ms (one repetition: nothing is random).",
        "Poisson: " + "; ".join(words) + f". Periodic: {periodic[0]:.2f} at the lowest rate, "
        f"{periodic[-1]:.2f} at the highest.",
        exhibits="plasticity",
    )


def digits(history: Table) -> Plate:
    """Validation error of the rules, and the angle of feedback to forward weights."""
    own = history[history["experiment"] == "mnist"]
    if own.empty:
        raise NotMeasuredError("No network was trained on MNIST.")
    plate = Plate(3.2)
    left, right = plate.panels(1, 2)[0]
    errors = own[own["metric"] == "validation_error"]
    percent = errors.assign(value=100 * errors["value"])
    words = learning_curve(left, percent, metric="validation_error", labels=RULES, log_epochs=False)
    left.set_ylabel("validation error, %")
    left.set_yscale("log")
    left.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    left.yaxis.set_minor_formatter(lambda value, _: "")
    left.set_yticks([2, 3, 5, 10, 20])
    said = []
    for variant in ("burstprop", "fixed_feedback"):
        for layer, line in enumerate(("-", "--", ":"), start=1):
            rows = own[(own["metric"] == f"feedback_angle_{layer}") & (own["variant"] == variant)]
            if rows.empty:
                continue
            points = over_seeds(rows, ["epoch"])
            index = list(RULES).index(variant)
            line_with_interval(right, points["epoch"], points, index=index, linestyle=line)
            said.append(f"{RULES[variant]} onto layer {layer} {points['mean'].iloc[-1]:.0f}°")
    right.axhline(90, color=GREY, linewidth=0.8)
    right.set_ylim(0, 95)
    right.set_ylabel("angle, feedback to\nforward weights, degrees")
    right.set_xlabel("epoch")
    legend_below(plate, [left])
    return plate.says(
        "MNIST, 3 hidden layers of 256 rate units, no spikes. Left: error on validation images "
        "(logarithmic). Right: angle between feedback weights and the transposed forward weights; "
        "90 degrees is chance; solid, dashed and dotted: onto hidden layer 1, 2, 3. Bands: 95 % t "
        "intervals over seeds.",
        f"Validation error in %: {words}. Angle in the end: {'; '.join(said)}.",
        "history.csv",
        "mnist",
    )


def deep(history: Table) -> Plate:
    """Authors' rate network: error by rule and by depth, and angle of credit to backprop."""
    own = history[history["experiment"] == "mnist_deep"]
    if own.empty:
        raise NotMeasuredError("No deep network was trained on MNIST.")
    plate = Plate(3.2)
    left, middle, right = plate.panels(1, 3)[0]
    errors = own[own["metric"] == "validation_error"]
    percent = errors.assign(value=100 * errors["value"])
    words = learning_curve(left, percent, metric="validation_error", labels=DEEP, log_epochs=False)
    left.set_title("three hidden layers")
    said = []
    for depth, line in DEPTHS.items():
        for index, rule in ((0, "backprop"), (1, "learned")):
            rows = percent[(percent["variant"] == f"{rule}_{depth}") & (percent["epoch"] > 0)]
            if rows.empty:
                continue
            points = over_seeds(rows, ["epoch"])
            line_with_interval(
                middle, points["epoch"], points, index=index, linestyle=line, markers=False
            )
            said.append(f"{rule} with {depth}: {points['mean'].iloc[-1]:.1f} %")
    middle.set_title("one, two, three layers")
    for index, rule in ((1, "learned_3"), (2, "fixed_3")):
        for layer, line in DEPTHS.items():
            rows = own[(own["metric"] == f"credit_angle_{layer}") & (own["variant"] == rule)]
            if rows.empty:
                continue
            points = over_seeds(rows, ["epoch"])
            line_with_interval(
                right, points["epoch"], points, index=index, linestyle=line, markers=False
            )
            said.append(f"{DEEP[rule]}, layer {layer} {points['mean'].iloc[-1]:.0f}°")
    right.axhline(90, color=GREY, linewidth=0.8)
    right.set_ylim(0, 105)
    right.set_title("credit, by layer")
    right.set_ylabel("angle to backprop, degrees")
    left.set_ylabel("validation error, %")
    for ax in (left, middle):
        ax.set_yscale("log")
        # An interval of three seeds may reach below 0, which a logarithm cannot show.
        ax.set_ylim(3, 105)
        ax.set_yticks([5, 10, 20, 50, 100])
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_formatter(lambda value, _: "")
    for ax in (left, middle, right):
        ax.set_xlabel("epoch of 6,000 digits")
    legend_below(plate, [left])
    return plate.says(
        "The authors' rate network on MNIST. Left: error on validation images with three hidden "
        "layers of 500. Middle: bursts with learned feedback and backprop; dotted, dashed, solid: "
        "one, two, three hidden layers. Right: angle of credit to that of backprop with three; "
        "dotted, dashed, solid: hidden layer 1 (lowest), 2, 3; 90 degrees is chance.",
        f"Validation error in %: {words}. {'; '.join(said)}.",
        "history.csv",
        "mnist_deep",
    )
