"""The talk's figures; what each reads is said where it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.plots.figures import Plate
from whyspiking.talks.clopath.force.figures import OUTPUTS, force
from whyspiking.talks.clopath.hippocampus.figures import reverse_replay, theta_sequence
from whyspiking.talks.clopath.hippocampus.figures_oneshot import one_shot
from whyspiking.talks.clopath.hippocampus.figures_rasters import cyclic
from whyspiking.talks.clopath.hippocampus.figures_sharp_waves import sharp_waves

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

__all__ = ["cyclic", "figures", "force", "theta_sequence"]


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """The talk's figures by name, in the order of the story."""
    return {
        "theta sequence": lambda: theta_sequence(results.exhibit("shot_published")),
        "reverse replay": lambda: reverse_replay(results.exhibit("reversion"), results.metrics),
        "one-shot memory": lambda: one_shot(results.exhibit("oneshot"), results.metrics),
        "sharp waves": lambda: sharp_waves(results.exhibit("sharp_waves"), results.metrics),
        "force": lambda: force({name: results.exhibit(name) for name in OUTPUTS}),
    }
