"""The experiment `multiplexing`: two ensembles, events going up, bursts going down.

Nothing is trained: a network is one random wiring. Its trials are realisations of the noise.
Equation numbers are those of this talk's README.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.naud.burst_code.brian_network import circuit
from whyspiking.talks.naud.burst_code.events import (
    binned,
    events,
    other_bursts,
    share,
    standardised,
)
from whyspiking.talks.naud.burst_code.model import PROJECTIONS
from whyspiking.talks.naud.burst_code.task import waves as make_task
from whyspiking.talks.naud.burst_code.wiring import fixed_values, wire

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "perturb_recording", "to_brian",
    "train",
]  # fmt: skip


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Draw the wiring; nothing is learned."""
    progress(1.0, "a random wiring; nothing to train")
    seed = np.array(streams.integer("wiring"))
    return ct.Network(arrays={"wiring_seed": seed}, info={"engine": "brian2", "variant": variant})


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """There is no second engine: the circuit exists in Brian2 only."""


to_brian = circuit


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Wiring, weights and the input currents of either ensemble."""
    n, m = params.n_pyramidal, params.n_interneurons
    wiring = wire(params, np.random.default_rng(int(network.arrays["wiring_seed"])))
    values = fixed_values(params)
    n_by_group = {"pyramidal": 2 * n, "interneurons": 2 * m}
    layers = {}
    for name, (pre, post) in wiring.items():
        source, target, _, _ = PROJECTIONS[name]
        weight = float(params.weights[name])
        values |= {f"{name}.i": pre, f"{name}.j": post, f"{name}.w": weight}
        is_connected = np.zeros((n_by_group[source], n_by_group[target]), np.int8)
        is_connected[pre, post] = 1
        kind = "recurrent" if name in ("topdown", "lateral", "from_som") else "feedforward"
        layers[f"{name}.w"] = ct.Layer(source, target, is_connected, kind)
    for name in ("base_s", "swing_s", "base_d", "swing_d"):
        values[f"pyramidal.{name}"] = np.repeat(np.asarray(getattr(params, name), float), n)
    values |= lesion(params, network.info["variant"])
    return ct.Binding(values=values, layers=layers)


def lesion(params: ct.Params, variant: str) -> dict[str, NDArray | float]:
    """Values that a variant changes in an intact run: none, the plateau, or short-term dynamics."""
    changes: dict[str, dict[str, NDArray | float]] = {
        "spiking": {},
        "no_plateau": {"pyramidal.opens": 0.0},
        "static_synapses": {
            "pyramidal.dynamic": 0.0,
            **{
                f"pyramidal.u0_{kind}": np.repeat(efficacy, params.n_pyramidal)
                for kind, efficacy in params.static_efficacy.items()
            },
        },
    }
    return changes[variant]


def signals(params: ct.Params, recording: ct.Recording) -> dict[str, NDArray]:
    """Event rates, burst rates and burst probabilities of both ensembles, (trial, bin).

    Keys: `events_1`, `events_2`, `bursts_1`, ... in Hz per neuron, and `probability_1`, ...
    """
    spikes = recording.spikes["pyramidal"]
    is_event, is_burst = events(spikes, params.burst_window_ms)
    values: dict[str, NDArray] = {}
    for i_ensemble in (1, 2):
        units = slice((i_ensemble - 1) * params.n_pyramidal, i_ensemble * params.n_pyramidal)
        for name, mask in (("events", is_event), ("bursts", is_burst)):
            values[f"{name}_{i_ensemble}"] = binned(
                spikes,
                mask,
                units,
                start_ms=params.relax_ms,
                stop_ms=params.trial_ms,
                bin_ms=params.bin_ms,
            )
        values[f"probability_{i_ensemble}"] = share(
            values[f"bursts_{i_ensemble}"], values[f"events_{i_ensemble}"]
        )
    return values


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Traces:
    """Event rate of the lower and burst probability of the upper ensemble, standardised."""
    channels = signals(params, recording)
    outputs = np.stack([channels["events_1"], channels["probability_2"]], axis=-1)
    return ct.Traces(standardised(outputs), task.targets, dt_ms=params.bin_ms)


def conditions(params: ct.Params) -> list[ct.Condition]:
    """`shuffle` (bursts): which events are bursts is redrawn, events and spike counts are kept."""
    return [ct.Condition("shuffle", "bursts", 1.0)]


def perturb_recording(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, rng: np.random.Generator
) -> ct.Recording:
    """The recording as a reader would see it if bursts were spread at random over events."""
    changed_spikes = other_bursts(recording.spikes["pyramidal"], params.burst_window_ms, rng)
    return replace(recording, spikes={**recording.spikes, "pyramidal": changed_spikes})
