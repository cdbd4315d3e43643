"""A trained ReLU network as a network of first spikes, with the same numbers (README, section 5).

Stanojevic et al. 2024, the model whose potential rises with slope 1 at the threshold; equations as
in their model.py at 079607f, lines 302 to 325 (Eqs. 7 and 18) and 44 to 50. In steps, with T the
length of a trial:

    0 to T     a spike of input j at t_j adds J_ij to the slope of neuron i, so that
               V_i(T) = sum_j J_ij (T - t_j)
    T to 2T    V_i rises with slope 1 and fires at theta_i = T - D_i, so that what it says is
               2T - t_i = D_i + sum_j J_ij (T - t_j), or, where that is not above 0, nothing
    at 2T      the readout has b_k + sum_i w_ik (2T - t_i), summed as in the first line

A ReLU unit of ours is told t_j itself, z_i = b_i + sum_j W_ji (t_j - c) / s. So J_ij = -g W_ji / s
and D_i = g (b_i + (T - c) / s sum_j W_ji), and the spikes of the data are the input as they are.
The factor g of a network, which its readout divides by, makes the largest z_i that any input can
bring last T: no neuron fires before T, whatever the trial. In the paper that is seen to on training
data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel, Group, Quantity, Regularly, Synapses
from whyspiking.contract.randomness import Streams
from whyspiking.talks.ground import references, tasks
from whyspiking.training.reference import answering, units
from whyspiking.training.reference.units import Arrays, Recipe

TASK = "randman"
STATIC = ("input", "bias", "centre", "scale", "out", "out_bias")
"""Arrays of a static network, as `training.reference` names them."""
NEURON = """
dv/dt = (drive * int(step <= begins) + int(step > begins)) / length : 1
drive : 1
theta : 1
lag : 1
step : 1
"""
READOUT = """
dy/dt = drive / length : 1
drive : 1
bias : 1
"""


def mapped(static: Arrays, n_steps: int) -> dict[str, NDArray[np.float64]]:
    """Map a static network to a network of first spikes with the same outputs.

    Args:
        static: Its arrays, `STATIC`.
        n_steps: T.

    Returns:
        `into` J (line, neuron), `theta` (neuron,), `out` (neuron, class), `out_bias` (class,), and
        `gain` g.
    """
    static_arrays = {name: np.asarray(static[name], float) for name in STATIC}
    slopes = -static_arrays["input"] / static_arrays["scale"]
    offsets = static_arrays["bias"] - (n_steps - static_arrays["centre"]) * slopes.sum(axis=0)
    largest_input = (offsets + n_steps * np.maximum(slopes, 0).sum(axis=0)).max()
    gain = n_steps / max(largest_input, 1.0)
    return {
        "into": gain * slopes,
        "theta": n_steps - gain * offsets,
        "out": static_arrays["out"] / gain,
        "out_bias": static_arrays["out_bias"],
        "gain": np.asarray(gain),
    }


def answer(arrays: Arrays, first_steps: NDArray, n_steps: int) -> tuple[NDArray, NDArray]:
    """Compute hidden spikes and the readout's potentials at the end in closed form.

    Args:
        arrays: Of `mapped`.
        first_steps: Step of the first spike of each line, (trial, line); T where it is silent.
        n_steps: T.

    Returns:
        Steps (trial, neuron), inf where there is no spike, and potentials (trial, class).
    """
    fire_steps = n_steps + arrays["theta"] - (n_steps - first_steps.astype(float)) @ arrays["into"]
    hidden = np.maximum(2 * n_steps - fire_steps, 0)
    return np.where(hidden > 0, fire_steps, np.inf), hidden @ arrays["out"] + arrays["out_bias"]


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The trials of Randman."""
    return tasks.make_task(replace(params, experiment=TASK), split, streams)


def _compute_answer(
    params: ct.Params, network: ct.Network, task: ct.Task
) -> tuple[NDArray, NDArray]:
    raster = tasks.raster(params, task)
    return answer(network.arrays, units.first_steps(raster), raster.shape[1])


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Map the network trained without spike penalty, and compare both on test trials."""
    (parent,) = parents.values()
    static = {name: parent.arrays[f"{params.n_hidden}_0/{name}"] for name in STATIC}
    shape = references.shape(replace(params, experiment=TASK))
    network = ct.Network(mapped(static, shape.n_steps), {"engine": "numpy"})
    task = make_task(params, "test", streams)
    assert task is not None
    raster, recipe = tasks.raster(params, task), Recipe("static", params.n_hidden, rate=0.0)
    choices, _ = answering.answer(recipe, shape, static, raster)
    first_steps = units.first_steps(raster)
    fire_steps, potential = answer(network.arrays, first_steps, shape.n_steps)
    activations = np.maximum(2 * shape.n_steps - fire_steps, 0) / network.arrays["gain"]
    network.info["measures"] = {
        "decisions_differ": float((choices != potential.argmax(axis=1)).mean()),
        "hidden_difference": float(np.abs(activations - rectified(static, first_steps)).max()),
    }
    return network


def rectified(static: Arrays, first_steps: NDArray) -> NDArray[np.float64]:
    """Compute the activations of a static network, (trial, unit), in double precision.

    Args:
        static: Its arrays, `STATIC`.
        first_steps: As of `answer`.
    """
    static_arrays = {name: np.asarray(static[name], float) for name in STATIC}
    return np.maximum(
        (first_steps - static_arrays["centre"]) / static_arrays["scale"] @ static_arrays["input"]
        + static_arrays["bias"],
        0,
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Trials:
    """Run the network in closed form; it answers when both phases are over."""
    _, potential = _compute_answer(params, network, task)
    return ct.Trials.of(task, potential.argmax(axis=1), 2 * params.trial_ms)


def reference_first_ms(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """Compute when hidden neurons fire, in closed form."""
    return {"hidden": _compute_answer(params, network, task)[0] * params.dt_ms}


def to_brian(params: ct.Params) -> BrianModel:
    """The structure: slopes are constant within a step, so that Euler's steps are exact.

    A spike passes on by how much of its step it is late; it never comes again.
    """
    rest_state = "drive = 0; step = 0"
    hidden = Group(
        "hidden", params.n_hidden, NEURON, "v >= theta",
        "lag = (v - theta) * length / ms; v = -1e9", "euler",
        regularly=[Regularly("hidden_step", "step += 1", "end")],
    )  # fmt: skip
    return BrianModel(
        name=f"first-spikes-{params.n_hidden}",
        groups=[hidden, Group("readout", params.n_output, READOUT, method="euler")],
        synapses=[
            Synapses("s_in", "input", "hidden", "drive_post += w"),
            Synapses("s_out", "hidden", "readout", "drive_post += w; y_post += w * lag_pre * late"),
        ],
        inputs={"input": params.n_input},
        dt_ms=params.dt_ms,
        trial_ms=2 * params.trial_ms + params.dt_ms,
        max_trials=params.max_trials,
        constants={
            "length": Quantity(params.dt_ms, "ms"),
            "late": 1 / params.dt_ms,
            "begins": float(round(params.trial_ms / params.dt_ms)),
        },
        reset={"hidden": f"v = 0; {rest_state}", "readout": "y = bias; drive = 0"},
        record_spikes=("hidden",),
        record_traces={"readout": ("readout", "y", params.dt_ms)},
        lag_variable={"hidden": "lag"},
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a mapped network into that structure."""
    layers = {
        "s_in.w": ct.Layer("input", "hidden", network.arrays["into"]),
        "s_out.w": ct.Layer("hidden", "readout", network.arrays["out"], "readout"),
    }
    values = {key: layer.weights for key, layer in layers.items()} | {
        "hidden.theta": network.arrays["theta"],
        "readout.bias": network.arrays["out_bias"],
    }
    return ct.Binding(values, layers)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """Decide by the largest potential of the readout at the end."""
    choices = recording.traces["readout"][:, -1].argmax(axis=1)
    return ct.Trials.of(task, choices, 2 * params.trial_ms)
