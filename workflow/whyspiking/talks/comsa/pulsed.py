"""The network as Brian2 sees it: the core's clocked first-spike network, and pulses beside it.

Pulse times belong to the network, not to the stimulus, so pulses are neurons of their own that fire
when a trial is as old as their `at`; each layer's pulses drive the next layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Layer, Params
from whyspiking.talks.comsa import model
from whyspiking.talks.comsa.model import PULSES, Arrays
from whyspiking.training.first_spike import brian_network

PULSE = """
dage/dt = 1 : second
at : second
fired : 1
lag : 1
"""
DUE = "fired == 0 and age >= at"
FIRE = "fired = 1\nlag = (age - at) / ms"
TARGETS = {"input_pulses": "hidden", "hidden_pulses": "output"}


@dataclass(frozen=True)
class PulsedBinding(Binding):
    """A binding that still knows the closed form of its network, see `model.Arrays`."""

    arrays: Arrays


def network(
    params: Params, name: str, *, n_input: int, n_hidden: int, n_output: int, n_pulses: int
) -> BrianModel:
    """The structure; all numbers come with `bind`.

    Args:
        params: Step, length of a trial (later pulses never come), trials per run.
        name: Short name, part of the build folder's name.
        n_input: Input channels without pulses.
        n_hidden: Hidden neurons.
        n_output: Output neurons.
        n_pulses: Pulses of each of the two layers.
    """
    base = brian_network.network(
        name,
        n_input=n_input,
        n_hidden=n_hidden,
        n_output=n_output,
        direct=False,
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
    )

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2

        objects = list(base.construct(inputs))
        groups = {made.name: made for made in objects}
        for pulses, target in TARGETS.items():
            source = brian2.NeuronGroup(
                n_pulses, PULSE, threshold=DUE, reset=FIRE, method="euler", name=pulses,
                namespace={"ms": brian2.ms},
            )  # fmt: skip
            synapses = brian2.Synapses(
                source, groups[target], "w : 1", on_pre=brian_network.ON_SPIKE,
                name=f"s_{pulses}", namespace={"ms": brian2.ms},
            )  # fmt: skip
            synapses.connect()
            objects += [source, synapses]
        return objects

    # The first update of a trial brings all state to time 0.
    start = f"age = -{params.dt_ms} * ms; fired = 0"
    return replace(
        base,
        definition={**base.definition, "pulses": [PULSE, DUE, FIRE, TARGETS, n_pulses]},
        construct=construct,
        reset={**base.reset, **dict.fromkeys(PULSES, start)},
        record_spikes=(*base.record_spikes, *PULSES),
        lag_variable={**base.lag_variable, **dict.fromkeys(PULSES, "lag")},
    )


def bind(params: Params, arrays: Arrays, n_input: int) -> PulsedBinding:
    """Place weights and pulse times into `network`.

    Args:
        params: Parameters of the experiment.
        arrays: See `model.Arrays`.
        n_input: Input channels without pulses.
    """
    w_hidden, w_output = (np.asarray(arrays[name], float) for name in ("w_hidden", "w_output"))
    n_hidden = w_hidden.shape[1]
    found: dict[str, NDArray | float] = brian_network.values(
        w_hidden[:n_input],
        w_output[:n_hidden],
        None,
        threshold=model.threshold(params),
        tau_m_ms=model.tau_ms(params),
        tau_s_ms=model.tau_ms(params),
    )
    layers = dict(brian_network.bind(found).layers)
    for pulses, weights in zip(PULSES, (w_hidden[n_input:], w_output[n_hidden:]), strict=True):
        found[f"{pulses}.at"] = np.asarray(arrays[pulses], float) * params.unit_ms * 1e-3
        found[f"s_{pulses}.w"] = weights
        kind = "feedforward" if pulses == "input_pulses" else "readout"
        layers[f"s_{pulses}.w"] = Layer(pulses, TARGETS[pulses], weights, kind)
    return PulsedBinding(found, layers, arrays)
