"""The tasks, a small picture each: what an input looks like, and what must be decided.

All is drawn by the generators that networks were trained on, with seed 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params
from whyspiking.datasets import recall, shared, two_ears, yinyang
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.plots.figures import BLUE, GREEN, GREY, INK, RED, Plate, raster, row_of_panels

SAMPLES = {"n_train": 0, "n_validation": 0, "n_test": 200}
"""As many samples as pictures need."""
LOOKS = ((BLUE, "o"), (RED, "s"), (GREEN, "^"))
"""Colour and marker of a class."""


def picture(name: str) -> Plate:
    """What an input of a task looks like, and what must be decided; its caption is a line of words.

    Args:
        name: Of the task, of `DRAWN` or `STREAMS`.
    """
    plate, axes = row_of_panels(1.6, 2, width=2.4)
    for ax in axes:
        ax.tick_params(axis="y", length=0)
        ax.set(xlabel="ms", yticks=())
    axes[0].set_ylabel("inputs")
    if name in STREAMS:
        draw, titles, says = STREAMS[name]
        spikes, classes, per_group = draw(np.random.default_rng(0))
        alt = _streams(spikes, classes, per_group, axes, titles)
        return plate.says(says, alt, "frontiers.csv")
    task = shared_tasks()[name]
    values = {key: entry["value"] for key, entry in task.parameters.items()}
    params = Params("", name, "", {**values, **SAMPLES, "shared_task": name})
    alt = DRAWN[name](params, axes[0], axes[1])
    return plate.says(f"{task.title}. {task.description}. {task.question}", alt, "shared.csv")


def _streams(
    spikes: Spikes, classes: NDArray, per_group: int, axes: NDArray, titles: tuple[str, str]
) -> str:
    """A trial of the lowest class and one of the highest; the class's inputs are in colour."""
    for ax, which, title in zip(axes, (classes.min(), classes.max()), titles, strict=True):
        own = spikes.select_trials(np.flatnonzero(classes == which)[:1])
        group, last = own.units // per_group, spikes.n_units // per_group
        # Two groups are two ears, which both tell.
        told = group == (which if last > 2 else 0)
        colours = np.where(told, RED, np.where(group < recall.GROUPS * (last > 2), GREY, BLUE))
        raster(ax, own.times_ms, spikes.n_units - 1 - own.units, colours=colours)
        ax.set(xlim=(0, spikes.duration_ms), title=title)
    return f"Spikes of {spikes.n_units} inputs in two trials: {' and '.join(titles)}."


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
    right.set(aspect="equal", xticks=(), xlabel="x", ylabel="y", title="where?")
    names = ", ".join(yinyang.CLASS_NAMES)
    return f"Four spikes give x and y of a point (ringed); it lies in one of: {names}."


def _randman(params: Params, left: Axes, right: Axes) -> str:
    """Two samples of a class, one of shorter lines, beside two of another."""
    drawn = shared.latencies(params, "test")
    assert drawn is not None
    for ax, which, (colour, _) in zip((left, right), (0, 1), LOOKS, strict=False):
        pair = np.flatnonzero(drawn.classes == which)[:2]
        for sample, height in zip(pair, (1.0, 0.45), strict=True):
            look = {"colours": colour, "height": height, "width": 1.4}
            raster(ax, drawn.times_ms[sample], np.arange(params.n_input), **look)
        ax.set(xlim=(0, params.window_ms), title=f"class {which + 1}, twice")
    return (
        f"{params.n_input} inputs fire once each; two samples of each of two of the "
        f"{params.n_output} classes."
    )


DRAWN: dict[str, Callable[[Params, Axes, Axes], str]] = {
    "yinyang": _yinyang,
    "randman": _randman,
}
"""Task -> draws it on two panels, and says it in words for those who cannot see it."""


def _of_recall(settings: recall.Settings) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: (*recall.generate(rng, 20, settings), settings.per_group)


STREAMS: dict[str, tuple[Callable[..., tuple[Any, ...]], tuple[str, str], str]] = {
    "span_recall": (
        _of_recall(recall.SPAN),
        ("cue 1", "cue 4"),
        "Span recall. Which of a stream of cues (red) came together with a marker (blue), up to "
        "440 ms before the go signal (blue, at the end)?",
    ),
    "volley_recall": (
        _of_recall(recall.VOLLEY),
        ("group 1", "group 4"),
        "Volley recall. Which of four groups (red) once fired within 10 ms, up to 280 ms before "
        "the go signal (blue)?",
    ),
    "sound": (
        lambda rng: (*two_ears.generate(rng, 40), two_ears.PER_EAR),
        ("far left", "far right"),
        "Sound localisation. From which of twelve directions does a sound come, told by the phase "
        "between the left ear (red) and the right one (blue)?",
    ),
}
"""Task of the ground -> draws trials, titles of two of them, and what it asks."""
