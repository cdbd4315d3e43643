"""Why the networks of this talk are no NIR graphs."""

from __future__ import annotations

from whyspiking.contract import Network, Params
from whyspiking.exchange import Clock, Graph, NotExpressible


def step_ms(params: Params) -> float:
    """Any: nothing is exported."""
    return 1.0


def to_nir(params: Params, variant: str, network: Network, clock: Clock) -> Graph:
    """Always raises `NotExpressible`."""
    if params.experiment == "mnist":
        raise NotExpressible("naud.mnist: a model of rates and burst probabilities, without spikes")
    raise NotExpressible(
        "naud: cells of two compartments with a dendritic non-linearity, adapting thresholds and "
        "short-term plasticity of synapses (README), none of which is a NIR node"
    )
