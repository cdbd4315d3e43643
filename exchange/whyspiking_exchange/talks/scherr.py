"""Networks of pattern generation in NIR (README, Eqs. 1, 3 and 5 without adaptation)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.scherr import kernel, model, pattern, trials
from whyspiking_exchange.nir import Clock, Graph, NotExpressible, Readout


def step_ms(params: ct.Params) -> float:
    """Step of the kernel."""
    return float(params.dt_ms)


def to_nir(params: ct.Params, variant: str, network: ct.Network, clock: Clock) -> Graph:
    """Leaky integrators, a threshold, and synapses back, which also take what a spike costs."""
    if params.experiment == "oneshot":
        raise NotExpressible(
            f"scherr.{params.experiment}: its networks learn while they run, and NIR cannot "
            "express learning"
        )
    if "refractory_ms" in params.values:
        raise NotExpressible(
            f"scherr.{params.experiment}: neurons are refractory for {params.refractory_ms:g} ms "
            "and half of them adapt; NIR has no refractory time"
        )
    if params.refractory:
        raise NotExpressible("scherr: neurons are refractory, and NIR has no refractory time")
    w = np.asarray(network.arrays["w"], float)
    n_in, n = params.n_in, params.n_rec
    tau_ms, tau_out = np.full(n, float(params.tau_m)), float(params.tau_out)
    graph = Graph()
    fire = graph.recurrent(
        graph.input(n_in), w[:n_in], w[n_in:], clock, tau_ms=tau_ms, threshold=params.v_th
    )
    w_out = np.asarray(network.arrays["w_out"], float)
    graph.connect(
        fire,
        graph.linear("readout", w_out),
        graph.leaky("drawn", np.full(w_out.shape[1], tau_out), clock),
        graph.output(w_out.shape[1]),
    )
    return graph


def stimulus(
    params: ct.Params, network: ct.Network, task: ct.Task, clock: Clock
) -> NDArray[np.uint8]:
    """The frozen raster, one step later: in Eq. 1 a spike acts in the next step."""
    made = trials.from_spikes(task.stimulus.spikes["input"], params.dt_ms)
    raster = trials.to_raster(made, np.uint8)
    later = np.zeros_like(raster)
    later[:, 1:] = raster[:, :-1]
    return later


def readout(params: ct.Params) -> Readout:
    """Nothing is decided: the drawn pattern, (trial, time)."""
    return Readout("potential")


def reference(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> NDArray[np.float64]:
    """The same by the kernel."""
    made = trials.from_spikes(task.stimulus.spikes["input"], params.dt_ms)
    weights = model.Weights(network.arrays["w"], network.arrays["w_out"])
    return np.asarray(kernel.forward(pattern.cell(params), weights, made).outputs)[:, :, 0]
