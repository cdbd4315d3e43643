"""What is measured of the recordings of `neuron`, `multiplexing` and `plasticity`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import expit

from whyspiking.contract import types as ct
from whyspiking.talks.naud.burst_code import multiplexing, neuron, plasticity
from whyspiking.talks.naud.burst_code.events import correlation, share


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Metrics beyond the score, by experiment."""
    of = {"neuron": of_neuron, "multiplexing": of_multiplexing, "plasticity": of_plasticity}
    return of[params.experiment](params, condition, recording, task)


def of_multiplexing(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Who follows whom, in signals averaged over the trials."""
    mean = {
        name: values.mean(axis=0)
        for name, values in multiplexing.signals(params, recording).items()
    }
    soma, dendrite = task.targets[0].T
    follow = correlation
    crossed = (
        follow(dendrite, mean["events_1"]),
        follow(dendrite, mean["events_2"]),
        follow(soma, mean["probability_2"]),
    )
    own = follow(soma, mean["events_1"]), follow(dendrite, mean["probability_2"])
    return {
        "event_correlation": own[0],
        "relay_correlation": follow(mean["events_1"], mean["events_2"]),
        "burst_correlation": own[1],
        "topdown_correlation": follow(mean["bursts_2"], mean["probability_1"]),
        "cross_correlation": float(np.abs(crossed).max()),
        "channel_separation": min(own) - float(np.abs(crossed).max()),
        "event_rate": float(mean["events_1"].mean()),
    }


def of_neuron(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """How sigmoidal the burst probability is, and how much each channel hears of the other."""
    found = neuron.curves(params, recording)
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
    return share(bursts, events.sum(axis=0))


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


def of_plasticity(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Where the change of weight crosses zero, and how its slope grows with the event rate."""
    change = plasticity.total_change(params, recording.traces["weight"][0])
    p = np.asarray(params.burst_probabilities)
    lines = [np.polyfit(p, mean, 1) for mean in change["burst"].mean(axis=-1)]
    crossings = [float(-line[1] / line[0]) for line in lines]
    found = {
        "zero_crossing": float(np.mean(crossings)),
        "zero_crossing_error": max(abs(crossing - params.p_start) for crossing in crossings),
        "slope_ratio": float(lines[-1][0] / lines[0][0]),
    }
    if condition.perturbation != "none":
        return found
    rates = np.asarray(params.poisson_rates_hz, float)
    for name, mean in zip(POISSON_METRICS, change["poisson"].mean(axis=-1), strict=True):
        found[name] = first_crossing(rates, mean)
    return found


POISSON_METRICS = ("poisson_crossing_low", "poisson_crossing_high")
"""Metrics of the two starting points of the Poisson protocol."""


def first_crossing(x: NDArray, y: NDArray) -> float:
    """Where a curve first rises through zero, by a straight line; nan where it does not."""
    rising = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
    if not rising.size:
        return float("nan")
    k = int(rising[0])
    return float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))
