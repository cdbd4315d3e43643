"""Spiking reference networks as Brian2 runs them, step by step as `units` does.

Spikes of step t reach their targets at the end of Brian2's step t and move them in the step after
it: neurons lag one step behind the input, the readout two. Until then a neuron must rest: it begins
where its bias takes it to 0 in that step. A reset takes one threshold from the step after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel, Group, Quantity, Regularly, Synapses
from whyspiking.contract.types import Binding, Layer, Recording
from whyspiking.training.reference.units import READOUT_TAU_MS, Arrays, Recipe, Shape

LAG = 2
"""Steps of the readout behind the input."""
NEURON = """
dv/dt = (bias - v) / tau : 1
tau : second
bias : 1
arrived : 1
"""
READOUT = """
dy/dt = -y / tau_readout : 1
answer = y + bias : 1
bias : 1
arrived : 1
step : 1
"""
SYNAPSES = {
    "s_in": ("input", "hidden"),
    "s_rec": ("hidden", "hidden"),
    "s_out": ("hidden", "readout"),
}


def to_brian(recipe: Recipe, shape: Shape, max_trials: int) -> BrianModel:
    """Build the structure; weights, biases and time constants come with `bind`."""
    clear_arrived = "arrived = 0"
    hidden = Group(
        "hidden", recipe.n, NEURON, "v > 1", "v -= exp(dt / tau)", "exact",
        start={"tau": Quantity(1, "second")},
        regularly=[Regularly("hidden_arrive", f"v += arrived; {clear_arrived}", "after_groups")],
    )  # fmt: skip
    readout_update = f"y = y * int(step != asked) + arrived; step += 1; {clear_arrived}"
    readout = Group(
        "readout", shape.n_classes, READOUT, method="exact",
        regularly=[Regularly("readout_arrive", readout_update, "after_groups")],
    )  # fmt: skip
    return BrianModel(
        name=f"reference-{shape.n_lines}-{recipe.n}-{shape.n_classes}",
        groups=[hidden, readout],
        synapses=[
            Synapses(name, source, target, on_pre="arrived_post += w")
            for name, (source, target) in SYNAPSES.items()
            if recipe.recurrent or name != "s_rec"
        ],
        inputs={"input": shape.n_lines},
        dt_ms=shape.step_ms,
        trial_ms=(shape.n_steps + LAG) * shape.step_ms,
        max_trials=max_trials,
        constants={
            "tau_readout": Quantity(READOUT_TAU_MS, "ms"),
            "asked": float(shape.n_steps - shape.answer_steps + LAG),
        },
        reset={
            "hidden": f"v = bias * (1 - exp(dt / tau)); {clear_arrived}",
            "readout": f"y = 0; step = 0; {clear_arrived}",
        },
        record_spikes=("hidden",),
        record_traces={"readout": ("readout", "answer", shape.step_ms)},
    )


def bind(n_units: int, arrays: Arrays) -> Binding:
    """Place a trained network into that structure, in base units.

    Args:
        n_units: Units of the structure; those that the network lacks are silent.
        arrays: Of the network.
    """
    n_missing = n_units - len(arrays["bias"])
    log_tau = np.broadcast_to(np.asarray(arrays["log_tau"], float), len(arrays["bias"]))

    def pad_units(values: Any, *axes: int) -> NDArray[np.float64]:
        values = np.asarray(values, float)
        return np.pad(values, [(0, n_missing * (axis in axes)) for axis in range(values.ndim)])

    layers = {
        "s_in.w": Layer("input", "hidden", pad_units(arrays["input"], 1)),
        "s_out.w": Layer("hidden", "readout", pad_units(arrays["out"], 0), "readout"),
    }
    if "state" in arrays:
        layers["s_rec.w"] = Layer("hidden", "hidden", pad_units(arrays["state"], 0, 1), "recurrent")
    values = {key: layer.weights for key, layer in layers.items()} | {
        "hidden.bias": pad_units(arrays["bias"], 0),
        "hidden.tau": 1e-3 * np.exp(pad_units(log_tau, 0)),
        "readout.bias": np.asarray(arrays["out_bias"], float),
    }
    return Binding(values, layers)


def decide(shape: Shape, recording: Recording) -> NDArray[np.int64]:
    """Class with the largest mean of the readout in the answer, (trial,)."""
    answer_start = shape.n_steps - shape.answer_steps + LAG
    return (
        recording.traces["readout"][:, answer_start : shape.n_steps + LAG]
        .mean(axis=1)
        .argmax(axis=1)
    )
