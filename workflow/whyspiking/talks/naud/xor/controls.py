"""Non-spiking counterparts of the XOR network: two inputs, two hidden units, one output.

`burstprop` has the algebra of the burst rule without spikes (Eq. 18), `backprop` its gradient
(Eq. 19). One unit stands for one ensemble; equation numbers are those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.xor.task import PATTERNS, TARGETS
from whyspiking.training.history import History

RULES = ("burstprop", "backprop")
ENGINE = "numpy"
FEEDBACK = np.array([1.0, -1.0])
"""Signs of the feedback onto H1 and H2, as in the spiking network."""
P_REST = 0.2
"""Burst probability without error; only differences from it count."""


def sigmoid(x: NDArray | float) -> NDArray:
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + np.exp(-np.asarray(x)))


def forward(arrays: Mapping[str, NDArray], features: NDArray) -> tuple[NDArray, NDArray]:
    """Activity of the hidden units (trial, 2) and of the output (trial,)."""
    hidden = sigmoid(features @ arrays["to_hidden"] + arrays["hidden_bias"])
    return hidden, sigmoid(hidden @ arrays["to_output"] + arrays["output_bias"])


def credit(
    rule: str, arrays: Mapping[str, NDArray], hidden: NDArray, output: float, target: float
) -> tuple[NDArray, float]:
    """What post-synaptic activity is multiplied with: hidden (2,) and output (Eqs. 18 and 19).

    Args:
        rule: `burstprop`: burst probability minus its mean, times activity; `backprop`: minus the
            derivative of the squared error by the unit's drive.
        arrays: Weights.
        hidden: Activity of the hidden units, (2,).
        output: Activity of the output.
        target: 0 or 1.
    """
    change = (target - output) * (1 - output)
    if rule == "backprop":
        error = change * output
        return error * arrays["to_output"] * hidden * (1 - hidden), error
    # The dendrite of a hidden unit hears bursts, event rate times burst probability.
    bursts = output * (np.clip(P_REST + change, 0, 1) - P_REST)
    at_rest = np.log(P_REST / (1 - P_REST))
    probability = sigmoid(at_rest + FEEDBACK * bursts * (1 - hidden) / (P_REST * (1 - P_REST)))
    return (probability - P_REST) * hidden, bursts


def train(params: ct.Params, variant: str, streams: Streams) -> ct.Network:
    """Learn the four patterns one after the other, in the spiking network's order."""
    rng = streams.rng("control-init")
    arrays: dict[str, NDArray] = {
        "to_hidden": rng.uniform(-1, 1, (2, 2)),
        "hidden_bias": rng.uniform(-1, 1, 2),
        "to_output": rng.uniform(-1, 1, 2),
        "output_bias": np.array(rng.uniform(-1, 1)),
    }
    features = np.array(PATTERNS, float)
    history = History()
    for epoch in range(1, params.control_epochs + 1):
        for x, target in zip(features, TARGETS, strict=True):
            hidden, output = forward(arrays, x)
            to_hidden, to_output = credit(variant, arrays, hidden, float(output), float(target))
            rate = params.control_rate
            arrays["to_output"] = arrays["to_output"] + rate * to_output * hidden
            arrays["output_bias"] = arrays["output_bias"] + rate * to_output
            arrays["to_hidden"] = arrays["to_hidden"] + rate * np.outer(x, to_hidden)
            arrays["hidden_bias"] = arrays["hidden_bias"] + rate * to_hidden
        if epoch % max(1, params.control_epochs // 40) == 0:
            loss = float(((forward(arrays, features)[1] - TARGETS) ** 2).mean())
            history.note(epoch, squared_error=loss)
    active = float((features @ np.ones((2, 2))).sum(axis=1).mean()) + 2
    counts = {
        "macs_effective": active,
        "macs_dense": 6.0,
        "neuron_updates": 3.0,
        "synapses": 6.0,
        "footprint": 4.0 * 9,
    }
    info = {"engine": ENGINE, "epochs": int(params.control_epochs), "counts": counts}
    info["weights"] = ["to_hidden", "to_output"]
    return ct.Network(arrays=arrays, info=info, history=history.rows)


def evaluate(network: ct.Network, task: ct.Task) -> ct.Trials:
    """Decisions by the threshold 1/2; a control sees its input at once."""
    assert task.features is not None
    _, output = forward(network.arrays, np.asarray(task.features))
    return ct.Trials.of(task, output > 0.5, 0.0)
