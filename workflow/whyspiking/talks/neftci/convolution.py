"""The convolutional network in Brian2 (README, section 13).

A neuron's place in its group is (row, column, map), row by row; that of an input (polarity, row,
column). Kernels are shared, so each weight stands at many synapses, which are wired by `bind`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Layer, Network, Params
from whyspiking.talks.neftci import maps, model
from whyspiking.talks.neftci.digits import decode, evaluate, features_until, make_task, train
from whyspiking.talks.neftci.maps import Maps

__all__ = [
    "bind", "decode", "evaluate", "features_until", "make_task", "to_brian", "train",
]  # fmt: skip

SQUARE = "x : 1"
"""Spikes of a square of neurons in this step; one is enough."""


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; wiring, weights, biases and constants come with `bind`."""
    sizes, groups = maps.maps_of(params), model.names(params)
    plain = model.to_brian(params)

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        made: list[Any] = []
        source = inputs["events"]
        for index, (name, n, n_read) in enumerate(
            zip(groups, neurons(sizes), sizes.read, strict=True), start=1
        ):
            layer = brian2.NeuronGroup(
                n, model.NEURON, threshold=model.THRESHOLD, reset=model.RESET, name=name,
                method="exact",
            )  # fmt: skip
            layer.run_regularly(model.STEP, when="groups", name=f"step_{name}")
            drive = brian2.Synapses(source, layer, "w : 1", on_pre=model.ON_SPIKE, name=f"s{index}")
            drive.connect(i=0, j=0)
            made += [layer, drive]
            source = layer
            if sizes.pools[index - 1] > 1:
                source = brian2.NeuronGroup(
                    n_read, SQUARE, threshold="x > 0", reset="x = 0", name=f"square{index}"
                )
                gathered = brian2.Synapses(layer, source, on_pre="x_post += 1", name=f"p{index}")
                gathered.connect(i=0, j=0)
                # The layer, then this, then the threshold of the squares: all in one step.
                gathered.pre.when, gathered.pre.order = "thresholds", 1
                source.thresholder["spike"].order = 2
                made += [source, gathered]
            made += model.readout_of(source, index, params.n_classes, "y : 1")
        return made

    squares = [f"square{k}" for k, pool in enumerate(sizes.pools, start=1) if pool > 1]
    return replace(
        plain,
        name="decolle-maps",
        definition={**plain.definition, "squares": SQUARE, "sizes": list(sizes)},
        construct=construct,
        inputs={"events": sizes.channels[0] * sizes.side**2},
        record_spikes=(*groups, *squares),
        reset={**plain.reset, **dict.fromkeys(squares, "x = 0")},
    )


def neurons(sizes: Maps) -> list[int]:
    """Neurons per layer."""
    return [side**2 * n for side, n in zip(sizes.sides, sizes.channels[1:], strict=True)]


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into that structure, in base units."""
    sizes, names = maps.maps_of(params), model.names(params)
    values: dict[str, NDArray | float] = {}
    layers: dict[str, Layer] = {}
    source = "events"
    for index, (name, w, b, g) in enumerate(
        zip(names, *model.weights_of(network), strict=True), start=1
    ):
        k, side, pool = index - 1, sizes.sides[index - 1], sizes.pools[index - 1]
        i, j, drawn = wiring(sizes.kernel, side, sizes.channels[k], sizes.channels[k + 1])
        if k == 0:
            i = input_of(i, side, sizes.channels[0])
        order = np.lexsort((j, i))
        values |= {f"s{index}.i": i[order], f"s{index}.j": j[order]}
        values[f"s{index}.w"] = np.asarray(w, float).ravel()[drawn[order]]
        each = np.tile(np.asarray(b, float), side**2)
        v_th = model.thresholds(each)
        values |= {f"{name}.b": each + v_th, f"{name}.v_th": v_th}
        values[f"g{index}.w"] = np.asarray(g, float)
        for key, tau_ms in model.taus(params).items():
            values[f"{name}.{key}"] = np.full(each.size, tau_ms * 1e-3)
        matrix = np.zeros((sizes.channels[k] * side**2, each.size))
        matrix[i, j] = np.asarray(w).ravel()[drawn]
        layers[f"s{index}.w"] = Layer(source, name, matrix)
        source = name
        if pool > 1:
            source = f"square{index}"
            at, square = gathering(side, pool, sizes.channels[k + 1])
            values |= {f"p{index}.i": at, f"p{index}.j": square}
        layers[f"g{index}.w"] = Layer(source, f"readout{index}", np.asarray(g), "readout")
    return Binding(values, layers)


def wiring(kernel: int, side: int, n_in: int, n_out: int) -> tuple[NDArray, NDArray, NDArray]:
    """Synapses of a convolution: presynaptic, postsynaptic neuron, place of the weight in w, flat.

    Args:
        kernel: Its side.
        side: Rows and columns of both.
        n_in: Maps below, places (row, column, map).
        n_out: Maps.
    """
    r = kernel // 2
    row, column, di, dj, below, above = np.indices(
        (side, side, kernel, kernel, n_in, n_out), np.int32
    ).reshape(6, -1)
    i, j = row + di - r, column + dj - r
    there = (i >= 0) & (i < side) & (j >= 0) & (j < side)
    pre = (i * side + j) * n_in + below
    post = (row * side + column) * n_out + above
    weight = ((di * kernel + dj) * n_in + below) * n_out + above
    return pre[there], post[there], weight[there]


def input_of(place: NDArray, side: int, n: int) -> NDArray:
    """Input (polarity, row, column) that is at a place (row, column, polarity)."""
    at, polarity = np.divmod(place, n)
    return polarity * side**2 + at


def gathering(side: int, pool: int, n: int) -> tuple[NDArray, NDArray]:
    """Which neuron belongs to which square; those of a rest of the side to none."""
    row, column, of = np.indices((side, side, n), np.int32).reshape(3, -1)
    whole = side // pool
    inside = (row < whole * pool) & (column < whole * pool)
    square = (row // pool * whole + column // pool) * n + of
    return np.flatnonzero(inside).astype(np.int32), square[inside]
