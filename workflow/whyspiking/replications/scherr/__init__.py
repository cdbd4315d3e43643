"""Franz Scherr: e-prop, learning in recurrent spiking networks forwards in time.

Implements `whyspiking.contract.Replication`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from whyspiking.contract import Condition, Network, Params, Recording, Results, Task
    from whyspiking.randomness import Streams

from whyspiking.optional import conditions, vary
from whyspiking.replications.scherr.stages import (
    bind,
    decode,
    evaluate,
    make_task,
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


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """The error of patterns; nothing beyond the common metrics for decisions."""
    from whyspiking.replications.scherr import measures_patterns

    return measures_patterns.measures(params, condition, recording, task)


def exhibits(
    params: Params,
    networks: Mapping[tuple[str, int], Network],
    simulate: Callable[[Network, Task], Recording],
    streams: Streams,
) -> dict[str, NDArray]:
    """Arrays for the figures; see `examples.py`."""
    from whyspiking.replications.scherr import examples

    return examples.exhibits(params, networks, simulate, streams)


def figures(results: Results) -> Mapping[str, Callable[[], Figure]]:
    """Signature figures of the talk; matplotlib is imported only here."""
    from whyspiking.replications.scherr.drawing import figures as draw

    return draw(results)
