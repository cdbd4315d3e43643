"""Why the networks of this talk are no NIR graphs."""

from __future__ import annotations

from whyspiking.contract import Network, Params
from whyspiking.exchange import Clock, Graph, NotExpressible


def step_ms(params: Params) -> float:
    """Any: nothing is exported."""
    return 1.0


def to_nir(params: Params, variant: str, network: Network, clock: Clock) -> Graph:
    """Always raises `NotExpressible`."""
    raise NotExpressible(
        "clopath: Izhikevich neurons have a quadratic membrane and an adaptation current (README, "
        "Eqs. 1 and 2; SHOT: Eqs. 15 to 20), and NIR has linear membranes only"
    )
