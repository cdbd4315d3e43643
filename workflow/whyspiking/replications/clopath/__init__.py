"""Claudia Clopath: spiking networks trained with FORCE, and the hippocampus.

Implements `whyspiking.contract.Replication`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

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
    from numpy.typing import NDArray

    from whyspiking.contract import Network, Params, Recording, Results, Task
    from whyspiking.randomness import Streams

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


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """Arrays for the figures; see `examples.py`."""
    from whyspiking.replications.clopath import examples

    return examples.exhibits(params, networks, simulate, streams)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; matplotlib is imported only here."""
    from whyspiking.replications.clopath.drawing import figures as draw

    return draw(results)
