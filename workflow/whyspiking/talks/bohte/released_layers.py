"""Networks that the authors released: their files, and their layers in Brian2 (README, section 10).

A network is read from a file in a folder of the user's. Its arrays end in the number of the layer,
the output's last: `w_in_k` (pre, post), `w_rec_k` where a layer is recurrent, `bias_k`, and time
constants in steps, `tau_mem_k` and `tau_adapt_k`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.datasets import released
from whyspiking.talks.bohte import brian_network, model
from whyspiking.training import gradient


class Layer(NamedTuple):
    """One layer of a released network.

    Attributes:
        into: What the authors call the weights into it.
        within: Those within it; None where it is not recurrent.
        tau_mem: Its membranes' time constants; None where the file holds none: parameter `tau_mem`.
        tau_adapt: Its adaptations' time constants.
        synapses: What Brian2 calls the weights into it.
        adapts: Whether the threshold rises with the adaptation.
    """

    into: str
    within: str | None
    tau_mem: str | None
    tau_adapt: str
    synapses: str
    adapts: bool = True


class Released(NamedTuple):
    """A released network.

    Attributes:
        file: Its file.
        layers: Hidden ones, and the output.
    """

    file: released.File
    layers: tuple[Layer, ...]


def network(params: ct.Params, released_network: Released, n_input: int) -> ct.Network:
    """Read a network; nothing is trained.

    Args:
        params: Sizes, `originals_dir`.
        released_network: Which network.
        n_input: Channels that the authors' network has.

    Raises:
        Unavailable: If the user does not have its file.
        UserError: If the file is not the released one, or does not fit the parameters.
    """
    stored = released_network.file.stored(params.originals_dir)
    info = {"engine": gradient.ENGINE, "provenance": "original"}
    return ct.Network(parse(stored, params, released_network, n_input), info)


def parse(
    stored: released.Stored, params: ct.Params, released_network: Released, n_input: int
) -> dict[str, NDArray]:
    """Convert the arrays of the authors' model, which PyTorch has named, to those of a network.

    Args:
        stored: Arrays of its file.
        params: Sizes.
        released_network: Which network.
        n_input: Channels that the authors' network has.

    Raises:
        UserError: If an array is missing or has another shape.
    """
    array = stored.take
    arrays: dict[str, NDArray] = {}
    sizes = [n_input, *params.n_hidden, params.n_output]
    for k, layer in enumerate(released_network.layers):
        m, n = sizes[k], sizes[k + 1]
        arrays[f"w_in_{k}"] = array(f"{layer.into}.weight", n, m).T.copy()
        arrays[f"bias_{k}"] = array(f"{layer.into}.bias", n)
        if layer.within is not None:
            arrays[f"w_rec_{k}"] = array(f"{layer.within}.weight", n, n).T.copy()
            arrays[f"bias_{k}"] = arrays[f"bias_{k}"] + array(f"{layer.within}.bias", n)
        arrays[f"tau_mem_{k}"] = (
            np.full(n, float(params.tau_mem)) if layer.tau_mem is None else array(layer.tau_mem, n)
        )
        arrays[f"tau_adapt_{k}"] = array(layer.tau_adapt, n)
    return arrays


def groups(released_network: Released) -> list[str]:
    """List the names of the layers in Brian2, the output last."""
    return [*(model.hidden(k) for k in range(len(released_network.layers) - 1)), "output"]


def to_brian(params: ct.Params, released_network: Released) -> bm.BrianModel:
    """The structure; weights, biases and time constants are values of each run."""
    names, sizes = groups(released_network), [params.n_input, *params.n_hidden, params.n_output]
    connections = []
    for k, (layer, source) in enumerate(
        zip(released_network.layers, ["input", *names], strict=False)
    ):
        connections.append(brian_network.synapses(source, names[k], layer.synapses))
        if layer.within is not None:
            connections.append(brian_network.synapses(names[k], names[k], f"s_rec_{k}"))
    step_ms = float(params.step_ms)
    return bm.BrianModel(
        name="bohte-released-" + "-".join(str(size) for size in sizes),
        groups=[brian_network.neurons(sizes[k + 1], n, k + 1) for k, n in enumerate(names)],
        synapses=connections,
        inputs={"input": params.n_input},
        dt_ms=step_ms,
        trial_ms=(params.n_steps + len(names)) * step_ms,
        max_trials=params.max_trials,
        reset={name: model.start_of(k + 1) for k, name in enumerate(names)},
        record_spikes=tuple(names),
    )


def bind(params: ct.Params, network: ct.Network, released_network: Released) -> ct.Binding:
    """Place a network into the structure; time constants in seconds."""
    arrays, seconds = network.arrays, params.step_ms / 1000
    values: dict[str, NDArray | float] = {}
    layers: dict[str, ct.Layer] = {}
    source = "input"
    for k, (layer, group) in enumerate(
        zip(released_network.layers, groups(released_network), strict=True)
    ):
        values |= {
            f"{group}.rest": float(params.threshold),
            f"{group}.beta": float(params.adaptation) if layer.adapts else 0.0,
            f"{group}.kept": 1.0,
            f"{group}.tau_mem": seconds * arrays[f"tau_mem_{k}"],
            f"{group}.tau_adapt": seconds * arrays[f"tau_adapt_{k}"],
            f"{group}.bias": arrays[f"bias_{k}"],
        }
        kind = "readout" if group == "output" else "feedforward"
        layers[f"{layer.synapses}.w"] = ct.Layer(source, group, arrays[f"w_in_{k}"], kind)
        if layer.within is not None:
            layers[f"s_rec_{k}.w"] = ct.Layer(group, group, arrays[f"w_rec_{k}"], "recurrent")
        source = group
    return ct.Binding({**values, **{key: layer.weights for key, layer in layers.items()}}, layers)
