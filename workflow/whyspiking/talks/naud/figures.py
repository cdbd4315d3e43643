"""Signature figures of the talk, in the order of its story; one module per group of experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.plots.figures import Plate
from whyspiking.talks.naud import figures_code, figures_learning, figures_xor

if TYPE_CHECKING:
    from whyspiking.contract.types import Results

PARTS = (figures_xor, figures_code, figures_learning)
"""Modules with a function `figures(results)`, in the order of the story."""


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """All figures by name."""
    return {name: draw for part in PARTS for name, draw in part.figures(results).items()}
