"""The network of S4NN: its equations, for both engines, and its decisions (README, 1, 2 and 4).

Input (Eq. 1, `task.ticks`)   a pixel of brightness I fires once, at floor((255 - I) Tmax / 255)
Potential (Eq. 2)             V_j(t) = sum_i w_ji [t_i <= t]: no leak
Spike (Eq. 3)                 t_j = 1 + min{t : V_j(t) > theta}, the only one; Tmax if there is none
Decision (Eq. 7, `strict`)    argmax of V_o(t_o - 1) over the outputs o that fire first

`s4nn.cpp`, called by `compiled`, computes them event by event; the strings below are the same for
Brian2, where `brian_network` makes a network of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Network, Params, Task, Trials
from whyspiking.errors import UserError
from whyspiking.talks.masquelier import compiled
from whyspiking.talks.masquelier import task as tasks
from whyspiking.talks.masquelier.network import Events, Firing, Neurons, Weights

NEURON = """
v : 1
v_th : 1
fired : 1
"""
CROSSING = "v > v_th and fired == 0"
FIRE = "fired = 1"
ON_SPIKE = "v_post += w * (1 - fired_post)"
"""Eq. 2; after its spike a neuron is deaf, so its potential stays what it was at the crossing."""
START = "v = 0; fired = 0"

LAYERS = ("hidden", "output")
"""Names of the layers; the weights into one are the network's array `w_<name>`."""
SILENT_TICKS = 3
"""Ticks before the end of a trial at which silent outputs are read, as in the published code."""
CODE_ORDER = (4, 1, 0, 7, 9, 2, 3, 5, 8, 6)
"""Digits in the order of the published code's outputs, `cats`."""


def neurons(params: Params) -> Neurons:
    """The constants of the neurons."""
    return Neurons(float(params.theta), int(params.t_max))


def sizes(params: Params) -> dict[str, int]:
    """Neurons of both layers."""
    return dict(zip(LAYERS, (params.n_hidden, params.n_output), strict=True))


def as_arrays(weights: Weights) -> dict[str, NDArray]:
    """Weights of both layers by the names of a network's arrays."""
    return {f"w_{name}": w for name, w in zip(LAYERS, weights, strict=True)}


def weights_of(network: Network) -> Weights:
    """Weights of both layers in double precision, as Brian2 has them too."""
    hidden, output = (np.asarray(network.arrays[f"w_{name}"], np.float64) for name in LAYERS)
    return hidden, output


def forward(params: Params, network: Network, events: Events, *, whole: bool = True) -> Firing:
    """First spikes of both layers in the engine of training."""
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


def decide(params: Params, output: NDArray, potential: NDArray, task: Task) -> Trials:
    """Decisions by the readout rule of the experiment; silent trials decide at their end.

    Args:
        params: Parameters; `ties` is "hits" or "potential".
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
    else:
        raise UserError(
            f"Parameter 'ties' of talk '{params.talk}' is {params.ties!r}. It must be 'hits' or "
            "'potential'. Correct it in talk.yaml."
        )
    return Trials(
        targets=targets,
        choices=choices,
        decision_ms=output.min(axis=1) * float(params.tick_ms),
        n_classes=task.n_classes,
    )
