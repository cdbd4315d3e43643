"""S4NN in NIR: integrators without leak that fire once (README, Eqs. 2 and 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Network, Params, Task
from whyspiking.talks.masquelier import model
from whyspiking.talks.masquelier import task as tasks
from whyspiking_exchange.nir import Clock, Graph, NotExpressible, Readout
from whyspiking_exchange.nir.graph import raster
from whyspiking_exchange.nir.layers import first_to_fire


def step_ms(params: Params) -> float:
    """One tick; words have no steps in ms of their own."""
    return float(params.tick_ms)


def to_nir(params: Params, variant: str, network: Network, clock: Clock) -> Graph:
    """IF neurons in layers."""
    if params.experiment == "words":
        raise NotExpressible(
            "masquelier.words: a convolution over time needs a NIR Delay node for every tap, and "
            "the export does not support this. The neurons themselves could be expressed (LI, "
            "Linear, Threshold)"
        )
    weights = model.weights_of(network)
    graph = Graph()
    nodes = [graph.input(params.n_input)]
    for name, w in zip(("hidden", "classes"), weights, strict=True):
        nodes += [
            graph.linear(f"to_{name}", w),
            graph.integrate_and_fire(name, w.shape[1], clock, threshold=params.theta),
        ]
    graph.connect(*nodes, graph.output(params.n_output))
    return graph


def stimulus(params: Params, network: Network, task: Task, clock: Clock) -> NDArray[np.uint8]:
    """Pixels on ticks; crossings of the last tick make no spike in S4NN."""
    times = task.stimulus.spikes["input"].first_ms()
    return raster(times, clock, params.t_max - 1)


def readout(params: Params) -> Readout:
    """The class that fires first; ties go to the lower one, as a graph shows no potentials."""
    # The outputs of S4NN lag behind the graph, which has no delay per layer.
    return Readout("first", stop=params.t_max - len(model.LAYERS))


def reference(params: Params, variant: str, network: Network, task: Task) -> NDArray[np.int64]:
    """The same rule in the engine of training; the talk's own readouts look at potentials too."""
    firing = model.forward(params, network, tasks.events_of(params, task))
    return first_to_fire(np.asarray(firing.output, np.int64), params.t_max)
