"""The convolutional network in Brian2, its weights as trained (README, section 10).

A group has one unit for every maximum. A unit has the potentials u0, u1, ... of the neurons in its
square, and the traces of its spikes. A synapse is one entry of a kernel at one position.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.talks.neftci import decisions
from whyspiking.talks.neftci.mnist_poisson import model
from whyspiking.talks.neftci.mnist_poisson.convolutions import Shape
from whyspiking.talks.neftci.mnist_poisson.task import INPUT

TRACES = "q : 1\np : 1\ns : 1\ntau_m : 1\ntau_s : 1\n"
UNIT = TRACES + "v : 1\nactivity : 1\nb : 1\n"
# Eq. 9, with time constants in steps.
TRACE_STEP = "q = (1 - 1/tau_s) * q + tau_s * s\np = (1 - 1/tau_m) * p + tau_m * q\n"
# Eqs. 10 and 11; v is the largest of the potentials.
DRIVE = "u{r}_post += w * p_pre"
RESPOND = "v = {largest}\nactivity = 1 / (1 + exp(-v))\ns = int(v > 0)\n"
# Eq. 12.
READ = "y_post += w * activity_pre"
START = "q = 0; p = 0; s = 0"


def to_brian(params: ct.Params) -> bm.BrianModel:
    """Describe the structure; weights, biases and time constants come with `bind`.

    Within a step, the input spikes of this step arrive first. Then the layers are computed one
    after the other.
    """
    names, n_pixels = model.populations(params), params.side**2
    step = _schedule("step_retina", TRACE_STEP + "s = 0", 1)
    groups = [bm.Group("retina", n_pixels, TRACES, regularly=[step])]
    input_relay = bm.Synapses(
        "seen", INPUT, "retina", on_pre="s_post = 1", equations="", connect=bm.ONE_TO_ONE
    )
    synapses = [input_relay]
    pre = "retina"
    for k, (shape, name) in enumerate(zip(model.shapes(params), names, strict=True), start=1):
        groups += [_make_units(k, shape, name), _make_readout(k, params.n_classes)]
        for r in range(shape.pool**2):
            i, j, _ = wire(shape, r)
            drive = _schedule(f"drive{k}_{r}", DRIVE.format(r=r), 10 * k + 1)
            kernels = {"i": i, "j": j}
            synapses.append(bm.Synapses(f"s{k}_{r}", pre, name, connect=kernels, regularly=[drive]))
        read = _schedule(f"read{k}", READ, 10 * k + 3)
        synapses.append(bm.Synapses(f"g{k}", name, f"readout{k}", regularly=[read]))
        pre = name
    readouts = [f"readout{k}" for k in range(1, len(names) + 1)]
    return bm.BrianModel(
        name="decolle-poisson",
        groups=groups,
        synapses=synapses,
        inputs={INPUT: n_pixels},
        dt_ms=params.dt_ms,
        trial_ms=params.simulated_steps * params.dt_ms,
        max_trials=params.n_simulated,
        reset=dict.fromkeys(["retina", *names], START),
        record_spikes=names,
        record_traces={readout: (readout, "y", params.dt_ms) for readout in readouts},
    )


def _schedule(name: str, statements: str, order: int) -> bm.Regularly:
    """Statements of every step, in the order of the layers; spikes arrive before them."""
    return bm.Regularly(name, statements, when="synapses", order=order)


def _make_units(k: int, shape: Shape, name: str) -> bm.Group:
    """Units of layer k, one for every maximum."""
    potentials = [f"u{r}" for r in range(shape.pool**2)]
    largest = functools.reduce(lambda a, b: f"clip({a}, {b}, 1e30)", potentials)
    return bm.Group(
        name, shape.n_outputs, UNIT + "".join(f"{u} : 1\n" for u in potentials),
        threshold="v > 0", reset="", slots={"threshold": ("resets", 0)},
        regularly=[
            _schedule(f"clear{k}", "\n".join(f"{u} = b" for u in potentials), 10 * k),
            # The next layer receives the traces of the same step.
            _schedule(f"respond{k}", RESPOND.format(largest=largest) + TRACE_STEP, 10 * k + 2),
        ],
    )  # fmt: skip


def _make_readout(k: int, n_classes: int) -> bm.Group:
    """The readout of layer k."""
    clear = _schedule(f"clear_readout{k}", "y = offset", 10 * k)
    return bm.Group(f"readout{k}", n_classes, "y : 1\noffset : 1", regularly=[clear])


@functools.cache
def wire(shape: Shape, r: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """List the synapses onto the r-th neuron of every square of a layer.

    Returns:
        Index of the input, index of the unit, and index of the weight in the flat array of weights,
        (synapse,), in the order of inputs.
    """
    unit = np.arange(shape.n_outputs).reshape(shape.pooled, shape.pooled, shape.outputs)
    weight = np.arange(np.prod(shape.weights)).reshape(shape.weights)
    row, column, output = np.indices(unit.shape)
    kernel = np.indices(weight.shape[:3]).reshape(3, -1, 1)
    row_offset, column_offset, channel = kernel
    y = (row * shape.pool + r // shape.pool).ravel() - shape.padding + row_offset
    x = (column * shape.pool + r % shape.pool).ravel() - shape.padding + column_offset
    is_inside = (y >= 0) & (y < shape.side) & (x >= 0) & (x < shape.side)
    pre = ((y * shape.side + x) * shape.channels + channel)[is_inside]
    post = np.broadcast_to(unit.ravel(), is_inside.shape)[is_inside]
    kernel_weight = weight.reshape(-1, shape.outputs)[:, output.ravel()][is_inside]
    synapse_order = np.lexsort((post, pre))
    i, j, index = (array[synapse_order].astype(np.int32) for array in (pre, post, kernel_weight))
    return i, j, index


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a network into the structure."""
    arrays = {name: np.asarray(array, float) for name, array in network.arrays.items()}
    values: dict[str, NDArray | float] = {}
    layers: dict[str, ct.Layer] = {}
    pre, source = "retina", INPUT
    for k, (shape, name) in enumerate(
        zip(model.shapes(params), model.populations(params), strict=True), start=1
    ):
        for tau in ("tau_m", "tau_s"):
            values[f"{pre}.{tau}"] = np.tile(arrays[f"{tau}{k}"], shape.side**2)
        values[f"{name}.b"] = np.tile(arrays[f"b{k}"], shape.pooled**2)
        for r in range(shape.pool**2):
            i, j, index = wire(shape, r)
            values[f"s{k}_{r}.w"] = arrays[f"w{k}"].ravel()[index]
            dense = np.zeros((shape.side**2 * shape.channels, shape.n_outputs), np.float32)
            dense[i, j] = values[f"s{k}_{r}.w"]
            layers[f"s{k}_{r}.w"] = ct.Layer(source, name, dense)
        readout, offset = model.deciding_readout(arrays, k)
        values |= {f"g{k}.w": readout, f"readout{k}.offset": offset}
        layers[f"g{k}.w"] = ct.Layer(name, f"readout{k}", readout, "readout")
        pre = source = name
    # Nothing reads the traces of the last layer.
    values |= {f"{pre}.{tau}": 1.0 for tau in ("tau_m", "tau_s")}
    return ct.Binding(values, layers)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """Return the vote of the last layer's readout."""
    last_readout = recording.traces[f"readout{len(params.channels)}"]
    return decisions.decide(params, task.targets, last_readout)
