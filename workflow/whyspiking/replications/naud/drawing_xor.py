"""Figures of the experiment `xor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.figures import Plate

if TYPE_CHECKING:
    from whyspiking.contract import Results


def figures(results: Results) -> Mapping[str, Callable[[], Plate]]:
    """Figures by name."""
    return {}
