"""The network of DECOLLE in Brian2, and how its readout decides (README, section 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Layer, Network, Params, Recording, Task, Trials

NEURON = """
v : 1
i_syn : 1
r : 1
fired : 1
b : 1
v_th : 1
tau_m : second
tau_s : second
tau_r : second
alpha : 1
beta : 1
gamma : 1
"""
# Eqs. 1 to 3, with the traces of all inputs of a neuron summed up: i_syn = sum W Q, v = sum W P.
STEP = """
v = alpha * v + (1 - alpha) * i_syn
i_syn = beta * i_syn
r = gamma * r - (1 - gamma) * fired
fired = 0
"""
THRESHOLD = "v + b + r > v_th"
RESET = "fired = 1"
ON_SPIKE = "i_syn_post += (1 - beta_post) * w"
START = """
v = 0; i_syn = 0; r = 0; fired = 0
alpha = exp(-dt / tau_m); beta = exp(-dt / tau_s); gamma = exp(-dt / tau_r)
"""


def burn_in(params: Params) -> int:
    """First step that counts."""
    return round(params.burn_in_ms / params.dt_ms)


def decays(params: Params) -> tuple[float, float, float]:
    """Decay of membrane, synaptic and refractory trace per step (alpha, beta, gamma)."""
    alpha, beta, gamma = (float(np.exp(-params.dt_ms / tau)) for tau in taus(params).values())
    return alpha, beta, gamma


def taus(params: Params) -> dict[str, float]:
    """Time constants in ms by the name that Brian2 uses."""
    return {"tau_m": params.tau_m, "tau_s": params.tau_s, "tau_r": params.tau_r}


def sizes(params: Params) -> list[int]:
    """Neurons per layer, inputs first."""
    if "n_input" in params.values:
        return [params.n_input, *params.hidden]
    side = -(-params.sensor_side // params.pool)
    return [2 * side**2, *params.hidden]


def names(params: Params) -> list[str]:
    """Populations of the hidden layers; a single one is just that."""
    if len(params.hidden) == 1:
        return ["hidden"]
    return [f"layer{index}" for index in range(1, len(params.hidden) + 1)]


def weights_of(network: Network) -> tuple[list[NDArray], list[NDArray], list[NDArray]]:
    """Weights (pre, post), biases (post,) and readouts (neuron, class) of all layers."""
    n = sum(name.startswith("w") for name in network.arrays)
    return tuple(  # type: ignore[return-value]
        [network.arrays[f"{kind}{index}"] for index in range(1, n + 1)] for kind in "wbg"
    )


def arrays_of(w: Sequence, b: Sequence, g: Sequence) -> dict[str, NDArray]:
    """Arrays of a network from weights, biases and readouts of all layers; see `weights_of`."""
    kinds = zip("wbg", (w, b, g), strict=True)
    return {f"{kind}{k}": np.asarray(x) for kind, of in kinds for k, x in enumerate(of, start=1)}


def thresholds(b: NDArray) -> NDArray[np.float64]:
    """Thresholds in Brian2: as far from rest as the paper's threshold of 0 is from the bias.

    Bias and threshold are both larger by |b| than in Eq. 3, which changes nothing: where b is
    negative, a neuron without bias has the threshold -b. So deviations of a threshold have a unit.

    Args:
        b: Biases of Eq. 3, (post,).
    """
    return np.abs(np.asarray(b, float))


def decide(params: Params, targets: NDArray, readout: NDArray) -> Trials:
    """The class that leads at the end; see `tally`.

    The decision falls at the first step from which on the leading class stays the one that wins.

    Args:
        params: `dt_ms` and `burn_in_ms`; `decision`.
        targets: Classes, (trial,).
        readout: Y of one layer, (trial, time, class), from the start of the trial.
    """
    first = burn_in(params)
    leader = tally(params, readout).argmax(axis=2)
    final = leader[:, -1]
    other = leader != final[:, None]
    last_other = np.where(other.any(axis=1), other.shape[1] - 1 - other[:, ::-1].argmax(axis=1), -1)
    return Trials(
        targets=np.asarray(targets, np.int64),
        choices=final.astype(np.int64),
        decision_ms=(first + last_other + 1) * float(params.dt_ms),
        n_classes=readout.shape[2],
    )


def decide_within(params: Params, targets: NDArray, readout: NDArray, size: int) -> Trials:
    """`decide` by one who is told the lesson: only classes taught together with the target count.

    Args:
        params: As for `decide`.
        targets: Classes, (trial,).
        readout: As for `decide`.
        size: Classes per lesson, one lesson after the other in the order of the classes.
    """
    targets = np.asarray(targets, np.int64)
    first = targets // size * size
    asked = (first[:, None] + np.arange(size))[:, None]
    found = decide(params, targets - first, np.take_along_axis(readout, asked, axis=2))
    return replace(found, targets=targets, choices=found.choices + first)


def tally(params: Params, readout: NDArray) -> NDArray:
    """What speaks for each class up to each step that counts, (trial, step, class).

    Args:
        params: `decision`: `vote`, in which every step names the class with the largest readout, or
            `sum`, in which readouts are added up.
        readout: As for `decide`.
    """
    counted = readout[:, burn_in(params) :]
    if params.decision == "sum":
        return np.cumsum(counted, axis=1)
    votes = counted.argmax(axis=2)[:, :, None] == np.arange(readout.shape[2])
    return np.cumsum(votes, axis=1)


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; weights, biases and constants come with `bind`."""
    n_in, *hidden = sizes(params)
    groups = names(params)
    n_classes = params.n_classes

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        made: list[Any] = []
        source = inputs["events"]
        for index, (name, n) in enumerate(zip(groups, hidden, strict=True), start=1):
            layer = brian2.NeuronGroup(
                n, NEURON, threshold=THRESHOLD, reset=RESET, name=name, method="exact"
            )
            layer.run_regularly(STEP, when="groups", name=f"step_{name}")
            synapses = brian2.Synapses(source, layer, "w : 1", on_pre=ON_SPIKE, name=f"s{index}")
            synapses.connect()
            made += [layer, synapses, *readout_of(layer, index, n_classes, "y : 1")]
            source = layer
        return made

    return BrianModel(
        name="decolle",
        definition={
            "equations": [NEURON, STEP, THRESHOLD, RESET, ON_SPIKE],
            "sizes": [n_in, *hidden, n_classes],
        },
        construct=construct,
        inputs={"events": n_in},
        dt_ms=params.dt_ms,
        trial_ms=params.dt_ms * params.n_frames,
        max_trials=params.max_trials,
        reset=dict.fromkeys(groups, START),
        record_spikes=tuple(groups),
        record_traces={
            f"readout{index}": (f"readout{index}", "y", params.dt_ms)
            for index in range(1, len(groups) + 1)
        },
    )


def readout_of(
    layer: Any, index: int, n: int, variables: str, known: Mapping[str, Any] | None = None
) -> tuple[Any, Any]:
    """The fixed readout of one layer (Eq. 4).

    Args:
        layer: The layer's neurons.
        index: Its number, from 1.
        n: Channels.
        variables: Those of a channel, among them `y`.
        known: What its statements may name.

    Returns:
        The group "readout<index>" and the synapses "g<index>" that lead to it.
    """
    import brian2

    readout = brian2.NeuronGroup(n, variables, name=f"readout{index}", namespace=known or {})
    readout.run_regularly("y = 0", when="groups", name=f"clear_readout{index}")
    reading = brian2.Synapses(layer, readout, "w : 1", on_pre="y_post += w", name=f"g{index}")
    reading.connect()
    return readout, reading


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into that structure, in base units."""
    values: dict[str, NDArray | float] = {}
    layers: dict[str, Layer] = {}
    pre = "events"
    for index, (name, w, b, g) in enumerate(
        zip(names(params), *weights_of(network), strict=True), start=1
    ):
        n, v_th = b.size, thresholds(b)
        values |= {f"s{index}.w": np.asarray(w, float), f"g{index}.w": np.asarray(g, float)}
        values |= {f"{name}.b": np.asarray(b, float) + v_th, f"{name}.v_th": v_th}
        for key, tau_ms in taus(params).items():
            values[f"{name}.{key}"] = np.full(n, tau_ms * 1e-3)
        layers[f"s{index}.w"] = Layer(pre, name, np.asarray(w))
        layers[f"g{index}.w"] = Layer(name, f"readout{index}", np.asarray(g), "readout")
        pre = name
    return Binding(values, layers)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The vote of the last layer's readout."""
    return decide(params, task.targets, recording.traces[f"readout{len(params.hidden)}"])
