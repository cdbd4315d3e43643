"""The network in NIR: an alpha synapse is a current-based neuron with equal time constants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Network, Params, Task
from whyspiking.talks.comsa import model
from whyspiking_exchange.nir import Clock, Graph, NotExpressible
from whyspiking_exchange.nir.first_spikes import readout as readout
from whyspiking_exchange.nir.first_spikes import step_ms as step_ms
from whyspiking_exchange.nir.graph import first_spike_graph, raster
from whyspiking_exchange.nir.layers import first_to_fire


def to_nir(params: Params, variant: str, network: Network, clock: Clock) -> Graph:
    """CubaLIF neurons; the pulses of both layers are further inputs."""
    if params.experiment == "boolean":
        raise NotExpressible(
            "comsa.boolean: one file contains all networks of all gates. Export the networks "
            "of the MNIST experiments instead"
        )
    w_hidden, w_output = (
        np.asarray(network.arrays[name], float) for name in ("w_hidden", "w_output")
    )
    n_hidden, n_out = w_hidden.shape[1], w_output.shape[1]
    n_pulses = len(w_output) - n_hidden
    return first_spike_graph(
        clock,
        np.vstack([w_hidden, np.zeros((n_pulses, n_hidden))]),
        w_output[:n_hidden],
        np.vstack([np.zeros((len(w_hidden), n_out)), w_output[n_hidden:]]),
        threshold=model.threshold(params),
        tau_m_ms=model.tau_ms(params),
        tau_s_ms=model.tau_ms(params),
    )


def stimulus(params: Params, network: Network, task: Task, clock: Clock) -> NDArray[np.uint8]:
    """Inputs, then the pulses for the hidden layer, then those for the outputs."""
    times = task.stimulus.spikes["input"].first_ms()
    pulses = [np.asarray(network.arrays[name], float) * params.unit_ms for name in model.PULSES]
    for at in pulses:
        times = model.with_pulses(times, at)
    return raster(times, clock, clock.steps(params.trial_ms))


def reference(params: Params, variant: str, network: Network, task: Task) -> NDArray[np.int64]:
    """The same in closed form, up to the end of the trial."""
    output = model.first_spikes(params, network.arrays, model.times_of(params, task))[1]
    return first_to_fire(output, params.trial_ms / params.unit_ms)
