"""What built networks are made of, in steps: neurons that spike, and leaky units that do not.

A neuron of membrane potential v keeps a = exp(-dt / tau) of it in a step,

    u_t = a v_(t-1),   s_t = 1 if u_t >= theta else 0,   v_t = (1 - s_t) u_t + W x_t + R s_t   (1)

with input spikes x of the step. A leaky unit sends what it has beyond its threshold,

    u_t = a u_(t-1) + W x_t,   r_t = max(u_t - theta, 0)                                       (2)

Two populations, `gate` and `memory`: input reaches both, gates reach themselves and memories. Eq. 1
is what Brian2 computes in its own order (decay, thresholds, resets, synapses).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel, Group, Quantity, Synapses
from whyspiking.contract.counts import Counts
from whyspiking.tasks.parameters import SharedTaskParameters

WEIGHTS: Mapping[str, tuple[str, str, Literal["feedforward", "recurrent"]]] = {
    "gate": ("input", "gate", "feedforward"),
    "again": ("gate", "gate", "recurrent"),
    "keep": ("gate", "memory", "feedforward"),
    "ask": ("input", "memory", "feedforward"),
}
"""Array of weights (pre, post) -> from where to where, and what kind of synapse."""
type Arrays = Mapping[str, NDArray]
type Answer = tuple[NDArray, dict[str, float]]
"""What every class has at the end, (trial, class), and what that took, as in `counts`."""

NEURON = """
dv/dt = -v / tau : 1
tau : second
v_th : 1
start : 1
"""


def brian_model(params: SharedTaskParameters, n_gates: int, n_memories: int) -> BrianModel:
    """The structure in Brian2; all numbers come with `bind`."""
    sizes = {"gate": n_gates, "memory": n_memories}
    groups = [
        Group(
            name=name,
            size=size,
            equations=NEURON,
            threshold="v >= v_th",
            reset="v = 0",
            method="exact",
            start={"tau": Quantity(1, "ms")},
        )
        for name, size in sizes.items()
    ]
    return BrianModel(
        name=f"ground-{params.experiment.replace('_', '-')}",
        groups=groups,
        synapses=[
            Synapses(f"s_{name}", pre, post, on_pre="v_post += w")
            for name, (pre, post, _) in WEIGHTS.items()
        ],
        inputs={"input": params.n_input},
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
        reset={name: "v = start" for name in sizes},
        record_spikes=tuple(sizes),
        record_traces={"memory": ("memory", "v", params.dt_ms)},
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def bind(params: ct.ExperimentParameters, network: ct.Network) -> ct.Binding:
    """Place a network into that structure; synapses that it has none of are not counted."""
    arrays, values, layers = network.arrays, {}, {}
    for name, (pre, post, kind) in WEIGHTS.items():
        values[f"s_{name}.w"] = weights = np.asarray(arrays[name], float)
        if weights.any():
            layers[f"s_{name}.w"] = ct.Layer(pre, post, weights, kind)
    for name in ("gate", "memory"):
        values[f"{name}.tau"] = float(arrays[f"tau_{name}"]) * 1e-3
        values[f"{name}.v_th"] = float(arrays[f"theta_{name}"])
        values[f"{name}.start"] = np.asarray(arrays[f"start_{name}"], float)
    return ct.Binding(values, layers)


def network(n_inputs: int, n_gates: int, n_memories: int, **given: NDArray | float) -> ct.Network:
    """A network of Eq. 1 of the given arrays; weights that are not given are 0."""
    sizes = {"input": n_inputs, "gate": n_gates, "memory": n_memories}
    arrays = {name: np.zeros((sizes[pre], sizes[post])) for name, (pre, post, _) in WEIGHTS.items()}
    # No threshold that is not given is ever reached.
    numbers = {f"{what}_{name}": 1e9 for what in ("tau", "theta") for name in ("gate", "memory")}
    starts = {f"start_{name}": np.zeros(sizes[name]) for name in ("gate", "memory")}
    return ct.Network(
        {
            name: np.asarray(value, float)
            for name, value in (arrays | numbers | starts | given).items()
        },
        {"engine": "numpy"},
    )


def run(arrays: Arrays, x: NDArray, dt_ms: float) -> tuple[dict[str, NDArray], NDArray]:
    """Eq. 1: spikes of both populations, (trial, step, neuron), and memories' last potential.

    Args:
        arrays: Of `network`.
        x: Input spikes, (trial, step, input).
        dt_ms: Step in ms.
    """
    names = ("gate", "memory")
    keep = {name: np.exp(-dt_ms / arrays[f"tau_{name}"]) for name in names}
    v = {name: np.tile(arrays[f"start_{name}"], (len(x), 1)) for name in names}
    sent = {name: np.zeros((*x.shape[:2], v[name].shape[1])) for name in names}
    for step in range(x.shape[1]):
        spikes = {"input": x[:, step]}
        for name in names:
            u = keep[name] * v[name]
            spikes[name] = sent[name][:, step] = u >= arrays[f"theta_{name}"]
            v[name] = np.where(spikes[name], 0.0, u)
        for name, (pre, post, _) in WEIGHTS.items():
            v[post] = v[post] + spikes[pre] @ arrays[name]
    return sent, v["memory"]


def leaky(keep: float, theta: float, drive: NDArray) -> NDArray[np.float64]:
    """Eq. 2: what leaky units send in every step, (trial, step, unit).

    Args:
        keep: a, what is left after a step.
        theta: Threshold.
        drive: W x, (trial, step, unit).
    """
    u, sent = np.zeros_like(drive[:, 0]), np.zeros_like(drive)
    for step in range(drive.shape[1]):
        u = keep * u + drive[:, step]
        sent[:, step] = np.maximum(u - theta, 0)
    return sent


def counts(
    x: NDArray,
    weights: NDArray,
    sent: NDArray,
    n_units: int,
    *,
    multiplications: float = 1.0,
    unceasing: bool = False,
) -> dict[str, float]:
    """What a network of numbers takes in a trial, by name of the glossary.

    Counted as reference networks are (`contract.counts`). Units send to one unit each; one is
    updated by events where a message reaches it or it sends one. What is stored: weights that are
    not 0, and of every unit its time constant and threshold.

    Args:
        x: Input spikes, (trial, step, input).
        weights: Of the input, (input, unit).
        sent: What units send to each other, (trial, step, unit).
        n_units: Those that hear inputs, and those that these send to.
        multiplications: Of an update.
        unceasing: Whether states move without input, so that every step is an update.
    """
    met = weights != 0
    messages = float((sent != 0).sum()) / len(sent)
    clocked = float(n_units * x.shape[1])
    active = (x @ met.astype(x.dtype) > 0) | (sent != 0)
    told = messages if n_units > met.shape[1] else 0.0
    events = clocked if unceasing else float(active.sum()) / len(x) + told
    made = Counts(
        acs=float(x.sum(axis=(0, 1)) @ met.sum(axis=1)) / len(x),
        macs=messages,
        updates_event_driven=events,
        updates_clock_driven=clocked,
        multiplications_event_driven=multiplications * events,
        multiplications_clock_driven=multiplications * clocked,
        binary_messages=float(x.sum()) / len(x),
        graded_messages=messages,
    )
    stored = float(met.sum() + sent.any(axis=(0, 1)).sum() + 2 * n_units)
    return {**made.means(), "n_parameters": stored, "n_messages": messages}
