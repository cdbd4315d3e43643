"""Figures of e-prop: one trial, feedback and cues, a pattern, a movement from one demonstration.

The figures use these figure data (times in ms):

- evidence: `trial.*`, one fresh trial of the network trained by symmetric e-prop;
  `cues.<variant>.feedback`, `.rates`, `.adaptive` (neuron,).
- pattern: `pattern.time_ms`, `pattern.target`, `pattern.output.<variant>` (time,).
- oneshot: `movement.target`, `movement.before`, `movement.after` (movement, step, 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots import figures as fg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from whyspiking.contract.types import Results

GROUPS = ("left", "right", "recall", "backgr.")
LEARNED_BY = {"random": "learned with random feedback", "spiking": "learned without it"}
RECIPES = {
    "spiking": "random e-prop,\nbatches of 32",
    "symmetric": "symmetric e-prop,\nbatches of 64",
}
STATED_ITERATIONS, ITERATION_LIMIT = (200, 500), 2000
"""Iterations that the README of the authors' code states, and the limit of their script."""
PATTERNS = {
    "untrained": "before training",
    "readout": "readout only",
    "spiking": "symmetric e-prop",
    "random": "random e-prop",
}


def figures(results: Results) -> Mapping[str, Callable[[], fg.Plate]]:
    """Return the talk's figures by name, in the order of the page."""
    return {
        "iterations to the criterion": lambda: draw_iterations(
            results.exhibit("evidence_published")
        ),
        "one trial": lambda: draw_one_trial(results.exhibit("evidence")),
        "feedback and cues": lambda: draw_feedback_and_cues(results.exhibit("evidence")),
        "pattern": lambda: draw_pattern(results.exhibit("pattern")),
        "one demonstration": lambda: draw_one_demonstration(results.exhibit("oneshot")),
    }


def draw_iterations(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw after how many iterations each network meets the authors' criterion."""
    variants = [v for v in RECIPES if f"iterations.{v}" in arrays]
    if not variants:
        raise fg.NotMeasuredError("The figure data contain no network of the published recipe.")
    plate, (ax,) = fg.row_of_panels(2.4)
    ax.axvspan(*STATED_ITERATIONS, color=fg.GREY, alpha=0.2, linewidth=0)
    texts = []
    for i_variant, variant in enumerate(variants):
        n_iterations = arrays[f"iterations.{variant}"]
        n_met = n_iterations[np.isfinite(n_iterations)]
        heights = i_variant + np.linspace(-0.2, 0.2, max(2, n_met.size))[: n_met.size]
        ax.plot(n_met, heights, "o", color=fg.BLUE, markersize=4)
        never_text = (
            f"; {n_iterations.size - n_met.size} never met it"
            if n_met.size < n_iterations.size
            else ""
        )
        mean = f"mean {n_met.mean():.0f} iterations, " if n_met.size else ""
        name = RECIPES[variant].replace("\n", " ")
        texts.append(f"{name}: {mean}{n_iterations.size} networks{never_text}")
    ax.set_yticks(range(len(variants)), [RECIPES[v] for v in variants])
    ax.set(
        xlim=(0, ITERATION_LIMIT),
        ylim=(len(variants) - 0.5, -0.5),
        xlabel="iterations until the criterion",
    )
    return plate.says(
        "Each dot is one network. Training ends when the error is below 7 % in one batch of fresh "
        "trials and in eight further batches. The README of the authors' code states the grey "
        "range, and the axis ends at the limit of their script.",
        ". ".join(texts) + ".",
        exhibits="evidence_published",
    )


def draw_one_trial(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw input, spikes, eligibility traces and output of one trial."""
    time, input_ms, channel, spike_ms, neuron, right, label, n_lif = fg.need(
        arrays, "trial.time_ms", "trial.input_ms", "trial.input_channel", "trial.spike_ms",
        "trial.neuron", "trial.chance_right", "trial.label", "trial.n_lif",
    )  # fmt: skip
    plate = fg.Plate(5.4)
    axes = plate.panels(4, 1, sharex=True, height_ratios=[1.2, 2, 1, 1])[:, 0]
    fg.raster(axes[0], input_ms, channel, colours=fg.GREY)
    per_group = (int(channel.max()) + 1) / len(GROUPS)
    axes[0].set_yticks([(k + 0.5) * per_group for k in range(len(GROUPS))], GROUPS)
    axes[0].set_ylabel("input")
    fg.raster(axes[1], spike_ms, neuron, colours=fg.GREY)
    axes[1].axhline(float(n_lif) - 0.5, color=fg.RED, linewidth=0.8)
    axes[1].set_ylabel("neuron\nLIF below,\nALIF above")
    _draw_eligibility(axes[2], time, arrays)
    axes[3].plot(time, right, color=fg.BLUE)
    axes[3].axhline(0.5, color=fg.GREY, linewidth=0.8)
    axes[3].set(ylim=(-0.05, 1.05), ylabel="output\nP(right)", xlabel="time, ms")
    correct = "right" if int(label) else "left"
    return plate.says(
        "The figure shows one fresh trial of the network trained by symmetric e-prop, with cues on "
        "the left and on the right, a delay, and the recall cue. The eligibility traces are those "
        "of three input synapses of the adaptive neuron with the most spikes. Slow eligibility "
        "traces last until the end of the delay.",
        f"The correct side is {correct}. At the end of the trial the network assigns a probability "
        f"of {float(right[-1]):.2f} to the right side. The {int(neuron.max()) + 1} neurons fire "
        f"{spike_ms.size} spikes.",
        exhibits="evidence",
    )


def _draw_eligibility(ax: Axes, time: NDArray, arrays: Mapping[str, NDArray]) -> None:
    """Draw eligibility traces, with one colour per synapse."""
    (traces,) = fg.need(arrays, "trial.eligibility")
    for i_synapse, trace in enumerate(traces.T):
        ax.plot(time, trace, color=fg.PALETTE[i_synapse % len(fg.PALETTE)], linewidth=1.0)
    ax.set_ylabel("eligibility\ntrace")
    synapse_labels = ["left", "right", "background"]
    ax.legend(ax.lines, synapse_labels, loc="upper left", bbox_to_anchor=(1.0, 1.05), fontsize=8)


def draw_feedback_and_cues(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw the rates of neurons in right and left cues against their fixed feedback weights."""
    variants = [v for v in LEARNED_BY if f"cues.{v}.feedback" in arrays]
    if not variants:
        raise fg.NotMeasuredError("The figure data contain no network with random feedback.")
    plate = fg.Plate(3.0)
    axes = plate.panels(1, len(variants), sharex=True, sharey=True)[0]
    texts = []
    for ax, variant in zip(axes, variants, strict=True):
        feedback, rates, adaptive = fg.need(
            arrays, *(f"cues.{variant}.{key}" for key in ("feedback", "rates", "adaptive"))
        )
        for kind, colour, marker in ((False, fg.GREEN, "^"), (True, fg.BLUE, "o")):
            label = "adaptive" if kind else "not adaptive"
            is_kind = adaptive == kind
            ax.scatter(
                feedback[is_kind], rates[is_kind], 14, color=colour, marker=marker, label=label
            )
        ax.axhline(0, color=fg.GREY, linewidth=0.8)
        r = float(np.corrcoef(feedback, rates)[0, 1])
        ax.set_title(f"{LEARNED_BY[variant]}: r = {r:.2f}", fontsize=9)
        ax.set_xlabel("feedback weight B, right minus left")
        texts.append(f"{LEARNED_BY[variant]}: correlation {r:.2f} over {feedback.size} neurons")
    axes[0].set_ylabel("rate in right cues minus\nrate in left cues, Hz")
    fg.legend_below(plate, axes[:1])
    return plate.says(
        "Each panel shows one network, with one point per neuron. The horizontal axis is the fixed "
        "random feedback weight of the right choice minus that of the left choice. The vertical "
        "axis is the firing rate during right cues minus that during left cues. The network of the "
        "second panel has random feedback weights, too, but it learned with its readout weights.",
        "; ".join(texts) + ".",
        exhibits="evidence",
    )


def draw_pattern(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw output and target before and after learning."""
    time, target = fg.need(arrays, "pattern.time_ms", "pattern.target")
    variants = [v for v in PATTERNS if f"pattern.output.{v}" in arrays]
    if not variants:
        raise fg.NotMeasuredError("The figure data contain no output.")
    plate = fg.Plate(2.4)
    axes = plate.panels(1, len(variants), sharey=True)[0]
    texts = []
    for ax, variant in zip(axes, variants, strict=True):
        output = arrays[f"pattern.output.{variant}"]
        ax.plot(time, target, color=fg.GREY, linewidth=3, alpha=0.7, label="target")
        ax.plot(time, output, color=fg.BLUE, linewidth=1.1, label="output")
        ax.set(title=PATTERNS[variant], xlabel="time, ms")
        error = ((output - target) ** 2).sum() / ((target - target.mean()) ** 2).sum()
        texts.append(f"{PATTERNS[variant]}: nMSE {error:.4f}")
    axes[0].set_ylabel("readout y")
    fg.legend_below(plate, axes[:1])
    return plate.says(
        "The figure shows the output of the pattern generator in Brian2 and its target, before "
        "training, after training of the readout alone (the control), and after training by the "
        "two forms of e-prop.",
        "; ".join(texts) + ".",
        exhibits="pattern",
    )


def draw_one_demonstration(arrays: Mapping[str, NDArray]) -> fg.Plate:
    """Draw unseen movements in the plane before and after one demonstration."""
    movements = fg.need(arrays, "movement.target", "movement.before", "movement.after")
    plate = fg.Plate(2.4)
    axes = plate.panels(1, len(movements[0]), sharex=True, sharey=True)[0]
    texts = []
    for i_movement, (ax, y, output_before, output_after) in enumerate(
        zip(axes, *movements, strict=True), 1
    ):
        ax.plot(*y.T, color=fg.GREY, linewidth=3, alpha=0.7, label="demonstrated")
        ax.plot(*output_before.T, color=fg.RED, linewidth=0.8, label="before")
        ax.plot(*output_after.T, color=fg.BLUE, linewidth=1.1, label="after")
        ax.set(aspect="equal", xlabel="x, output 1")
        variance = ((y - y.mean(axis=0)) ** 2).sum()
        errors = [((output - y) ** 2).sum() / variance for output in (output_before, output_after)]
        texts.append(f"movement {i_movement}: nMSE {errors[0]:.2f} before, {errors[1]:.2f} after")
    axes[0].set_ylabel("y, output 2")
    fg.legend_below(plate, axes[:1])
    return plate.says(
        "The figure shows the first four movements of the test set, which are not used in the "
        "outer loop. The network draws them in Brian2 during the demonstration, before any "
        "learning, and after one weight update.",
        "; ".join(texts) + ".",
        exhibits="oneshot",
    )
