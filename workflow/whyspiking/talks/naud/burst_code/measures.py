"""Measures of the recordings of `multiplexing` and `plasticity`."""

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
    measure_functions = {"multiplexing": measure_multiplexing, "plasticity": measure_plasticity}
    return measure_functions[params.experiment](params, condition, recording, task)


def measure_multiplexing(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Correlate inputs and outputs of both ensembles, averaged over the trials."""
    mean = {
        name: values.mean(axis=0)
        for name, values in multiplexing.signals(params, recording).items()
    }
    soma, dendrite = task.targets[0].T
    correlate = correlation
    cross_correlations = (
        correlate(dendrite, mean["events_1"]),
        correlate(dendrite, mean["events_2"]),
        correlate(soma, mean["probability_2"]),
    )
    channel_correlations = (
        correlate(soma, mean["events_1"]),
        correlate(dendrite, mean["probability_2"]),
    )
    return {
        "event_correlation": channel_correlations[0],
        "relay_correlation": correlate(mean["events_1"], mean["events_2"]),
        "burst_correlation": channel_correlations[1],
        "topdown_correlation": correlate(mean["bursts_2"], mean["probability_1"]),
        "cross_correlation": float(np.abs(cross_correlations).max()),
        "channel_separation": min(channel_correlations) - float(np.abs(cross_correlations).max()),
        "event_rate": float(mean["events_1"].mean()),
    }


def measure_plasticity(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Measure the zero crossing of the change of weight, and its slope against the event rate."""
    change = plasticity.total_change(params, recording.traces["weight"][0])
    p = np.asarray(params.burst_probabilities)
    lines = [np.polyfit(p, mean, 1) for mean in change["burst"].mean(axis=-1)]
    crossings = [float(-line[1] / line[0]) for line in lines]
    values = {
        "zero_crossing": float(np.mean(crossings)),
        "zero_crossing_error": max(abs(crossing - params.p_start) for crossing in crossings),
        "slope_ratio": float(lines[-1][0] / lines[0][0]),
    }
    if condition.perturbation != "none":
        return values
    rates = np.asarray(params.poisson_rates_hz, float)
    for name, mean in zip(POISSON_METRICS, change["poisson"].mean(axis=-1), strict=True):
        values[name] = first_crossing(rates, mean)
    return values


POISSON_METRICS = ("poisson_crossing_low", "poisson_crossing_high")
"""Metrics of the two starting points of the Poisson protocol."""


def first_crossing(x: NDArray, y: NDArray) -> float:
    """First x at which a curve rises through zero, by a straight line; nan if it does not."""
    rising_index = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
    if not rising_index.size:
        return float("nan")
    k = int(rising_index[0])
    return float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))
