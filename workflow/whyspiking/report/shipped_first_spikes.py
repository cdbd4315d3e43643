"""The shipped first-spike network on Yin-Yang, read from its files, and what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets import yinyang
from whyspiking.declared import registry
from whyspiking.records.array_files import load_arrays
from whyspiking.records.whole_files import read_json
from whyspiking.report.talk_page import existing

NETWORK = "networks/goeltz-yinyang"
"""Of the record: the network (.nir), what it is (.json), test trials with its decisions (.npz)."""


def read(record: Path) -> dict[str, Any]:
    """The network, and how points become its input.

    Returns:
        hidden (hidden, input) and output (class, hidden + input): weights; threshold; tau_ms, of
        membranes and synapses alike; early_ms, late_ms: spikes of the values 0 and 1; bias_ms;
        end_ms; classes: their names; radii of the picture's large and small circles.

    Raises:
        UserError: If a file is missing.
        ValueError: If membranes and synapses differ, for which the page has no closed form.
    """
    told = read_json(existing(record / f"{NETWORK}.json"), "talk", "experiment")
    experiment = registry.load_talk(told["talk"]).experiments[told["experiment"]]
    values = experiment.published
    if values["tau_ratio"] != 1:
        raise ValueError("the page solves equal time constants only")
    with h5py.File(existing(record / f"{NETWORK}.nir")) as file:
        w_hidden, w_output, direct = (
            np.asarray(file[f"node/nodes/{name}/weight"], float)
            for name in ("to_hidden", "to_classes", "direct")
        )
        threshold = float(np.asarray(file["node/nodes/classes/v_threshold"])[0])
    return {
        "hidden": w_hidden.tolist(),
        "output": np.hstack([w_output, direct]).tolist(),
        "threshold": threshold,
        "tau_ms": values["tau_s_ms"],
        "early_ms": values["t_early"] * values["tau_s_ms"],
        "late_ms": values["t_late"] * values["tau_s_ms"],
        "bias_ms": [t * values["tau_s_ms"] for t in values["bias_times"]],
        "end_ms": values["trial_ms"],
        "classes": yinyang.CLASS_NAMES,
        "radii": [yinyang.R_BIG, yinyang.R_SMALL],
    }


def response(network: dict[str, Any], points: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """First spikes in ms of inputs with bias, hidden neurons and outputs, inf where silent.

    Args:
        network: From `read`.
        points: (point, 2) in the unit square.

    Returns:
        (point, input), (point, hidden), (point, class).
    """
    # Here, for this one picture imports JAX: half a second of every page of a run.
    from whyspiking.training.first_spike.closed_form import first_spikes

    points, tau = np.asarray(points, float), network["tau_ms"]
    early, late = network["early_ms"], network["late_ms"]
    times = early + np.hstack([points, 1 - points]) * (late - early)
    inputs = np.hstack([times, np.tile(network["bias_ms"], (len(points), 1))])

    def fire(received: NDArray, weights: list[list[float]]) -> NDArray[np.float64]:
        c = network["threshold"]
        return np.asarray(first_spikes(received / tau, np.array(weights).T, c, 1)[0], float) * tau

    hidden = fire(inputs, network["hidden"])
    # What comes in reaches the outputs too: the bias does.
    return inputs, hidden, fire(np.hstack([hidden, inputs]), network["output"])


def decisions(network: dict[str, Any], record: Path) -> list[NDArray[np.float64]]:
    """Test points that came with the network, by the class that it decided for, (point, 2)."""
    samples = load_arrays(existing(record / f"{NETWORK}.npz"))
    early, late = network["early_ms"], network["late_ms"]
    # Half a step later is the middle of the step in which a spike lies.
    values = ((samples["steps"] + 0.5) * samples["step_ms"] - early) / (late - early)
    points = np.full((len(samples["choices"]), 2), np.nan)
    for channel in range(2):
        of = samples["channels"] == channel
        points[samples["trials"][of], channel] = values[of]
    return [points[samples["choices"] == k] for k in range(len(network["classes"]))]
