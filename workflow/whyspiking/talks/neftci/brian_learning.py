"""Layers that go on learning inside Brian2 (Eq. 7): what devices and time series share.

What happens in a step: traces and potentials (slot "groups"), spikes, readouts; at its end errors
of the readouts, learning signals, the change of biases, the change of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whyspiking.contract import brian_model as bm
from whyspiking.contract import types as ct
from whyspiking.talks.neftci import brian_network, model

TRACES = """
q : 1
p : 1
"""
# Eq. 1 for the input, whose spikes pass through within a step.
INPUT = TRACES + "x : 1\nalpha : 1\nbeta : 1\n"
TRACE_STEP = """
p = alpha * p + (1 - alpha) * q
q = beta * q
"""
NEURON = model.NEURON + TRACES + "delta : 1\nsignal : 1\n"
STEP = model.STEP + TRACE_STEP
RESET = "fired = 1; q += 1 - beta"
START_INPUT = "q = 0; p = 0; x = 0"
# Eq. 7: error of the readout, learning signal of the neuron, change of bias and weights.
READOUT = "y : 1\nerror : 1"
SIGNAL = "signal_pre += w * error_post"
DELTA = """
delta = {rate} * signal / ({slope} * abs(v + b + r - {threshold}) + 1)**2
b -= delta
signal = 0
"""
CHANGE = "w -= delta_post * p_pre"


@dataclass(frozen=True)
class Plasticity:
    """Expressions and variables in which learning networks differ.

    Attributes:
        rate: The learning rate, an expression of Brian2.
        threshold: The threshold of a neuron, an expression.
        error: Number of a layer, from 0 -> statement for the error of its readout.
        shared: Further variables of inputs and neurons.
        neuron: Further variables of neurons.
        readout: Variables of a channel of a readout.
    """

    rate: str
    threshold: str
    error: str
    shared: str = ""
    neuron: str = ""
    readout: str = READOUT


def layers(
    params: ct.Params, source: str, n_in: int, n_read: int, plasticity: Plasticity
) -> tuple[list[bm.Group], list[bm.Synapses]]:
    """All groups and synapses of a network that learns.

    Args:
        params: `hidden` and `surrogate_slope`.
        source: Name of the model's input.
        n_in: Its channels.
        n_read: Channels of every readout.
        plasticity: What it has of its own.
    """
    # An event of the presynaptic side, so that synapses cost nothing while nothing is learned.
    learn = {"learn": f"{plasticity.rate} * p > 0"}
    delta = DELTA.format(
        rate=plasticity.rate, slope=float(params.surrogate_slope), threshold=plasticity.threshold
    )
    groups, synapses = _make_retina(source, n_in, learn, plasticity.shared)
    pre = "retina"
    for k, (name, n) in enumerate(zip(model.names(params), params.hidden, strict=True), start=1):
        error = plasticity.error.format(layer=k - 1)
        groups += [
            bm.Group(
                name, n, NEURON + plasticity.shared + plasticity.neuron,
                threshold=f"v + b + r > {plasticity.threshold}",
                reset=RESET, events=learn,
                regularly=[
                    bm.Regularly(f"step_{name}", STEP, when="groups"),
                    bm.Regularly(f"delta{k}", delta, when="end", order=3),
                ],
            ),
            brian_network.readout(
                k, n_read, plasticity.readout,
                [bm.Regularly(f"error{k}", error, when="end", order=1)],
            ),
        ]  # fmt: skip
        synapses += _make_synapses(pre, name, k)
        pre = name
    return groups, synapses


def _make_retina(
    source: str, n_in: int, learn: dict[str, str], variables: str
) -> tuple[list[bm.Group], list[bm.Synapses]]:
    """Neurons that pass input spikes on within the step and keep the traces of the inputs."""
    # The generator, then the synapses `seen`, then the threshold of the retina: no step is
    # lost on the way.
    retina = bm.Group(
        "retina", n_in, INPUT + variables, threshold="x > 0", reset="x = 0", events=learn,
        regularly=[bm.Regularly("step_retina", TRACE_STEP, when="groups")],
        slots={"threshold": ("thresholds", 2)},
    )  # fmt: skip
    input_relay = bm.Synapses(
        "seen", source, "retina", equations="", connect=bm.ONE_TO_ONE,
        on_pre="x_post = 1; q_post += 1 - beta_post", slots={"pre": ("thresholds", 1)},
    )  # fmt: skip
    return [retina], [input_relay]


def _make_synapses(pre: str, name: str, k: int) -> Sequence[bm.Synapses]:
    """Synapses into layer k, which change at the end of a step, and those to its readout."""
    return [
        bm.Synapses(
            f"s{k}", pre, name, on_pre={"pre": model.ON_SPIKE, "change": CHANGE},
            on_event={"change": "learn"}, slots={"change": ("end", 4)},
        ),
        bm.Synapses(
            f"g{k}", name, f"readout{k}", on_pre=model.READ,
            regularly=[bm.Regularly(f"signal{k}", SIGNAL, when="end", order=2)],
        ),
    ]  # fmt: skip


def decays(params: ct.Params) -> dict[str, float]:
    """Decays of the traces of the inputs, for `Binding.values`."""
    c = model.constants(params)
    return {"retina.alpha": c.alpha, "retina.beta": c.beta}
