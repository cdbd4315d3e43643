"""The network in Brian2: the core's clocked first-spike network, and pulses beside it.

Pulse times belong to the network, not to the stimulus, so pulses are neurons of their own; each
layer's pulses drive the next layer. Equations stand in `model`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Binding, Layer, Params
from whyspiking.talks.comsa import model
from whyspiking.talks.comsa.model import PULSES, Arrays
from whyspiking.training.first_spike import brian_network as clocked

TARGETS = {"input_pulses": "hidden", "hidden_pulses": "output"}


@dataclass(frozen=True)
class PulsedBinding(Binding):
    """A binding that still knows the closed form of its network, see `model.Arrays`."""

    arrays: Arrays


def network(
    params: Params, name: str, *, n_input: int, n_hidden: int, n_output: int, n_pulses: int
) -> bm.BrianModel:
    """The structure; all numbers come with `bind`.

    Args:
        params: Step, length of a trial (later pulses never come), trials per run.
        name: Short name, part of the build folder's name.
        n_input: Input channels without pulses.
        n_hidden: Hidden neurons.
        n_output: Output neurons.
        n_pulses: Pulses of each of the two layers.
    """
    base = clocked.network(
        name,
        n_input=n_input,
        n_hidden=n_hidden,
        n_output=n_output,
        direct=False,
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
    )
    # The first update of a trial brings all state to time 0.
    start = f"age = -{params.dt_ms} * ms; fired = 0"
    return replace(
        base,
        groups=(*base.groups, *(_make_pulses(name, n_pulses) for name in PULSES)),
        synapses=(
            *base.synapses,
            *(clocked.weighted(name, TARGETS[name], f"s_{name}") for name in PULSES),
        ),
        reset={**base.reset, **dict.fromkeys(PULSES, start)},
        record_spikes=(*base.record_spikes, *PULSES),
        lag_variable={**base.lag_variable, **dict.fromkeys(PULSES, "lag")},
    )


def _make_pulses(name: str, n: int) -> bm.Group:
    return bm.Group(
        name, n, model.PULSE, threshold=model.PULSE_DUE, reset=model.PULSE_FIRES, method="euler"
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
    values: dict[str, NDArray | float] = clocked.values(
        w_hidden[:n_input],
        w_output[:n_hidden],
        None,
        threshold=model.threshold(params),
        tau_m_ms=model.tau_ms(params),
        tau_s_ms=model.tau_ms(params),
    )
    layers = dict(clocked.bind(values).layers)
    for pulses, weights in zip(PULSES, (w_hidden[n_input:], w_output[n_hidden:]), strict=True):
        values[f"{pulses}.at"] = np.asarray(arrays[pulses], float) * params.unit_ms * 1e-3
        values[f"s_{pulses}.w"] = weights
        kind = "feedforward" if pulses == "input_pulses" else "readout"
        layers[f"s_{pulses}.w"] = Layer(pulses, TARGETS[pulses], weights, kind)
    return PulsedBinding(values, layers, arrays)
