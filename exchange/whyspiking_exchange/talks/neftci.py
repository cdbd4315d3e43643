"""The network in NIR (README, Eqs. 1 to 3): filters, synapses and thresholds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.neftci import decisions, model, shared
from whyspiking.talks.neftci import task as tasks
from whyspiking_exchange.nir import Clock, Graph, NotExpressible, Readout

REFUSED = {
    "mismatch": "its networks learn while they run, and NIR cannot express learning. They start "
    "from the network of experiment nmnist, which can be exported",
    "regression": "every layer has its own readout, which is filtered for the score only. The "
    "neurons are those of experiment nmnist",
    "mnist_poisson": "a unit takes the maximum of the potentials of several neurons, and NIR has "
    "no node for it",
}
"""Experiment -> why its networks cannot be written."""


def step_ms(params: ct.Params) -> float:
    """A frame of the data."""
    return float(params.dt_ms)


def to_nir(params: ct.Params, variant: str, network: ct.Network, clock: Clock) -> Graph:
    """Per layer: synapses, two filters, a threshold, and a filter of its own spikes.

    Filters and synapses commute, so the filters come after the synapses: one per neuron. A filter
    of the reference passes on what it held before a spike, so every layer lags a step behind the
    one below; the graph has no delays. There layers start one after the other instead, the last
    one first: each has an input channel of its own for its bias, 1 from its start on.
    """
    if "w1" not in network.arrays:
        raise NotExpressible(f"neftci: variant '{variant}' does not spike")
    if params.experiment in REFUSED:
        raise NotExpressible(f"neftci.{params.experiment}: {REFUSED[params.experiment]}")
    params = shared.own(params)
    graph = Graph()
    n_layers, n_in = len(params.hidden), model.sizes(params)[0]
    before = events = graph.input(n_in + n_layers)
    taus = [float(tau) for tau in model.taus(params).values()]
    for k, (w, b, g) in enumerate(zip(*model.weights_of(network), strict=True)):
        n = b.size
        tau_m, tau_s, tau_r = (np.full(n, tau) for tau in taus)
        bias = np.zeros((n_in + n_layers, n))
        bias[n_in + k] = b
        if k == 0:
            w = np.vstack([w, np.zeros((n_layers, n))])
        fire = graph.threshold(f"spikes{k}", np.zeros(n))
        graph.connect(
            before,
            graph.linear(f"synapses{k}", w),
            graph.leaky(f"current{k}", tau_s, clock),
            graph.leaky(f"membrane{k}", tau_m, clock),
            fire,
            graph.linear(f"taken{k}", -np.eye(n)),
            graph.leaky(f"refractory{k}", tau_r, clock),
            fire,
        )
        graph.connect(events, graph.linear(f"bias{k}", bias), fire)
        before = fire
        if k == n_layers - 1:
            graph.connect(fire, graph.linear("classes", g), graph.output(g.shape[1]))
    return graph


def stimulus(
    params: ct.Params, network: ct.Network, task: ct.Task, clock: Clock
) -> NDArray[np.uint8]:
    """Frames, as many steps late as there are layers, and when each layer starts."""
    params = shared.own(params)
    n_layers, n_in = len(params.hidden), model.sizes(params)[0]
    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT]).transpose(1, 0, 2)
    found = np.zeros((len(frames), params.n_frames, n_in + n_layers), np.uint8)
    found[:, n_layers:, :n_in] = frames[:, : params.n_frames - n_layers]
    for k in range(n_layers):
        found[:, n_layers - 1 - k :, n_in + k] = 1
    return found


def readout(params: ct.Params) -> Readout:
    """What speaks for each class over the steps after the burn-in, by the last readout."""
    params = shared.own(params)
    return Readout(params.decision, model.burn_in(params))


def reference(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> NDArray[np.int64]:
    """The same in JAX."""
    from whyspiking.talks.neftci import training

    params = shared.own(params)
    frames = tasks.frames_of(params, task.stimulus.spikes[tasks.INPUT])
    read = training.read(params, network, frames)[-1]
    return decisions.decide(params, task.targets, read).choices
