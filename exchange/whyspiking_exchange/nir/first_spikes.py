"""How networks are read whose first output spike decides: what talks with such neurons share."""

from __future__ import annotations

from whyspiking.contract.types import Params
from whyspiking_exchange.nir.layers import Readout


def step_ms(params: Params) -> float:
    """A quarter of Brian2's step: graphs do not interpolate thresholds within a step."""
    return float(params.dt_ms) / 4


def readout(params: Params) -> Readout:
    """The class that fires first decides."""
    return Readout("first")
