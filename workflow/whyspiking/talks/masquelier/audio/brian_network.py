"""The convolutional spiking network in Brian2 (README, section 12).

The step is one frame. A convolution over time is one set of synapses per tap, delayed by the tap's
number times the dilation; spikes of a frame reach the next layer at the end of it and move that
layer in the frame after, so that layer k lags k frames. The first layer reads the spectrum's frames
as analogue input through the same weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Network, Params, Recording
from whyspiking.talks.masquelier.audio.model import (
    EPSILON,
    LEAKY,
    constants,
    depth,
    lag_of,
)
from whyspiking.talks.masquelier.audio.task import INPUT

# Eqs. 9 to 11 in units of a neuron's squared weights; "back" is what spikes took, R.
NEURON = """
u : 1
drive : 1
current : 1
back : 1
leak : 1 (constant)
b : 1 (constant)
"""
UPDATE = """
u = leak * (u - back) + drive + current
current = 0
back = 0
"""
THRESHOLD = "u > b"
BAND = "x : 1"
FRAME = "x = mel(t, i)"
ANALOGUE = """
w : 1 (constant)
drive_post = w * x_pre : 1 (summed)
"""
READOUT = """
o : 1
bias : 1 (constant)
"""


def hidden(k: int) -> str:
    """Name of a layer."""
    return f"layer_{k}"


def to_brian(params: Params) -> bm.BrianModel:
    """Bands, layers and readout; weights, leaks and thresholds are values of each run."""
    n_layers, n_rows = depth(params), params.n_frames + lag_of(params)
    step_ms, n_inputs = float(params.frame_ms), params.kernel * params.n_bands
    sizes = [params.n_bands, *[params.n_channels] * n_layers, params.n_words]
    start = {hidden(k): "u = 0\ncurrent = 0\nback = 0" for k in range(n_layers)}
    frame = bm.Regularly("bands_frame", FRAME)
    return bm.BrianModel(
        name="masquelier-words-" + "-".join(str(size) for size in sizes),
        groups=[
            bm.Group("bands", n_inputs, BAND, regularly=[frame]),
            *(_layer(params, k) for k in range(n_layers)),
            bm.Group("output", params.n_words, READOUT),
        ],
        synapses=[
            bm.Synapses("s_mel", "bands", hidden(0), equations=ANALOGUE),
            *(synapses for k in range(n_layers) for synapses in _into(params, k)),
            bm.Synapses("s_out", hidden(n_layers - 1), "output", on_pre="o_post += w"),
        ],
        tables=[bm.Table(INPUT, (n_rows * params.max_trials, n_inputs), step_ms)],
        inputs={},
        dt_ms=step_ms,
        trial_ms=n_rows * step_ms,
        max_trials=params.max_trials,
        reset={**start, "output": "o = -bias"},
        record_spikes=tuple(hidden(k) for k in range(n_layers)),
        record_traces={"output": ("output", "o", step_ms)},
    )


def _layer(params: Params, k: int) -> bm.Group:
    """Neurons of layer k; they move after the sums over the analogue input, in the same slot."""
    update = bm.Regularly(f"{hidden(k)}_update", UPDATE, when="groups", order=1)
    return bm.Group(
        hidden(k), params.n_channels, NEURON, threshold=THRESHOLD, reset="", regularly=[update]
    )


def _into(params: Params, k: int) -> list[bm.Synapses]:
    """Lateral synapses of layer k, and its taps on the layer before."""
    taps = [
        bm.Synapses(
            f"s_{k}_tap_{tap}",
            hidden(k - 1),
            hidden(k),
            on_pre="current_post += w",
            delay=bm.Quantity(tap * params.dilations[k] * float(params.frame_ms), "ms"),
        )
        for tap in range(params.kernel if k else 0)
    ]
    return [bm.Synapses(f"s_back_{k}", hidden(k), hidden(k), on_pre="back_post += w"), *taps]


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure, as `network.constants` gives it."""
    arrays = {name: np.asarray(value, np.float64) for name, value in network.arrays.items()}
    leaky = LEAKY[network.info["variant"]]
    values: dict[str, NDArray | float] = {}
    layers: dict[str, Layer] = {}

    def place(key: str, w: NDArray, pre: str, post: str, kind: Any = "feedforward") -> None:
        values[f"{key}.w"] = w
        layers[f"{key}.w"] = Layer(pre, post, w, kind)

    for k in range(depth(params)):
        w, lateral, leak = constants(arrays, k, leaky, 1.0 - params.leak)
        values |= {f"{hidden(k)}.leak": float(leak), f"{hidden(k)}.b": arrays[f"b_{k}"]}
        place(f"s_back_{k}", lateral, hidden(k), hidden(k), "recurrent")
        if k == 0:
            place("s_mel", w, INPUT, hidden(0))
            continue
        for tap, part in enumerate(np.split(w, params.kernel)):
            place(f"s_{k}_tap_{tap}", part, hidden(k - 1), hidden(k))
    w_out = arrays["w_out"]
    scaled = w_out / ((w_out**2).sum(axis=0) + EPSILON) / params.n_frames
    place("s_out", scaled, hidden(depth(params) - 1), "output", "readout")
    values["output.bias"] = arrays["b_out"]
    return Binding(values, layers)


def outputs(params: Params, recording: Recording) -> NDArray[np.float64]:
    """Outputs after the last frame has come through all layers, (trial, class)."""
    return recording.traces["output"][:, params.n_frames - 1 + lag_of(params)]


def raster(params: Params, recording: Recording, k: int) -> NDArray[np.bool_]:
    """Spikes of layer k, (trial, frame, neuron), frames as in the input."""
    spikes = recording.spikes[hidden(k)]
    step = np.rint(spikes.times_ms / params.frame_ms).astype(np.int64) - k
    return spikes.raster(step, params.n_frames)
