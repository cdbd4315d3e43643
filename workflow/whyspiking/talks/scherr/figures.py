"""Signature figures of e-prop: one trial, learning curves, alignment, memory, patterns.

Exhibits read, times in ms:

- evidence: `trial.*` (one fresh trial of the network trained by symmetric e-prop, see
  `exhibits._evidence`), `memory.steps`, `memory.eprop`, `memory.bptt` (duration,).
- evidence_reward: `cues.<variant>.told`, `.fires`, `.adaptive` (neuron,).
- oneshot, oneshot_arm: `movement.target`, `movement.before`, `movement.after` (movement, step, 2).
- pattern: `pattern.time_ms`, `pattern.target`, `pattern.output.<variant>` (time,).

History read: `train_error` of evidence and evidence_reward, `alignment_*` of evidence; `nmse`
of pattern and pattern_brian2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PALETTE,
    RED,
    NotMeasuredError,
    Plate,
    label_ends,
    legend_below,
    line_with_interval,
    need,
    over_seeds,
    raster,
)

if TYPE_CHECKING:
    from whyspiking.contract.types import Results
    from whyspiking.records.tables import Table

RULES = {
    "spiking": "symmetric e-prop",
    "random": "random e-prop",
    "bptt": "BPTT",
    "lif_only": "symmetric e-prop, no adaptation",
    "lstm": "LSTM, BPTT",
}
GROUPS = ("left", "right", "recall", "backgr.")
TOLD = (
    ("evidence", "spiking", "told the answer"),
    ("evidence_reward", "spiking", "reward, symmetric"),
    ("evidence_reward", "random", "reward, random"),
    ("evidence_reward", "lif_only", "reward, no adaptation"),
)
"""Experiment, variant, label: what the rules of evidence accumulation are told."""
TAUGHT_BY = {"random": "learned with B", "spiking": "learned without B"}
LAST_CUE = 0.27
"""Error of a network that remembers the last of seven cues only."""
LAST_CUE_ONLY = "knows the last cue only"
SMOOTH = 10
"""Iterations averaged in the learning curves: single batches of 64 trials are noisy."""
ALIGNMENTS = {
    "alignment_symmetric": "symmetric e-prop",
    "alignment_random": "random feedback",
    "alignment_permuted": "labels permuted (null)",
}


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's signature figures by name, in the order of the story."""
    return {
        "one trial": lambda: one_trial(results.exhibit("evidence")),
        "learning curves": lambda: learning_curves(results.history),
        "alignment with BPTT": lambda: alignment(results.history),
        "learning from reward": lambda: learning_from_reward(results.history),
        "feedback and cues": lambda: feedback_and_cues(results.exhibit("evidence_reward")),
        "memory of the rules": lambda: memory(results.exhibit("evidence")),
        "pattern": lambda: pattern(results.exhibit("pattern")),
        "learning a pattern": lambda: learning_a_pattern(results.history),
        "one demonstration": lambda: one_demonstration(results.exhibit("oneshot")),
        "one demonstration, arm": lambda: one_demonstration(
            results.exhibit("oneshot_arm"), "oneshot_arm"
        ),
    }


def one_trial(arrays: Mapping[str, NDArray]) -> Plate:
    """Input, spikes, adaptive thresholds, eligibility traces and learning signal of one trial."""
    keys = (
        "time_ms", "input_ms", "input_channel", "spike_ms", "neuron", "threshold", "eligibility",
        "learning_signal", "chance_right", "label", "shown", "n_lif",
    )  # fmt: skip
    (
        time, input_ms, channel, spike_ms, neuron, threshold, eligibility,
        signal, right, label, shown, n_lif,
    ) = need(arrays, *(f"trial.{key}" for key in keys))  # fmt: skip
    plate = Plate(7.6)
    axes = plate.panels(6, 1, sharex=True, height_ratios=[1.2, 2, 1, 1, 1, 1])[:, 0]
    raster(axes[0], input_ms, channel)
    per_group = (int(channel.max()) + 1) / len(GROUPS)
    axes[0].set_yticks([(k + 0.5) * per_group for k in range(len(GROUPS))], GROUPS)
    axes[0].set_ylabel("input")
    raster(axes[1], spike_ms, neuron)
    axes[1].axhline(float(n_lif) - 0.5, color=RED, linewidth=0.8)
    axes[1].set_ylabel("neuron\nLIF below,\nALIF above")
    for place in range(threshold.shape[1]):
        colour = PALETTE[place % len(PALETTE)]
        axes[2].plot(time, threshold[:, place], color=colour, label=f"neuron {shown[place]}")
    axes[2].set_ylabel("threshold")
    names = ("left", "right", "background")
    for place in range(eligibility.shape[1]):
        colour = PALETTE[place % len(PALETTE)]
        axes[3].plot(time, eligibility[:, place], color=colour, linewidth=0.8, label=names[place])
    axes[3].set_ylabel("eligibility")
    for place in range(signal.shape[1]):
        axes[4].plot(time, signal[:, place], color=PALETTE[place % len(PALETTE)])
    axes[4].set_ylabel("learning\nsignal")
    axes[5].plot(time, right, color=BLUE)
    axes[5].axhline(0.5, color=GREY, linewidth=0.8)
    axes[5].set_ylim(-0.05, 1.05)
    axes[5].set_ylabel("output\nP(right)")
    axes[5].set_xlabel("time, ms")
    for ax in (axes[2], axes[3]):
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05), fontsize=8)
    correct = "right" if int(label) else "left"
    return plate.says(
        "One fresh trial of the network trained by symmetric e-prop. Thresholds and learning "
        "signals are those of its three busiest adaptive neurons; eligibilities those of three "
        "input synapses of the busiest one. The learning signal is zero before the recall, while "
        "slow eligibilities bridge the delay.",
        f"The correct side is {correct}; at the end the network gives right a probability of "
        f"{float(right[-1]):.2f}. {spike_ms.size} spikes of {int(neuron.max()) + 1} neurons.",
        exhibits="evidence",
    )


def learning_curves(history: Table) -> Plate:
    """Error on fresh training batches over iterations."""
    rows = history[(history["experiment"] == "evidence") & (history["metric"] == "train_error")]
    if rows.empty:
        raise NotMeasuredError("No course of training was recorded.")
    plate = Plate(3.2)
    ax = plate.subplots()
    words = []
    for index, (variant, label) in enumerate(RULES.items()):
        own = rows[rows["variant"] == variant]
        if own.empty:
            continue
        points = over_seeds(_smooth(own), ["epoch"])
        line_with_interval(ax, points["epoch"], points, index=index, label=label, markers=False)
        words.append(f"{label} ends at {100 * points['mean'].iloc[-1]:.1f} %")
    ax.axhline(0.5, color=GREY, linewidth=0.8)
    ax.axhline(0.1, color=INK, linewidth=0.8, linestyle=":")
    ax.set_ylim(0, 0.6)
    ax.set_xlabel("iteration (batch of fresh trials)")
    ax.set_ylabel("decision error")
    legend_below(plate, [ax])
    return plate.says(
        f"Decision error on the training batches, none of which was seen before, mean of {SMOOTH} "
        "iterations; bands are 95 % t intervals over seeds. Dotted: 10 %; grey: chance.",
        "; ".join(words) + ".",
        "history.csv",
        "evidence",
    )


def _smooth(rows: Table, size: int = SMOOTH) -> Table:
    """Mean over blocks of iterations, placed at their end."""
    block = -(-rows["epoch"] // size) * size
    return (
        rows.assign(epoch=block)
        .groupby(["variant", "seed", "epoch"], as_index=False)["value"]
        .mean()
    )


def learning_from_reward(history: Table) -> Plate:
    """Decision error where one reward per trial is all that is told, beside the labels."""
    found = history[history["metric"] == "train_error"]
    if not (found["experiment"] == "evidence_reward").any():
        raise NotMeasuredError("No course of training was recorded.")
    plate = Plate(3.4)
    ax = plate.subplots()
    words = []
    for index, (experiment, variant, label) in enumerate(TOLD):
        own = found[(found["experiment"] == experiment) & (found["variant"] == variant)]
        if own.empty:
            continue
        points = over_seeds(_smooth(own, 2 * SMOOTH), ["epoch"])
        line_with_interval(ax, points["epoch"], points, index=index, label=label, markers=False)
        words.append(f"{label} ends at {100 * points['mean'].iloc[-1]:.1f} %")
    ax.axhline(0.5, color=GREY, linewidth=0.8)
    ax.axhline(LAST_CUE, color=INK, linewidth=0.8, linestyle=":")
    across = ax.get_yaxis_transform()
    ax.text(0.99, LAST_CUE + 0.01, LAST_CUE_ONLY, fontsize=8, ha="right", transform=across)
    ax.set_ylim(0, 0.6)
    ax.set_xlabel("iteration (batch of fresh trials)")
    ax.set_ylabel("decision error, likelier action")
    label_ends(ax)
    return plate.says(
        "Decision error of the likelier action on the training batches, none of which was seen "
        f"before, mean of {2 * SMOOTH} iterations; bands are 95 % t intervals over seeds. Told one "
        "reward per trial, or the right answer at every step of the recall.",
        "; ".join(words) + ".",
        "history.csv",
        "evidence_reward",
    )


def feedback_and_cues(arrays: Mapping[str, NDArray]) -> Plate:
    """Fixed feedback weights against the cues in which neurons came to fire."""
    shown = [v for v in ("random", "spiking") if f"cues.{v}.told" in arrays]
    if not shown:
        raise NotMeasuredError("No network with random feedback was kept.")
    plate = Plate(3.0)
    axes = plate.panels(1, len(shown), sharex=True, sharey=True)[0]
    words = []
    for ax, variant in zip(axes, shown, strict=True):
        told, fires, adaptive = need(
            arrays, *(f"cues.{variant}.{key}" for key in ("told", "fires", "adaptive"))
        )
        for kind, colour, marker in ((False, GREEN, "^"), (True, BLUE, "o")):
            label = "adaptive" if kind else "not adaptive"
            own = adaptive == kind
            ax.scatter(told[own], fires[own], 14, color=colour, marker=marker, label=label)
        ax.axhline(0, color=GREY, linewidth=0.8)
        r = float(np.corrcoef(told, fires)[0, 1])
        ax.set_title(f"{TAUGHT_BY[variant]}: r = {r:.2f}", fontsize=9)
        ax.set_xlabel("feedback weight B, right less left")
        words.append(f"{TAUGHT_BY[variant]}: correlation {r:.2f} over {told.size} neurons")
    axes[0].set_ylabel("rate in right less\nrate in left cues, Hz")
    legend_below(plate, axes[:1])
    return plate.says(
        "One network each, a point a neuron: its fixed random feedback weights, right choice less "
        "left, and its rates while cues are shown. The second network drew such weights as well, "
        "but learned through its readout's own.",
        "; ".join(words) + ".",
        exhibits="evidence_reward",
    )


def alignment(history: Table) -> Plate:
    """Cosine of e-prop's gradients with BPTT's over training."""
    rows = history[(history["experiment"] == "evidence") & history["metric"].isin(list(ALIGNMENTS))]
    trained = [v for v in ("spiking", "random") if (rows["variant"] == v).any()]
    if not trained:
        raise NotMeasuredError("No alignment was recorded.")
    plate = Plate(3.0)
    axes = plate.panels(1, len(trained), sharey=True)[0]
    words = []
    for ax, variant in zip(axes, trained, strict=True):
        for index, (metric, label) in enumerate(ALIGNMENTS.items()):
            own = rows[(rows["variant"] == variant) & (rows["metric"] == metric)]
            points = over_seeds(own, ["epoch"])
            line_with_interval(ax, points["epoch"], points, index=index, label=label)
            first, last = points["mean"].iloc[0], points["mean"].iloc[-1]
            words.append(f"trained by {RULES[variant]}, {label}: {first:.2f} to {last:.2f}")
        ax.axhline(0, color=GREY, linewidth=0.8)
        ax.set_ylim(-1.05, 1.05)
        ax.set_title(f"trained by {RULES[variant]}")
        ax.set_xlabel("iteration")
    axes[0].set_ylabel("cosine with BPTT")
    axes[-1].legend(loc="lower right", fontsize=8)
    return plate.says(
        "Cosine of gradients by e-prop with the gradient by BPTT on the same fresh batches, all "
        "weights of inputs and neurons, rate cost left out; the null has the labels of the batch "
        "permuted. Both kinds of feedback are measured in both networks.",
        "; ".join(words) + ".",
        "history.csv",
        "evidence",
    )


def memory(arrays: Mapping[str, NDArray]) -> Plate:
    """Numbers that the rules keep, against the duration of a trial."""
    steps, eprop, bptt = need(arrays, "memory.steps", "memory.eprop", "memory.bptt")
    plate = Plate(2.8, width=4.5)
    ax = plate.subplots()
    ax.plot(steps, bptt / 1e3, color=GREEN, marker="^", label="BPTT")
    ax.plot(steps, eprop / 1e3, color=BLUE, marker="o", label="e-prop")
    ax.set_xlabel("duration of a trial, steps")
    ax.set_ylabel("numbers kept, thousands")
    ax.set_ylim(0)
    ax.legend()
    return plate.says(
        "Numbers that the two learning rules keep beside weights and neurons, by the sizes of "
        "their arrays, for the network of evidence accumulation.",
        f"From {steps[0]} to {steps[-1]} steps e-prop keeps {eprop[0]} and {eprop[-1]} numbers, "
        f"BPTT {bptt[0]} and {bptt[-1]}.",
        exhibits="evidence",
    )


def pattern(arrays: Mapping[str, NDArray]) -> Plate:
    """Output over its target before and after learning."""
    time, target = need(arrays, "pattern.time_ms", "pattern.target")
    titles = {
        "untrained": "before",
        "readout": "readout only",
        "spiking": "symmetric e-prop",
        "random": "random e-prop",
    }
    shown = [v for v in titles if f"pattern.output.{v}" in arrays]
    if not shown:
        raise NotMeasuredError("No output was kept.")
    plate = Plate(2.4)
    axes = plate.panels(1, len(shown), sharey=True)[0]
    words = []
    for ax, variant in zip(axes, shown, strict=True):
        output = arrays[f"pattern.output.{variant}"]
        ax.plot(time, target, color=GREY, linewidth=3, alpha=0.7, label="target")
        ax.plot(time, output, color=BLUE, linewidth=1.1, label="output")
        ax.set_title(titles[variant])
        ax.set_xlabel("time, ms")
        error = ((output - target) ** 2).sum() / ((target - target.mean()) ** 2).sum()
        words.append(f"{titles[variant]}: nMSE {error:.4f}")
    axes[0].set_ylabel("readout y")
    legend_below(plate, axes[:1])
    return plate.says(
        "Output of the pattern generator in Brian2 over its target, before learning and after: by "
        "the readout alone, the control, and by the two forms of e-prop.",
        "; ".join(words) + ".",
        exhibits="pattern",
    )


def one_demonstration(arrays: Mapping[str, NDArray], experiment: str = "oneshot") -> Plate:
    """Unseen movements in the plane, before and after one demonstration, by a pen or an arm."""
    wanted, before, after = need(arrays, "movement.target", "movement.before", "movement.after")
    plate = Plate(2.4)
    axes = plate.panels(1, len(wanted), sharex=True, sharey=True)[0]
    words = []
    arm = arrays.get("movement.arm")
    for number, ax in enumerate(axes):
        y = wanted[number]
        if arm is not None:
            ax.plot(
                *arm.T, color=GREY, linewidth=0.8, marker="o", markersize=3, label="arm at rest"
            )
        ax.plot(y[:, 0], y[:, 1], color=GREY, linewidth=3, alpha=0.7, label="demonstrated")
        ax.plot(*before[number].T, color=RED, linewidth=0.8, label="before")
        ax.plot(*after[number].T, color=BLUE, linewidth=1.1, label="after")
        ax.set_aspect("equal")
        ax.set_xlabel("x, output 1" if arm is None else "x of the hand")
        spread = ((y - y.mean(axis=0)) ** 2).sum()
        errors = [((x[number] - y) ** 2).sum() / spread for x in (before, after)]
        words.append(f"movement {number + 1}: nMSE {errors[0]:.2f} before, {errors[1]:.2f} after")
    axes[0].set_ylabel("y, output 2" if arm is None else "y of the hand")
    legend_below(plate, axes[:1])
    return plate.says(
        "Four unseen movements, the first of the test: what the network draws in Brian2 while it "
        "watches the one demonstration, before any learning, and after the one update.",
        "; ".join(words) + ".",
        exhibits=experiment,
    )


def learning_a_pattern(history: Table) -> Plate:
    """Error over trials: optimisers in the kernel, and the rule inside Brian2."""
    panels: dict[str, tuple[str, dict[str, str]]] = {
        "Adam": (
            "pattern",
            {"spiking": "symmetric", "random": "random", "bptt": "BPTT", "readout": "readout only"},
        ),
        "plain descent (published)": (
            "pattern",
            {"sgd": "symmetric", "sgd_random": "random", "sgd_bptt": "BPTT"},
        ),
        "Adam, inside Brian2": ("pattern_brian2", {"spiking": "symmetric", "random": "random"}),
    }
    rows = history[history["metric"] == "nmse"]
    if rows.empty:
        raise NotMeasuredError("No course of training was recorded.")
    plate = Plate(2.9)
    axes = plate.panels(1, len(panels), sharey=True)[0]
    words: list[str] = []
    for ax, (title, (experiment, variants)) in zip(axes, panels.items(), strict=True):
        _curves(ax, rows[rows["experiment"] == experiment], title, variants, words)
    axes[0].set_ylabel("nMSE")
    legend_below(plate, axes[:1])
    return plate.says(
        "Normalised squared error over trials of learning; bands are 95 % t intervals over seeds, "
        "on the logarithm.",
        "; ".join(words) + ".",
        "history.csv",
        "pattern",
    )


def _curves(
    ax: Any, rows: pd.DataFrame, title: str, variants: Mapping[str, str], words: list[str]
) -> None:
    for index, (variant, label) in enumerate(variants.items()):
        own = rows[rows["variant"] == variant]
        if own.empty:
            continue
        points = over_seeds(own, ["epoch"], transform="log")
        line_with_interval(ax, points["epoch"], points, index=index, label=label, markers=False)
        words.append(f"{title}, {label}: {np.asarray(points['mean'])[-1]:.4f} at the end")
    ax.set_yscale("log")
    ax.set_title(title, fontsize=8.5)
    ax.set_xlabel("trial")
