"""Franz Scherr: e-prop, learning in recurrent spiking networks forwards in time.

Implements `whyspiking.contract.Replication`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from whyspiking.contract import Results

from whyspiking.optional import conditions, vary
from whyspiking.replications.scherr.exhibits import exhibits
from whyspiking.replications.scherr.stages import (
    bind,
    decode,
    evaluate,
    make_task,
    measures,
    to_brian,
    train,
)

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
    from whyspiking.replications.scherr.drawing import figures as draw

    return draw(results)
