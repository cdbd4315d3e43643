"""The experiment `neuron`: events and bursts of uncoupled neurons against their two currents.

The circuit of `multiplexing` without synapses: every neuron has a constant somatic and dendritic
current, and its own noise. Equation numbers are those of this talk's README.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import UserError
from whyspiking.talks.naud.burst_code.brian_network import circuit
from whyspiking.talks.naud.burst_code.events import events, share, standardised
from whyspiking.talks.naud.burst_code.model import PROJECTIONS
from whyspiking.talks.naud.burst_code.task import grid
from whyspiking.talks.naud.burst_code.task import levels as make_task
from whyspiking.talks.naud.burst_code.wiring import fixed_values

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Currents of every neuron: the points of the grid in turn."""
    progress(1.0, "uncoupled neurons; nothing to train")
    n, (soma, dendrite) = 2 * params.n_pyramidal, grid(params)
    if n < soma.size:
        raise UserError(
            f"talk 'naud', experiment 'neuron': {n} neurons for {soma.size} pairs of currents; "
            "raise n_pyramidal or shorten soma_levels and dendrite_levels in talk.yaml"
        )
    point = np.arange(n) % soma.size
    return ct.Network(
        arrays={"point": point, "soma": soma[point], "dendrite": dendrite[point]},
        info={"engine": "brian2"},
    )


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """The noisy neuron exists in Brian2 only; without noise the tests compare it with NumPy."""


to_brian = circuit


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Constant currents; one connection of weight 0 per projection, since some are required."""
    values = fixed_values(params)
    sizes = {"pyramidal": 2 * params.n_pyramidal, "interneurons": 2 * params.n_interneurons}
    nothing = np.zeros(0, int)
    for name in PROJECTIONS:
        values |= {f"{name}.i": nothing, f"{name}.j": nothing, f"{name}.w": 0.0}
    values |= {
        "pyramidal.base_s": network.arrays["soma"],
        "pyramidal.base_d": network.arrays["dendrite"],
        "pyramidal.swing_s": 0.0,
        "pyramidal.swing_d": 0.0,
    }
    empty = np.zeros((sizes["pyramidal"], 1), np.int8)
    return ct.Binding(values=values, layers={"relay.w": ct.Layer("pyramidal", "pyramidal", empty)})


def curves(params: ct.Params, recording: ct.Recording) -> dict[str, NDArray]:
    """Event rate in Hz and burst probability of every point, (soma level, dendrite level)."""
    spikes = recording.spikes["pyramidal"]
    shape = (len(params.soma_levels), len(params.dendrite_levels))
    n_points = shape[0] * shape[1]
    is_event, is_burst = events(spikes, params.burst_window_ms)
    late = spikes.times_ms >= params.relax_ms
    point = spikes.units % n_points
    counts = {
        name: np.bincount(point[mask & late], minlength=n_points).reshape(shape).astype(float)
        for name, mask in (("events", is_event), ("bursts", is_burst))
    }
    neurons = np.bincount(np.arange(2 * params.n_pyramidal) % n_points).reshape(shape)
    seconds = (params.trial_ms - params.relax_ms) / 1000.0 * spikes.n_trials
    return {
        "event_rate_hz": counts["events"] / neurons / seconds,
        "burst_probability": share(counts["bursts"], counts["events"]),
        "events": counts["events"],
    }


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Traces:
    """Event rate and burst probability of every point, standardised over the grid."""
    found = curves(params, recording)
    outputs = np.stack([found["event_rate_hz"], found["burst_probability"]], axis=-1)
    flat = outputs.reshape(1, -1, 2)
    return ct.Traces(standardised(flat), task.targets, dt_ms=task.dt_ms)
