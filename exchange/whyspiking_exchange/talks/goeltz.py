"""The network in NIR: current-based neurons that fire once (README, Eq. 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.goeltz import model
from whyspiking_exchange.nir import Clock, Graph, NotExpressible
from whyspiking_exchange.nir.first_spikes import readout as readout
from whyspiking_exchange.nir.first_spikes import step_ms as step_ms
from whyspiking_exchange.nir.graph import first_spike_graph, raster


def to_nir(params: ct.Params, variant: str, network: ct.Network, clock: Clock) -> Graph:
    """CubaLIF neurons; the bias spike is an input that reaches both layers."""
    if params.experiment == "substrates":
        raise NotExpressible(
            "goeltz.substrates: this experiment varies imperfections of the simulated chip, "
            "not of the network"
        )
    if "tau_m_hidden" in network.arrays:
        raise NotExpressible("goeltz.released_chip: each neuron has its own time constants")
    w_hidden, w_output = (np.asarray(w, float) for w in model.weights_of(network))
    n_hidden = w_hidden.shape[1]
    direct = None
    if params.bias_times:
        direct = np.vstack([np.zeros((params.n_input, w_output.shape[1])), w_output[n_hidden:]])
    return first_spike_graph(
        clock,
        w_hidden,
        w_output[:n_hidden],
        direct,
        threshold=model.threshold(params),
        tau_m_ms=params.tau_ratio * params.tau_s_ms,
        tau_s_ms=params.tau_s_ms,
    )


def stimulus(
    params: ct.Params, network: ct.Network, task: ct.Task, clock: Clock
) -> NDArray[np.uint8]:
    """Inputs and bias on steps, (trial, time, channel)."""
    times = task.stimulus.spikes["input"].first_ms()
    return raster(times, clock, clock.steps(params.trial_ms))


def reference(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> NDArray[np.int64]:
    """The same in closed form."""
    return model.evaluate(params, model.weights_of(network), task).choices
