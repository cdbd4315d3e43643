"""Example data for the figures of this talk.

- `record.*`, of `ecg`: one test record of the first seed: `voltage_mv` (time, lead), no times where
  it is not known, `events` (time, channel), `labels` and `choices` (time,), `accuracy`, `step_ms`;
  as simulated in Brian2, `spikes` (time, neuron) and `eta` (time, neuron), the adaptation of three
  neurons with the time constants `eta_tau_ms`;
- `formula.*`, of `spoken`: `ratio` (rate, units), the papers' estimate of energy for two layers of
  `units` neurons at `rates`, at the measured input rate; `measured` (units, mean rate, ratio).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant
from whyspiking.talks.bohte import brian_network, measures, spoken_digits, task

UNITS = np.unique(np.round(np.geomspace(8, 2048, 33)).astype(int))
RATES = (0.3, 0.1, 0.03, 0.01)
MAKERS = {"ecg": task.make_task, "spoken": spoken_digits.make_task}
"""Experiment that shows something -> what makes its task."""


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays of one experiment."""
    trained = of_variant(networks)
    if not trained or params.experiment not in MAKERS:
        return {}
    own = replace(params, seed=min(trained))
    test = MAKERS[params.experiment](own, "test", Streams(own.seed))
    assert test is not None
    recording = simulate(trained[own.seed], test)
    if params.experiment == "spoken":
        return _formula(own, test, recording)
    return _record(own, trained[own.seed], test, recording)


def _record(
    params: ct.Params, trained: ct.Network, test: ct.Task, recording: ct.Recording
) -> dict[str, NDArray]:
    records = task.records(params, "test", Streams(params.seed))
    assert records is not None
    labels = task.outcome(params, brian_network.outputs(params, recording), test)
    right = (labels.choices == labels.targets)[:, params.n_unscored :].mean(axis=1)
    # The record labelled about as well as the median one: neither the best nor the worst.
    shown = int(np.argsort(right)[right.size // 2])
    spikes = brian_network.raster(params, recording, 0)[shown]
    taus = np.exp(np.asarray(trained.arrays["log_tau_adapt_0"], float))
    slow = np.argsort(taus)
    chosen = slow[[slow.size // 10, slow.size // 2, -1 - slow.size // 10]]
    eta = adaptation(spikes[:, chosen], np.exp(-1 / taus[chosen]), float(params.threshold))
    return {
        "record.step_ms": np.array(float(params.step_ms)),
        "record.voltage_mv": records.voltage_mv[shown],
        "record.events": records.events[shown],
        "record.labels": records.labels[shown],
        "record.choices": labels.choices[shown].astype(np.int8),
        "record.accuracy": np.array(right[shown]),
        "record.spikes": spikes,
        "record.eta": eta.astype(np.float32),
        "record.eta_tau_ms": params.step_ms * taus[chosen],
    }


def adaptation(spikes: NDArray, rho: NDArray, start: float) -> NDArray[np.float64]:
    """What spikes (time, neuron) make of the adaptation (README, Eq. 1), (time, neuron).

    Args:
        spikes: 0 or 1.
        rho: Decay per step, (neuron,).
        start: Before the first step.
    """
    found = np.empty(spikes.shape)
    found[0] = rho * start
    for t in range(1, len(spikes)):
        found[t] = rho * found[t - 1] + (1 - rho) * spikes[t - 1]
    return found


def _formula(params: ct.Params, test: ct.Task, recording: ct.Recording) -> dict[str, NDArray]:
    rates, prices = measures.rates_of(params, recording, test), measures.prices(params)
    depth = len(params.n_hidden)

    def ratio(n: int, at: float) -> float:
        sizes = [params.n_input, *[n] * depth, params.n_output]
        return measures.formula_ratio(sizes, [rates[0], *[at] * depth], prices)

    own = measures.formula_ratio(measures.sizes_of(params), rates, prices)
    return {
        "formula.units": UNITS,
        "formula.rates": np.array(RATES),
        "formula.ratio": np.array([[ratio(int(n), at) for n in UNITS] for at in RATES]),
        "formula.measured": np.array([params.n_hidden[0], np.mean(rates[1:]), own]),
    }
