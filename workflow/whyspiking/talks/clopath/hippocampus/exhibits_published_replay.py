"""Example data of `published_replay` for the figure that `figures.py` describes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.clopath.hippocampus import exhibits as septal

EVERY = 4
"""Of as many excitatory neurons one is drawn: 500 rows are as many as the figure resolves."""


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays of `exhibits.exhibits`, with every fourth excitatory neuron only."""
    found = septal.exhibits(params, networks, simulate, streams)
    if not found:
        return {}
    drawn = found["sequence.neuron"] % EVERY == 0
    return found | {
        "sequence.spike_ms": found["sequence.spike_ms"][drawn],
        "sequence.neuron": (found["sequence.neuron"][drawn] // EVERY).astype(np.int32),
        "sequence.phase": found["sequence.phase"][::EVERY],
    }
