"""How networks are read whose first output spike decides: what talks with such neurons share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Params
from whyspiking_exchange.nir.graph import Clock, first_step, first_to_fire
from whyspiking_exchange.nir.layers import Readout


def step_ms(params: Params) -> float:
    """A quarter of Brian2's step: graphs do not interpolate thresholds within a step."""
    return float(params.dt_ms) / 4


def choices(params: Params, outputs: NDArray, clock: Clock) -> NDArray[np.int64]:
    """The class that fires first."""
    return first_to_fire(first_step(outputs), outputs.shape[1])


def readout(params: Params) -> Readout:
    """What `choices` does."""
    return Readout("first")
