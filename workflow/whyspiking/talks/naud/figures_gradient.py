"""Figures of `xor_published`, `xor_variants` and `xor_gradient`.

Exhibits read: those of the module `exhibits_<experiment>.py` of each.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import (
    GREY,
    MARKERS,
    PALETTE,
    Plate,
    legend_below,
)
from whyspiking.talks.naud.figures_xor import LABELS, learning, lesions, of_variant, some_variant
from whyspiking.talks.naud.xor_alignment import cosine
from whyspiking.talks.naud.xor_network import PROJECTIONS

Arrays = Mapping[str, NDArray]
TIMES = {"start": "before", "middle": "halfway", "end": "after"}
ENSEMBLES = {2: "onto H1 (feedback excites)", 3: "onto H2 (feedback inhibits)", 4: "onto O"}
APART = 0.08
"""Distance of the seeds of one ensemble from those of the next, in units of the axis."""


def published(arrays: Arrays) -> Plate:
    """Margin in the tests, and the four outputs, over training at the published size."""
    return learning(arrays, "xor_published")


def variants(arrays: Arrays) -> Plate:
    """Outputs after training with each of the authors' changes."""
    return lesions(arrays, "xor_variants")


def gradient(arrays: Arrays) -> Plate:
    """Cosine of the rule's changes with the gradient of the network's own cost, by ensemble."""
    some_variant(arrays, "rule.start")
    shown = [v for v in ("spiking", "no_feedback") if of_variant(arrays, "rule.start", v)]
    plate = Plate(3.2)
    axes = plate.panels(1, len(shown), sharey=True)[0]
    words = []
    for ax, variant in zip(axes, shown, strict=True):
        for index, (post, label) in enumerate(ENSEMBLES.items()):
            found = _cosines(arrays, variant, post)
            places = np.arange(len(TIMES)) + APART * (index - 1)
            for row in found:
                ax.plot(places, row, MARKERS[index], color=PALETTE[index], markersize=4, alpha=0.7)
            ax.plot(places, found.mean(axis=0), color=PALETTE[index], label=label)
            values = ", ".join(f"{v:.2f}" for v in found.mean(axis=0))
            words.append(f"{LABELS[variant]}, {label}: {values}")
        ax.axhline(0, color=GREY, linewidth=0.8)
        ax.set_xticks(range(len(TIMES)), list(TIMES.values()))
        ax.set_title(LABELS[variant])
        ax.set_xlabel("training")
    axes[0].set_ylim(-1.05, 1.05)
    axes[0].set_ylabel("cosine of rule and\n− gradient of the cost")
    legend_below(plate, [axes[0]])
    return plate.says(
        "Changes of mean weights by examples of one pattern, against minus the gradient of the "
        "spiking network's own cost (finite differences), over four patterns. One marker per seed; "
        "1: straight downhill, -1: straight uphill, 0: no relation.",
        "Before, halfway, after. " + "; ".join(words) + ".",
        exhibits="xor_gradient",
    )


def _cosines(arrays: Arrays, variant: str, post: int) -> NDArray[np.float64]:
    """(seed, time)."""
    own = [k for k, (_, onto) in enumerate(PROJECTIONS) if onto == post]
    found = []
    for when in TIMES:
        rules = some_variant(arrays, f"rule.{when}", variant)
        slopes = some_variant(arrays, f"gradient.{when}", variant)
        found.append([cosine(rules[seed][:, own], slopes[seed][:, own]) for seed in rules])
    return np.array(found).T
