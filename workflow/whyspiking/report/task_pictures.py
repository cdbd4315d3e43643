"""The shared tasks, a small picture each: what an input looks like, and what must be decided.

All is drawn by the generators that networks were trained on, with seed 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking.datasets import shared, yinyang
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.plots.figures import BLUE, GREEN, GREY, INK, RED, Plate, raster, row_of_panels

SAMPLES = {"n_train": 0, "n_validation": 0, "n_test": 200}
"""As many samples as pictures need."""
LOOKS = ((BLUE, "o"), (RED, "s"), (GREEN, "^"))
"""Colour and marker of a class."""


def picture(name: str) -> Plate:
    """What an input of a task looks like, and what must be decided; its caption is a line of words.

    Args:
        name: Of the task, of `DRAWN`.
    """
    task = shared_tasks()[name]
    values = {key: entry["value"] for key, entry in task.parameters.items()}
    own = {task.own.parameter: task.own.values[0]} if task.own else {}
    params = Params("", name, "", {**values, **own, **SAMPLES, "shared_task": name})
    plate, axes = row_of_panels(2.0, 2, width=3.3)
    for ax in axes:
        ax.tick_params(axis="y", length=0)
        ax.set(xlabel="ms", yticks=())
    axes[0].set_ylabel("inputs")
    alt = DRAWN[name](params, axes[0], axes[1])
    return plate.says(f"{task.title}. {task.says}. {task.asks}", alt, "shared.csv")


def _yinyang(params: Params, left: Axes, right: Axes) -> str:
    """A point as four spikes, and where in the plane it and its class lie."""
    drawn = shared.latencies(params, "test")
    assert drawn is not None
    chosen = int(np.argmax(drawn.classes == 2))
    raster(left, drawn.times_ms[chosen], np.arange(4)[::-1], width=1.6)
    left.set(xlim=(0, params.window_ms), ylim=(-0.6, 3.6), title="one point", ylabel="")
    left.set_yticks(range(4), ["1−y", "1−x", "y", "x"])
    for k, (colour, shape) in enumerate(LOOKS):
        own = drawn.features[drawn.classes == k]
        right.plot(own[:, 0], own[:, 1], shape, color=colour, markersize=2.4, linewidth=0)
    look = {"color": INK, "markersize": 9, "markerfacecolor": "none", "linewidth": 0}
    right.plot(*drawn.features[chosen, :2], "o", **look)
    right.set(aspect="equal", xticks=(), xlabel="x", ylabel="y", title="which region?")
    names = ", ".join(yinyang.CLASS_NAMES)
    return f"Four spikes give x and y of a point (ringed); it lies in one of: {names}."


def _randman(params: Params, left: Axes, right: Axes) -> str:
    """Two samples of a class, one in full colour, beside two of another."""
    drawn = shared.latencies(params, "test")
    assert drawn is not None
    for ax, which, (colour, _) in zip((left, right), (0, 1), LOOKS, strict=False):
        pair = np.flatnonzero(drawn.classes == which)[:2]
        for sample, alpha in zip(pair, (1.0, 0.55), strict=True):
            raster(ax, drawn.times_ms[sample], np.arange(params.n_input), width=1.4)
            ax.lines[-1].set(color=colour, alpha=alpha)
        ax.set(xlim=(0, params.window_ms), title=f"class {which + 1} of {params.n_output}, twice")
    return (
        f"{params.n_input} inputs fire once each; two samples of each of two of the "
        f"{params.n_output} classes."
    )


def _distinctness(params: Params, left: Axes, right: Axes) -> str:
    """A sample in which all fire apart, and one in which two fire together."""
    drawn = shared.latencies(params, "test")
    assert drawn is not None
    for ax, which, title in ((left, 0, "apart"), (right, 1, "together")):
        times = drawn.times_ms[np.argmax(drawn.classes == which)]
        meet = _meeting(times) if which else np.zeros(times.size, bool)
        raster(ax, times, np.arange(times.size), colours=np.where(meet, RED, INK), width=1.6)
        if which:
            ax.axvline(times[meet].mean(), color=RED, linewidth=4, alpha=0.2)
        ax.set(xlim=(0, params.window_ms), title=title)
    return f"{params.n_input} inputs fire once each: all apart, or two of them together."


def _meeting(times: NDArray) -> NDArray[np.bool_]:
    """The two spikes that are nearest to each other, (spike,)."""
    order = np.argsort(times)
    first = int(np.argmin(np.diff(times[order])))
    return np.isin(np.arange(times.size), order[first : first + 2])


def _delayed_match(params: Params, left: Axes, right: Axes) -> str:
    """A trial in which both cues are the same, and one in which they differ."""
    spikes, classes = shared.trials(params, "test", params.n_test)
    settings = shared.settings_of(params)
    for ax, which, title in ((left, 0, "same"), (right, 1, "different")):
        own = spikes.trials == int(np.argmax(classes == which))
        times, units = spikes.times_ms[own], spikes.units[own]
        second = (times >= settings.second_ms) & (times < settings.second_ms + settings.cue_ms)
        colours = np.where(second & (which == 1), RED, BLUE)
        colours = np.where(units >= 6 * settings.n_per_group, GREY, colours)
        raster(ax, times, units, colours=colours, height=2.4, width=1.1)
        for start, words in ((0.0, "cue"), (settings.second_ms, "cue"), (settings.go_ms, "go")):
            ax.axvspan(start, start + settings.cue_ms, color=GREY, alpha=0.15, linewidth=0)
            ax.text(start + settings.cue_ms / 2, spikes.n_units + 1, words, ha="center", size=7.5)
        ax.set(xlim=(0, settings.trial_ms), ylim=(-1, spikes.n_units + 6), title=title)
    return (
        f"Two cues {settings.delay_ms:g} ms apart, then a go signal, over background spikes: "
        "both cues the same, or different."
    )


DRAWN: dict[str, Callable[[Params, Axes, Axes], str]] = {
    "yinyang": _yinyang,
    "randman": _randman,
    "distinctness": _distinctness,
    "delayed_match": _delayed_match,
}
"""Task -> draws it on two panels, and says it in words for those who cannot see it."""
