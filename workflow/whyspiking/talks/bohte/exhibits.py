"""Example data for the figures of this talk.

- `tau.<start or end>.<mem, adapt, out>_ms`: time constants of all seeds before and after training;
- `record.*`: one test record of the first seed: `voltage_mv` (time, lead), no times where it is not
  known, `events` (time, channel),
  `labels` and `choices` (time,), `spikes` (time, neuron) as simulated in Brian2, `eta` (time,
  neuron) as in the engine of training, for the neurons `eta_neurons`, `step_ms`;
- `formula.units` and `formula.ratio` (rate, units), `formula.rates`, of `spoken`: the papers'
  estimate of energy for layers of other sizes, at the measured input rate; `formula.measured`
  (units, mean rate, ratio).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant, select_task
from whyspiking.contract.types import Network, Networks, Params, Recording, Simulate, Task
from whyspiking.talks.bohte import spoken_digits, measures, network, brian_network, task

UNITS = np.unique(np.round(np.geomspace(8, 2048, 33)).astype(int))
RATES = (0.3, 0.1, 0.03, 0.01)
MAKERS = {"ecg": task.make_task, "spoken": spoken_digits.make_task}
"""Experiment that shows something -> what makes its task."""


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Arrays of one experiment; those of the record only where the battery runs too."""
    trained = of_variant(networks)
    if not trained or params.experiment not in MAKERS:
        return {}
    own = replace(params, seed=min(trained))
    test = MAKERS[params.experiment](own, "test", Streams(own.seed))
    assert test is not None
    recording = simulate(trained[own.seed], test)
    if params.experiment == "spoken":
        return _formula(own, test, recording)
    found = _time_constants(params, list(trained.values()))
    return found | _record(own, trained[own.seed], test, recording)


def _time_constants(params: Params, trained: list[Network]) -> dict[str, NDArray]:
    found = {}
    for kind in ("mem", "adapt", "out"):
        names = [k for k in trained[0].arrays if k.startswith(f"log_tau_{kind}")]
        for moment, prefix in (("start", "start_"), ("end", "")):
            logs = [one.arrays[prefix + name] for one in trained for name in names]
            found[f"tau.{moment}.{kind}_ms"] = params.step_ms * np.exp(np.concatenate(logs))
    return found


def _record(
    params: Params, trained: Network, test: Task, recording: Recording
) -> dict[str, NDArray]:
    records = task.records(params, "test", Streams(params.seed))
    assert records is not None
    labels = task.outcome(params, brian_network.outputs(params, recording), test)
    right = (labels.choices == labels.targets)[:, params.n_unscored :].mean(axis=1)
    # The record labelled about as well as the median one: neither the best nor the worst.
    shown = int(np.argsort(right)[right.size // 2])
    one = select_task(test, np.array([shown]))
    (course,) = network.courses(
        params, trained.info["cell"], trained.arrays, task.raster(params, one)
    )
    slow = np.argsort(np.asarray(trained.arrays["log_tau_adapt_0"]))
    chosen = slow[[slow.size // 10, slow.size // 2, -1 - slow.size // 10]]
    return {
        "record.step_ms": np.array(float(params.step_ms)),
        "record.voltage_mv": records.voltage_mv[shown],
        "record.events": records.events[shown],
        "record.labels": records.labels[shown],
        "record.choices": labels.choices[shown].astype(np.int8),
        "record.accuracy": np.array(right[shown]),
        "record.spikes": brian_network.raster(params, recording, 0)[shown],
        "record.eta": course.eta[0][:, chosen].astype(np.float32),
        "record.eta_tau_ms": params.step_ms * np.exp(trained.arrays["log_tau_adapt_0"][chosen]),
    }


def _formula(params: Params, test: Task, recording: Recording) -> dict[str, NDArray]:
    """The papers' estimate for layers of other sizes and rates, at the measured input rate."""
    rates = measures.rates_of(params, recording, test)
    prices, depth = measures.prices(params), len(params.n_hidden)

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
