"""The network: decisions by both readout rules, and the same network in Brian2 (README, 4, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel, Replay
from whyspiking.contract.types import Binding, Layer, Network, Params, Recording, Task, Trials
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled
from whyspiking.talks.masquelier import task as tasks
from whyspiking.talks.masquelier.network import Events, Firing, Neurons, Weights, of_layers

SILENT_TICKS = 3
"""Ticks before the end of a trial at which silent outputs are read, as in the published code."""
CODE_ORDER = (4, 1, 0, 7, 9, 2, 3, 5, 8, 6)
"""Digits in the order of the published code's outputs, `cats`; the lowest of them wins its ties."""


def neurons(params: Params) -> Neurons:
    """The constants of the neurons."""
    return Neurons(float(params.theta), int(params.t_max))


def sizes(params: Params) -> dict[str, int]:
    """Neurons of all layers, first to last: hidden, hidden_2 and so on, output."""
    hidden = (params.n_hidden, *params.more_hidden)
    return dict(zip(layers(1 + len(hidden)), (*hidden, params.n_output), strict=True))


def layers(number: int) -> list[str]:
    """Names of so many layers; the weights into one are the network's array `w_<name>`."""
    return ["hidden", *(f"hidden_{k}" for k in range(2, number)), "output"]


def as_arrays(weights: Weights) -> dict[str, NDArray]:
    """Weights of all layers by the names of a network's arrays."""
    return {f"w_{name}": w for name, w in zip(layers(len(weights)), weights, strict=True)}


def weights_of(network: Network) -> Weights:
    """All layers in double precision, as Brian2 has them too."""
    names = layers(len(network.arrays))
    return tuple(np.asarray(network.arrays[f"w_{name}"], np.float64) for name in names)


def first_ticks(firing: Firing, weights: Weights) -> dict[str, NDArray[np.int32]]:
    """First spikes of every layer by its name, (image, neuron)."""
    found = (*of_layers(firing.hidden, weights), firing.output)
    return dict(zip(layers(len(weights)), found, strict=True))


def forward(params: Params, network: Network, events: Events, *, whole: bool = True) -> Firing:
    """First spikes of all layers in the engine of training."""
    return compiled.forward(events, weights_of(network), neurons(params), whole=whole)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Trials:
    """Decisions in the engine of training."""
    firing = forward(params, network, tasks.events_of(params, task), whole=False)
    return decide(params, firing.output, firing.potential, task)


def strict(output: NDArray, potential: NDArray) -> NDArray[np.int64]:
    """Classes by the first output spike; ties and silence by the largest potential (README, Eq. 7).

    Args:
        output: First spikes in ticks, Tmax where silent; (trial, class).
        potential: Potentials as in `network.Firing`, (trial, class).
    """
    # In a silent trial all outputs share the time Tmax, so the same line decides it.
    tied = output == output.min(axis=1, keepdims=True)
    return np.where(tied, potential, -np.inf).argmax(axis=1)


def published(
    output: NDArray, potential: NDArray, targets: NDArray, t_max: int
) -> NDArray[np.int64]:
    """Choices that score as the published code does: a tie with the true class counts as a hit.

    Args:
        output: First spikes in ticks, Tmax where silent; (trial, class).
        potential: As for `strict`, which decides where the true class is not among the first, and
            silent trials.
        targets: True classes, (trial,).
        t_max: Length of a trial in ticks.
    """
    first = output.min(axis=1)
    hit = (output[np.arange(len(output)), targets] == first) & (first < t_max)
    return np.where(hit, targets, strict(output, potential))


def lowest(output: NDArray, potential: NDArray, t_max: int) -> NDArray[np.int64]:
    """Classes by the first output spike; ties go to the lowest output in the order of the code.

    Args:
        output: First spikes in ticks, Tmax where silent; (trial, class), ten classes.
        potential: As for `strict`, which decides silent trials.
        t_max: Length of a trial in ticks.
    """
    order = np.array(CODE_ORDER)
    first = order[output[:, order].argmin(axis=1)]
    return np.where(output.min(axis=1) < t_max, first, strict(output, potential))


def decide(params: Params, output: NDArray, potential: NDArray, task: Task) -> Trials:
    """Decisions by the readout rule of the experiment; silent trials decide at their end.

    Args:
        params: Parameters; `ties` is "hits", "potential" or "lowest".
        output: First spikes in ticks, Tmax where silent; (trial, class).
        potential: Potentials as in `network.Firing`, (trial, class).
        task: The trials.

    Raises:
        UserError: If there is no such rule.
    """
    targets = np.asarray(task.targets, np.int64)
    if params.ties == "potential":
        choices = strict(output, potential)
    elif params.ties == "hits":
        choices = published(output, potential, targets, params.t_max)
    elif params.ties == "lowest":
        choices = lowest(output, potential, params.t_max)
    else:
        raise UserError(
            f"talk '{params.talk}': parameter 'ties' is {params.ties!r}; expected hits, potential "
            "or lowest"
        )
    return Trials(
        targets=targets,
        choices=choices,
        decision_ms=output.min(axis=1) * float(params.tick_ms),
        n_classes=task.n_classes,
    )


# ---- the same network in Brian2 -------------------------------------------------------------

NEURON = """
v : 1
v_th : 1
fired : 1
"""
"""No leak: the potential is a sum, and nothing is integrated between spikes."""
CROSSING = "v > v_th and fired == 0"
FIRE = "fired = 1"
ON_SPIKE = "v_post += w * (1 - fired_post)"
"""After its spike a neuron is deaf, so its potential stays what it was at the crossing."""
START = "v = 0; fired = 0"


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; thresholds and weights are values of each run.

    Thresholds are compared before the spikes of a step arrive, so that a crossing caused at tick t
    is a spike at t + 1: Eq. 3. One caused at the last tick is wiped by the start of the next trial.
    """
    of_layer = sizes(params)
    *hidden, output = of_layer
    last, all_sizes = hidden[-1], [params.n_input, *of_layer.values()]

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        def group(name: str) -> Any:
            made = brian2.NeuronGroup(
                of_layer[name], NEURON, threshold=CROSSING, reset=FIRE, name=name
            )
            made.v_th = params.theta
            return made

        def synapses(pre: Any, post: Any, name: str) -> Any:
            made = brian2.Synapses(pre, post, "w : 1", on_pre=ON_SPIKE, name=name)
            made.connect()
            return made

        groups = [group(name) for name in of_layer]
        before = [inputs["input"], *groups[:-1]]
        return [
            *groups,
            *(
                synapses(pre, post, f"s_{name}")
                for pre, post, name in zip(before, groups, of_layer, strict=True)
            ),
            synapses(inputs[f"{last}_replay"], groups[-1], "s_replay"),
        ]

    tick_ms = float(params.tick_ms)
    return BrianModel(
        name="masquelier-" + "-".join(str(size) for size in all_sizes),
        definition={
            "equations": [NEURON, CROSSING, FIRE, ON_SPIKE],
            "sizes": all_sizes,
            "theta": params.theta,
        },
        construct=construct,
        inputs={"input": params.n_input, f"{last}_replay": of_layer[last]},
        dt_ms=tick_ms,
        trial_ms=params.t_max * tick_ms,
        max_trials=params.max_trials,
        reset=dict.fromkeys(of_layer, START),
        record_spikes=tuple(of_layer),
        record_traces={"potential": (output, "v", tick_ms)},
        replay={last: Replay(f"{last}_replay", {f"{last}.v_th": 1e9})},
        schedule=("start", "groups", "thresholds", "resets", "synapses", "end"),
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the Brian2 model, and name its layers for counting."""
    weights = weights_of(network)
    names = layers(len(weights))
    values: dict[str, NDArray | float] = {"s_replay.w": weights[-1]}
    counted: dict[str, Layer] = {}
    for before, name, w in zip(["input", *names], names, weights, strict=False):
        values |= {f"s_{name}.w": w, f"{name}.v_th": np.full(w.shape[1], float(params.theta))}
        kind = "readout" if name == names[-1] else "feedforward"
        counted[f"s_{name}.w"] = Layer(before, name, w, kind)
    return Binding(values, counted)


def read(params: Params, recording: Recording) -> Firing:
    """First spikes and deciding potentials out of a Brian2 recording."""

    def in_ticks(population: str) -> NDArray[np.int32]:
        first = recording.spikes[population].first_ms() / params.tick_ms
        return np.where(np.isfinite(first), np.rint(first), params.t_max).astype(np.int32)

    *hidden, output = (in_ticks(name) for name in sizes(params))
    # A neuron that has fired keeps the potential of its crossing to the end.
    traces = recording.traces["potential"]
    silent, fired = traces[:, -SILENT_TICKS, :], traces[:, -1, :]
    return Firing(np.hstack(hidden), output, np.where(output < params.t_max, fired, silent))


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """Decisions of a Brian2 recording by the readout rule of the experiment."""
    firing = read(params, recording)
    return decide(params, firing.output, firing.potential, task)
