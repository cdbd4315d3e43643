"""The network in Brian2, its weights as trained (README, section 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.talks.neftci import decisions, model
from whyspiking.talks.neftci.task import INPUT


def to_brian(params: ct.Params) -> bm.BrianModel:
    """The structure in Brian2; weights, biases and constants come with `bind`."""
    n_in, *hidden_groups = model.sizes(params)
    populations = model.names(params)
    groups, synapses = [], []
    for k, (source, name, n) in enumerate(
        zip([INPUT, *populations], populations, hidden_groups, strict=False), start=1
    ):
        groups += [layer(name, n), readout(k, params.n_classes)]
        synapses += [
            bm.Synapses(f"s{k}", source, name, on_pre=model.ON_SPIKE),
            bm.Synapses(f"g{k}", name, f"readout{k}", on_pre=model.READ),
        ]
    return bm.BrianModel(
        name="decolle",
        groups=groups,
        synapses=synapses,
        inputs={INPUT: n_in},
        dt_ms=params.dt_ms,
        trial_ms=params.dt_ms * params.n_frames,
        max_trials=params.max_trials,
        reset=dict.fromkeys(populations, model.START),
        record_spikes=tuple(populations),
        record_traces=readout_traces(params),
    )


def layer(name: str, n: int) -> bm.Group:
    """Neurons of one layer (Eqs. 1 to 3)."""
    return bm.Group(
        name, n, model.NEURON, threshold=model.THRESHOLD, reset=model.RESET, method="exact",
        regularly=[bm.Regularly(f"step_{name}", model.STEP, when="groups")],
    )  # fmt: skip


def readout(
    k: int, n: int, variables: str = "y : 1", extra_steps: Sequence[bm.Regularly] = ()
) -> bm.Group:
    """The fixed readout of layer k, from 1 (Eq. 4).

    Args:
        k: Number of the layer.
        n: Channels.
        variables: Those of a channel, among them `y`.
        extra_steps: What else happens in every step.
    """
    clear = bm.Regularly(f"clear_readout{k}", "y = 0", when="groups")
    return bm.Group(f"readout{k}", n, variables, regularly=[clear, *extra_steps])


def readout_traces(params: ct.Params) -> dict[str, tuple[str, str, float]]:
    """Readouts of all layers in every step, for `record_traces`."""
    layers = range(1, len(params.hidden) + 1)
    return {f"readout{k}": (f"readout{k}", "y", params.dt_ms) for k in layers}


def thresholds(b: NDArray) -> NDArray[np.float64]:
    """Thresholds in Brian2: as far from rest as the paper's threshold of 0 is from the bias.

    Bias and threshold are both larger by |b| than in Eq. 3, which changes nothing: where b is
    negative, a neuron without bias has the threshold -b. So deviations of a threshold have a unit.

    Args:
        b: Biases of Eq. 3, (post,).
    """
    return np.abs(np.asarray(b, float))


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into that structure, in base units."""
    values: dict[str, NDArray | float] = {}
    layers: dict[str, ct.Layer] = {}
    pre = INPUT
    for k, (name, w, b, g) in enumerate(
        zip(model.names(params), *model.weights_of(network), strict=True), start=1
    ):
        v_th = thresholds(b)
        values |= {f"s{k}.w": np.asarray(w, float), f"g{k}.w": np.asarray(g, float)}
        values |= {f"{name}.b": np.asarray(b, float) + v_th, f"{name}.v_th": v_th}
        for key, tau_ms in model.taus(params).items():
            values[f"{name}.{key}"] = np.full(b.size, tau_ms * 1e-3)
        layers[f"s{k}.w"] = ct.Layer(pre, name, np.asarray(w))
        layers[f"g{k}.w"] = ct.Layer(name, f"readout{k}", np.asarray(g), "readout")
        pre = name
    return ct.Binding(values, layers)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """The vote of the last layer's readout."""
    last_readout = recording.traces[f"readout{len(params.hidden)}"]
    return decisions.decide(params, task.targets, last_readout)
