"""The experiment `neuron`: events and bursts of uncoupled neurons against their two currents.

The circuit of `multiplexing` without synapses: every neuron has a constant somatic and dendritic
current, and its own noise. Equation numbers are those of this talk's README.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import expit

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Condition,
    Layer,
    Network,
    Networks,
    Params,
    Parents,
    Progress,
    Recording,
    Simulate,
    Split,
    Stimulus,
    Task,
    Traces,
)
from whyspiking.errors import UserError
from whyspiking.talks.naud import burst_code, circuit, circuit_reference


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """One trial; the "time" of its targets runs through the grid of currents, soma first.

    Targets are the somatic and the dendritic current of every point, standardised: what the two
    channels of an ideal multiplexer would tell.
    """
    if split == "fresh":
        return None
    soma, dendrite = grid(params)
    points = np.stack([soma, dendrite], axis=-1)[None]
    return Task(
        stimulus=Stimulus(arrays={"waves": np.zeros((round(params.trial_ms), 2))}),
        targets=burst_code.standardised(points),
        n_classes=0,
        dt_ms=params.trial_ms,
    )


def grid(params: Params) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Somatic and dendritic current in A of every point of the grid, (point,)."""
    soma, dendrite = np.meshgrid(params.soma_levels, params.dendrite_levels, indexing="ij")
    return soma.ravel(), dendrite.ravel()


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Currents of every neuron: the points of the grid in turn."""
    progress(1.0, "uncoupled neurons; nothing to train")
    n, (soma, dendrite) = 2 * params.n_pyramidal, grid(params)
    if n < soma.size:
        raise UserError(
            f"talk 'naud', experiment 'neuron': {n} neurons for {soma.size} pairs of currents; "
            "raise n_pyramidal or shorten soma_levels and dendrite_levels in talk.yaml"
        )
    point = np.arange(n) % soma.size
    return Network(
        arrays={"point": point, "soma": soma[point], "dendrite": dendrite[point]},
        info={"engine": "brian2"},
    )


def evaluate(params: Params, variant: str, network: Network, task: Task) -> None:
    """The noisy neuron exists in Brian2 only; without noise the tests compare it with NumPy."""


to_brian = circuit.brian_model


def bind(params: Params, network: Network) -> Binding:
    """Constant currents; one connection of weight 0 per projection, since some are required."""
    values = circuit.fixed_values(params)
    sizes = {"pyramidal": 2 * params.n_pyramidal, "interneurons": 2 * params.n_interneurons}
    nothing = np.zeros(0, int)
    for name in circuit.PROJECTIONS:
        values |= {f"{name}.i": nothing, f"{name}.j": nothing, f"{name}.w": 0.0}
    values |= {
        "pyramidal.base_s": network.arrays["soma"],
        "pyramidal.base_d": network.arrays["dendrite"],
        "pyramidal.swing_s": 0.0,
        "pyramidal.swing_d": 0.0,
    }
    empty = np.zeros((sizes["pyramidal"], 1), np.int8)
    return Binding(values=values, layers={"relay.w": Layer("pyramidal", "pyramidal", empty)})


def curves(params: Params, recording: Recording) -> dict[str, NDArray]:
    """Event rate in Hz and burst probability of every point, (soma level, dendrite level)."""
    spikes = recording.spikes["pyramidal"]
    shape = (len(params.soma_levels), len(params.dendrite_levels))
    n_points = shape[0] * shape[1]
    is_event, is_burst = burst_code.events(spikes, params.burst_window_ms)
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
        "burst_probability": burst_code.share(counts["bursts"], counts["events"]),
        "events": counts["events"],
    }


def decode(params: Params, recording: Recording, task: Task) -> Traces:
    """Event rate and burst probability of every point, standardised over the grid."""
    found = curves(params, recording)
    outputs = np.stack([found["event_rate_hz"], found["burst_probability"]], axis=-1)
    flat = outputs.reshape(1, -1, 2)
    return Traces(burst_code.standardised(flat), task.targets, dt_ms=task.dt_ms)


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """How sigmoidal the burst probability is, and how much each channel hears of the other."""
    found = curves(params, recording)
    rate, probability = found["event_rate_hz"], found["burst_probability"]
    by_dendrite = probability_by_dendrite(found)
    _, fit = sigmoid(np.asarray(params.dendrite_levels), by_dendrite)
    return {
        "sigmoid_fit": fit,
        "event_rate_leak": float(np.ptp(rate.mean(axis=0)) / np.ptp(rate.mean(axis=1))),
        "burst_probability_leak": float(
            np.ptp(probability.mean(axis=1)) / np.ptp(probability.mean(axis=0))
        ),
        "event_rate": float(rate.mean()),
    }


def probability_by_dendrite(found: Mapping[str, NDArray]) -> NDArray[np.float64]:
    """Burst probability over all events at each dendritic current, (dendrite level,)."""
    events = found["events"]
    bursts = (found["burst_probability"] * events).sum(axis=0)
    return burst_code.share(bursts, events.sum(axis=0))


def sigmoid(current: NDArray, probability: NDArray) -> tuple[NDArray[np.float64], float]:
    """Least-squares logistic curve (Eq. 46) and the share of variance that it explains.

    Args:
        current: Dendritic currents in A, (level,).
        probability: Burst probabilities, (level,).

    Returns:
        Lower end, upper end, current of half height in A, width in A; and R^2.
    """
    pico = 1e12 * np.asarray(current)
    first = (probability.min(), probability.max(), float(pico.mean()), float(np.ptp(pico)) / 8)

    def curve(x: NDArray, low: float, high: float, middle: float, width: float) -> NDArray:
        return low + (high - low) * expit((x - middle) / width)

    try:
        found, _ = curve_fit(curve, pico, probability, first, maxfev=20000)
    except RuntimeError:
        # No sigmoid fits: the measure says so instead of ending the run.
        return np.full(4, np.nan), float("nan")
    left = probability - curve(pico, *found)
    explained = 1.0 - float((left**2).sum() / ((probability - probability.mean()) ** 2).sum())
    return found * np.array([1.0, 1.0, 1e-12, 1e-12]), explained


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Curves of the first seed in Brian2, and the noiseless neuron with and without dendrite.

    `trace.<case>.soma`, `.dendrite` in V and `.spike_ms` for the cases `weak` and `strong`
    (dendritic currents `trace_dendrite`), every `trace.dt_ms`, from the NumPy reference.
    """
    seed = min(seed for _, seed in networks)
    task = make_task(params, "test", Streams(seed))
    assert task is not None
    found = curves(params, simulate(networks["spiking", seed], task))
    steps = round(params.trace_ms / params.dt_ms)
    kept: dict[str, NDArray] = {}
    for case, level in zip(("weak", "strong"), params.trace_dendrite, strict=True):
        soma, dendrite, times = circuit_reference.trace(
            params, np.full(steps, params.trace_soma), np.full(steps, level)
        )
        kept |= {
            f"trace.{case}.soma": soma.astype(np.float32),
            f"trace.{case}.dendrite": dendrite.astype(np.float32),
            f"trace.{case}.spike_ms": times,
        }
    fitted, _ = sigmoid(np.asarray(params.dendrite_levels), probability_by_dendrite(found))
    return {
        **found,
        **kept,
        "trace.dt_ms": np.array(params.dt_ms),
        "trace.soma_current": np.array(params.trace_soma),
        "trace.dendrite_current": np.asarray(params.trace_dendrite),
        "soma_levels": np.asarray(params.soma_levels),
        "dendrite_levels": np.asarray(params.dendrite_levels),
        "sigmoid": fitted,
    }
