"""What is measured of the recordings of `multiplexing` and `plasticity`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.naud.burst_code import multiplexing, plasticity
from whyspiking.talks.naud.burst_code.events import correlation


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Metrics beyond the score, by experiment."""
    of = {"multiplexing": of_multiplexing, "plasticity": of_plasticity}
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
