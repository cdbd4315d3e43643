"""Claudia Clopath: spiking networks trained with FORCE, and the hippocampus.

Implements `whyspiking.contract.Replication`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from whyspiking.replications.clopath.exhibits import exhibits
from whyspiking.replications.clopath.stages import (
    bind,
    conditions,
    decode,
    evaluate,
    make_task,
    measures,
    to_brian,
    train,
    vary,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from whyspiking.contract import Results

__all__ = [
    "bind",
    "conditions",
    "decode",
    "evaluate",
    "exhibits",
    "figures",
    "make_task",
    "measures",
    "to_brian",
    "train",
    "vary",
]


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; matplotlib is imported only here."""
    from whyspiking.replications.clopath.drawing import figures as draw

    return draw(results)
