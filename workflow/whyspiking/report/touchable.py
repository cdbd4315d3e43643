"""Networks that a reader can touch: one leaky neuron, and the shipped first-spike network.

What stands on the page without JavaScript, in print and at first is drawn here; `touchable.js`
computes the same anew for what the reader moves. Times are in ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets import distinctness, yinyang
from whyspiking.records import columns, tables
from whyspiking.records.reference import FOLDER
from whyspiking.records.whole_files import read_json
from whyspiking.report import shipped_first_spikes as shipped
from whyspiking.report.html import Html, macros, value
from whyspiking.report.rasters import Panel, raster
from whyspiking.report.talk_page import existing

NEURON = "discussion/neuron.json"
"""Of the record: weights, time constant and threshold of one neuron that learned."""
POINT = (0.36, 0.62)
"""Where the point lies at first."""
ARMS = {
    "neuron": "one leaky neuron, trained",
    "graded": "the same unit without a spike; its largest potential decides",
    "gated": "GRUs, trained",
    "sorted_times": "ReLU units, trained; they receive the sorted spike times",
    "pairs": "ReLU units, hand-designed, three for each pair of inputs",
    "relu": "ReLU units, one layer, trained",
}
"""Variant of the experiment that counts units -> words."""


def one_neuron(record: Path = FOLDER) -> Html:
    """Ten input spikes to drag, and the neuron that fires when two coincide.

    Args:
        record: The recorded tables; nothing is shown where they do not have the neuron.
    """
    if not (record / NEURON).is_file():
        return Html("")
    cell = read_json(record / NEURON, "w", "tau_ms", "theta")
    task = distinctness.Settings(len(cell["w"]))
    # A trial of class 1, whose spikes are numbered in the order of time.
    trials, classes = distinctness.draw(task, 10, np.random.default_rng(0))
    times = np.sort(trials[classes == 1][0])
    t_ms, v = potential(cell, times, task.trial_ms)
    pair = int(np.argmin(np.diff(times)))
    data = cell | {"end_ms": task.trial_ms, "window_ms": task.window_ms, "gap_ms": task.gap_ms}
    return Html(
        macros("touchable").one_neuron(
            json.dumps(data),
            data,
            times.tolist(),
            {
                "curve": list(zip(t_ms.tolist(), v.tolist(), strict=True)),
                "at": float(t_ms[v >= cell["theta"]][0]),
                "pair": pair,
                "apart": float(times[pair + 1] - times[pair]),
            },
            units(record, task.n),
        )
    )


def potential(
    cell: Mapping[str, Any], times: NDArray, end: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and membrane potential of a leaky neuron, jumps included.

    V(t) is the sum of w_i exp(-(t - t_i) / tau) over the spikes so far (discussion, Eq. 4).

    Args:
        cell: w (input,) and tau_ms.
        times: Of the spikes, (input,).
        end: Of the trial.
    """
    t_ms = np.sort(np.concatenate([np.linspace(0, end, 241), times, times - 1e-9]))
    elapsed = t_ms[:, None] - times
    decay = np.where(elapsed >= 0, np.exp(-np.maximum(elapsed, 0) / cell["tau_ms"]), 0)
    return t_ms, decay @ np.asarray(cell["w"])


def units(record: Path, n: int) -> list[tuple[str, float, float]]:
    """List what can compute the neuron's function: its label, most units, highest accuracy."""
    metrics = tables.read(existing(record / "discussion/metrics.csv"), columns.METRICS)
    scores = tables.where(metrics, experiment="units", perturbation=f"n {n}", metric="accuracy")
    rows = []
    for variant, label in ARMS.items():
        means = tables.where(scores, variant=variant).groupby("strength")["value"].mean()
        rows.append((label, float(means.index.max()), float(means.max())))
    return rows


def yin_yang(record: Path = FOLDER) -> Html:
    """A point to move, the spikes of the shipped network, and its decision.

    Args:
        record: The recorded tables; nothing is shown where they do not have the network.
    """
    if not (record / f"{shipped.NETWORK}.nir").is_file():
        return Html("")
    network = shipped.read(record)
    inputs, hidden, output = (layer[0] for layer in shipped.response(network, np.array([POINT])))
    # The output that fires first decides.
    choice, decision_ms = int(np.argmin(output)), float(output.min())
    panels = [
        Panel("input", [[t] for t in inputs], ("x", "y", "1−x", "1−y", "bias")),
        Panel(f"{len(hidden)} hidden neurons", [[t] for t in hidden]),
        Panel("output: the first to fire decides", [[t] for t in output], network["classes"]),
    ]
    index = tables.read(existing(record / "networks.csv"), columns.NETWORKS)
    row = tables.where(index, file=f"{shipped.NETWORK}.nir").iloc[0]
    outcome = {
        "choice": choice,
        "at": decision_ms,
        "right": yinyang.classify(*POINT),
        "before": int((hidden < decision_ms).sum()),
        "score": float(row["score"]),
        "n_trials": int(row["n_trials"]),
    }
    return Html(
        macros("touchable").yin_yang(
            json.dumps(network),
            network,
            POINT,
            outcome,
            shipped.decisions(network, record),
            raster(
                panels,
                (0.0, network["end_ms"]),
                decision_ms,
                (2, choice),
                f"{network['classes'][choice]}, {value(decision_ms, 'ms')}",
            ),
        )
    )
