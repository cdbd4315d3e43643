"""The plain networks in NIR (README, Eqs. 3 to 5 with beta = 0)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.bohte import network as networks
from whyspiking.talks.bohte import task as tasks
from whyspiking.talks.bohte.model import units
from whyspiking_exchange.nir import Clock, Graph, NotExpressible, Readout


def step_ms(params: ct.Params) -> float:
    """A step of the data."""
    return float(params.step_ms)


def to_nir(params: ct.Params, variant: str, network: ct.Network, clock: Clock) -> Graph:
    """Per layer: leaky integrators, a threshold, and synapses back (Eq. 3)."""
    if params.experiment in ("released", "published"):
        raise NotExpressible(
            f"bohte: the output neurons of experiment '{params.experiment}' adapt (Eq. 3), and NIR "
            "has no node for that"
        )
    cell = network.info.get("cell", "")
    if cell == networks.RESETTING:
        raise NotExpressible(
            f"bohte: variant '{variant}' adds its whole input and restarts at 0 within the time "
            "step (Eq. 20), while the recurrent synapses of lif and lif_fixed act in the next "
            "time step"
        )
    if cell not in networks.SPIKING:
        raise NotExpressible(f"bohte: variant '{variant}' does not spike")
    if networks.adaptation(params, cell):
        raise NotExpressible(
            f"bohte: variant '{variant}' adapts, and its reset subtracts the adapted threshold. "
            "This is a product of two states (Eq. 3), for which NIR has no node. Variants lif "
            "and lif_fixed can be exported"
        )
    arrays = {name: np.asarray(values, float) for name, values in network.arrays.items()}
    graph = Graph()
    before = graph.input(params.n_input)
    for k in range(len(units(params))):
        before = graph.recurrent(
            before,
            arrays[f"w_in_{k}"],
            arrays[f"w_rec_{k}"],
            clock,
            tau_ms=params.step_ms * np.exp(arrays[f"log_tau_mem_{k}"]),
            threshold=params.threshold,
            bias=arrays[f"bias_{k}"],
            end=f"_{k}",
        )
    graph.connect(
        before,
        graph.linear("to_classes", arrays["w_out"], arrays["b_out"]),
        graph.leaky("classes", params.step_ms * np.exp(arrays["log_tau_out"]), clock),
        graph.output(params.n_output),
    )
    return graph


def stimulus(
    params: ct.Params, network: ct.Network, task: ct.Task, clock: Clock
) -> NDArray[np.uint8]:
    """The events on the steps of the data."""
    return tasks.raster(params, task).astype(np.uint8)


def readout(params: ct.Params) -> Readout:
    """The largest output of every step."""
    return Readout("each")


def reference(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> NDArray[np.int64]:
    """The same in JAX."""
    return readout(params).decide(networks.outputs_of(params, network, task))
