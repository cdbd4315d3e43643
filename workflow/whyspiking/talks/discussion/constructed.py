"""At what rate units approximate that nobody had to train (README, section 2).

Every series is a network of N units in closed form, scored on points that its construction has not
seen. Rate codes are given the target itself as their tuning: their error is that of the code alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.discussion import linear_neuron, targets
from whyspiking.talks.discussion.targets import Ridge

Answer = tuple[NDArray, Mapping[str, float]]
"""Values at the points, (point,), and what they cost; names as in the glossary."""


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The sine at equally spaced points: what there is to see, not what is scored."""
    if split != "test":
        return None
    x = np.linspace(0, 1, 101)[:, None]
    line = targets.values(targets.of("sine", streams.seed), x)[None, :, None]
    return ct.Task(ct.Stimulus(), line, n_classes=0, dt_ms=1.0)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Build networks of every size for every target, and measure them."""
    series, rng = SERIES[params.series], streams.rng("points")
    errors, rows = np.zeros((len(targets.NAMES), len(params.units))), []
    for place, name in enumerate(targets.NAMES):
        ridges = targets.of(name, streams.seed)
        x = rng.uniform(size=(params.n_points, ridges[0].weights.size))
        truth = targets.values(ridges, x)
        for column, n in enumerate(params.units):
            answer, costs = series(ridges, x, n, params, rng)
            missed = answer - truth
            errors[place, column] = rms = float(np.sqrt(np.mean(missed**2)))
            largest = float(np.abs(missed).max())
            rows.append([name, n, {"rms_error": rms, "largest_error": largest, **costs}, len(x)])
        rows.append([name, 0, {"exponent": exponent(params, errors[place])}, len(x)])
    progress(1.0, "built; nothing to train")
    arrays = {"units": np.array(params.units), "rms": errors}
    return ct.Network(arrays, {"engine": "numpy", "measured_at": rows})


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """Its errors were measured where it was built."""


def exponent(params: ct.Params, rms: NDArray) -> float:
    """Slope of log error over log N, by least squares from `fit_from` units on."""
    far = np.array(params.units) >= params.fit_from
    return float(np.polyfit(np.log(np.array(params.units)[far]), np.log(rms[far]), 1)[0])


def shares(n: int, parts: int) -> list[int]:
    """Units of each of several ridges."""
    return [n // parts + (place < n % parts) for place in range(parts)]


def _relu(ridges: tuple[Ridge, ...], x: NDArray, n: int, params: ct.Params, rng: object) -> Answer:
    """Lines between free knots, or equally spaced ones: the sum of slopes x relu(u - knot)."""
    total = np.zeros(len(x))
    for ridge, own in zip(ridges, shares(n, len(ridges)), strict=True):
        knots, slopes, start = polygon(ridge, own, free=params.free_knots)
        total += start + np.maximum((x @ ridge.weights)[:, None] - knots, 0) @ slopes
    return total / len(ridges), {"parameters": n * (x.shape[1] + 2) + 1}


def polygon(ridge: Ridge, n: int, *, free: bool = True) -> tuple[NDArray, NDArray, float]:
    """Knots and changes of slope of n lines, (n,) each, and the value at 0."""
    if n == 0:
        return np.zeros(1), np.zeros(1), float(ridge.value(targets.GRID).mean())
    ends = ridge.knots(n, order=2) if free else np.linspace(0, 1, n + 1)
    heights = ridge.value(ends)
    return ends[:-1], np.diff(np.diff(heights) / np.diff(ends), prepend=0.0), float(heights[0])


def _first_spike(
    ridges: tuple[Ridge, ...], x: NDArray, n: int, params: ct.Params, rng: object
) -> Answer:
    """The same lines by hidden neurons of one spike each and the time of an output spike."""
    grid = params.grid
    seen, hidden, weights, start = _on(x, grid), [], [], 0.0
    for ridge, own in zip(ridges, shares(n, len(ridges)), strict=True):
        knots, slopes, begin = polygon(ridge, own)
        hidden.append(_on(linear_neuron.hinge(seen @ ridge.weights, knots), grid))
        weights.append(linear_neuron.readout(slopes / len(ridges)))
        start += begin / len(ridges)
    times, w = np.hstack(hidden), np.concatenate(weights)
    wait = linear_neuron.waiting(times[:: params.n_waiting], w)
    # The output fires `wait` after its pulse, which comes when all hidden spikes have.
    pulse = 1 + linear_neuron.DELAY
    output = _on(wait + times @ w + (1 - w.sum()) * pulse, grid)
    answer = output - wait - linear_neuron.DELAY * w.sum() - (1 - w.sum()) * pulse + start
    inputs = x.shape[1]
    return answer, {
        "parameters": n * (inputs + 2) + n + 3,
        "spikes": inputs + n + n + 2,
        "output_time": float(output.max()),
    }


def _on(times: NDArray, grid: float) -> NDArray:
    return np.round(times / grid) * grid if grid else times


def _clocked(
    ridges: tuple[Ridge, ...], x: NDArray, n: int, params: ct.Params, rng: object
) -> Answer:
    """Stairs: each neuron counts through one piece of one ridge, with constant input."""
    steps = params.steps
    total, spikes = np.zeros(len(x)), 0.0
    levels = staircase(steps, params.leak)
    margin = np.ptp(levels) / (2 * (steps - 1))
    for ridge, own in zip(ridges, shares(n, len(ridges)), strict=True):
        u = x @ ridge.weights
        ends = ridge.knots(max(own, 1), order=1)
        heights = ridge.value(ends)
        if own == 0:
            total += ridge.value(targets.GRID).mean()
            continue
        total += heights[0]
        for left, right, rise in zip(ends[:-1], ends[1:], np.diff(heights), strict=True):
            share = (u - left) / (right - left)
            drive = levels[0] - margin + share * (np.ptp(levels) + 2 * margin)
            count = np.searchsorted(levels, drive, side="right")
            total += rise * count / steps
            spikes += count.mean()
    costs = {"parameters": n * (x.shape[1] + 2) + 1, "spikes": spikes, "output_time": 1.0}
    return total / len(ridges), costs


def staircase(steps: int, leak: float) -> NDArray[np.float64]:
    """Inputs at which a leaky neuron fires once more in so many steps, (steps,).

    v becomes leak v + input; where it is 1 or more the neuron fires and 1 is subtracted.
    """
    low, high = np.zeros(steps), np.full(steps, 2.0)
    for _ in range(50):
        middle = (low + high) / 2
        v, count = np.zeros(steps), np.zeros(steps)
        for _ in range(steps):
            v = leak * v + middle
            fires = v >= 1
            v, count = v - fires, count + fires
        enough = count >= np.arange(1, steps + 1)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _rate(count: Callable[..., NDArray]) -> Callable[..., Answer]:
    """A population of n neurons that all have the target as their rate, read by its mean count."""

    def series(
        ridges: tuple[Ridge, ...],
        x: NDArray,
        n: int,
        params: ct.Params,
        rng: np.random.Generator,
    ) -> Answer:
        rate = (targets.values(ridges, x) + (len(ridges) > 1)) / (1 + (len(ridges) > 1))
        spikes = count(params.steps * rate, n, rng)
        answer = spikes / (n * params.steps) * (1 + (len(ridges) > 1)) - (len(ridges) > 1)
        return answer, {"parameters": n + 1, "spikes": float(spikes.mean()), "output_time": 1.0}

    return series


SERIES: dict[str, Callable[..., Answer]] = {
    "relu": _relu,
    "first_spike": _first_spike,
    "clocked": _clocked,
    "poisson": _rate(lambda mean, n, rng: rng.poisson(n * mean)),
    # Each has fired floor(mean + phase) times, its phase drawn anew in every trial.
    "regular": _rate(lambda mean, n, rng: n * np.floor(mean) + rng.binomial(n, mean % 1)),
    # In tight balance the next spike comes when all together are one behind.
    "coordinated": _rate(lambda mean, n, rng: np.round(n * mean)),
}
"""Name of a series -> what builds it."""
