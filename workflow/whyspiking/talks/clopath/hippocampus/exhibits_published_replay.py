"""Example data of `published_replay` for the figure that `figures.py` describes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.clopath.hippocampus import exhibits as septal

NEURON_STRIDE = 4
"""One excitatory neuron in this many is drawn: the figure resolves no more than 500 rows."""


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays of `exhibits.exhibits`, with every fourth excitatory neuron only."""
    figure_arrays = septal.exhibits(params, networks, simulate, streams)
    if not figure_arrays:
        return {}
    is_drawn = figure_arrays["sequence.neuron"] % NEURON_STRIDE == 0
    return figure_arrays | {
        "sequence.spike_ms": figure_arrays["sequence.spike_ms"][is_drawn],
        "sequence.neuron": (figure_arrays["sequence.neuron"][is_drawn] // NEURON_STRIDE).astype(
            np.int32
        ),
        "sequence.phase": figure_arrays["sequence.phase"][::NEURON_STRIDE],
    }
