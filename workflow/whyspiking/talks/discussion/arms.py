"""What is set element distinctness: networks of every size (README, section 3).

An arm is given trials of three splits and yields, size by size, its units, its accuracy on test
trials, and the numbers that training set. Settings are chosen on validation trials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets.distinctness import Settings
from whyspiking.talks.discussion import fitting, one_neuron
from whyspiking.talks.discussion.fitting import Arrays

Drawn = tuple[NDArray, NDArray]
"""Times in ms, (trial, input), and classes."""
Splits = tuple[Drawn, Drawn, Drawn]
"""Training, validation, test."""
Found = tuple[int, float, int]
Arm = Callable[[ct.Params, Settings, Splits, Streams], Iterator[Found]]


def neuron(
    params: ct.Params, settings: Settings, data: Splits, streams: Streams, *, graded: bool = False
) -> Iterator[Found]:
    """One leaky neuron, or its graded counterpart, on the first `n_few` trials."""
    (times, classes), held_out, test = data
    few = times[: params.n_few], classes[: params.n_few]
    arrays = one_neuron.learned(params, few, held_out, streams, graded=graded)
    yield 1, one_neuron.accuracy(arrays, *test), times.shape[1] + 2 + graded


def feed_forward(
    params: ct.Params,
    settings: Settings,
    data: Splits,
    streams: Streams,
    *,
    layers: int = 1,
    sizes: str = "units",
    see: Callable[[NDArray], NDArray] = np.asarray,
) -> Iterator[Found]:
    """ReLU networks that are told all times at once."""
    seen = [(one_neuron.scaled(see(times), settings), classes) for times, classes in data]
    for n in params.values[sizes]:
        tried = fitting.tries(
            fitting.relu_decision,
            partial(fitting.relu_start, [settings.n, *[n] * layers]),
            seen[0],
            params.relu_rates,
            streams,
            f"init {n}",
        )
        yield n * layers, *_best(tried, fitting.relu, *seen[1:])


def pairs(params: ct.Params, settings: Settings, data: Splits, streams: Streams) -> Iterator[Found]:
    """ReLU units that nobody trained: a tent for every pair of inputs, of three units each."""
    (times, classes), gap = data[2], settings.gap_ms
    first, second = np.triu_indices(settings.n, 1)
    apart = times[:, first] - times[:, second]
    tents = sum(c * np.maximum(apart + s * gap, 0) for c, s in ((1, 1), (-2, 0), (1, -1)))
    right = (np.sum(tents, axis=1) > gap / 2) == classes
    yield 3 * len(first), float(right.mean()), 0


def frames(times: NDArray, trial_ms: float, step_ms: float) -> NDArray[np.float32]:
    """Rasters (trial, step, input) that hold 1 plus the fraction of the step where a spike is."""
    steps = int(np.ceil(trial_ms / step_ms))
    place = np.minimum((times // step_ms).astype(int), steps - 1)
    found = np.zeros((len(times), steps, times.shape[1]), np.float32)
    trial, channel = np.indices(times.shape)
    found[trial, place, channel] = 1 + times / step_ms - place
    return found


def gated(params: ct.Params, settings: Settings, data: Splits, streams: Streams) -> Iterator[Found]:
    """Gated units in steps, told the fraction of the step, on the first `n_few` trials."""
    few = [(t[: params.n_few], y[: params.n_few]) for t, y in data]
    told = [(frames(t, settings.trial_ms, params.step_ms), y) for t, y in few]
    for n in params.gated:
        begin, rates = partial(fitting.gru_start, settings.n, n), params.gated_rates
        tried = fitting.tries(fitting.gru_decision, begin, told[0], rates, streams, f"init {n}")
        yield n, *_best(tried, _gru, *told[1:])


_gru = jax.jit(fitting.gru)


def _best(
    tried: Iterator[Arrays], output: Callable[[Arrays, Any], Any], held_out: Drawn, test: Drawn
) -> tuple[float, int]:
    """Accuracy on test trials of what is best on validation trials, and its trained numbers."""

    def accuracy(arrays: Arrays, x: NDArray, y: NDArray) -> float:
        parts = np.array_split(np.asarray(x, np.float32), max(1, len(x) // 1000))
        answers = np.concatenate([np.asarray(output(arrays, part)) for part in parts])
        return float(((answers > 0) == y).mean())

    found = max(tried, key=lambda arrays: accuracy(arrays, *held_out))
    return accuracy(found, *test), sum(np.size(value) for value in found.values())


ARMS: dict[str, Arm] = {
    "neuron": neuron,
    "graded": partial(neuron, graded=True),
    "relu": feed_forward,
    "relu_two": partial(feed_forward, layers=2, sizes="units_two"),
    "sorted_times": partial(feed_forward, sizes="units_sorted", see=partial(np.sort, axis=1)),
    "pairs": pairs,
    "gated": gated,
}
"""Variant -> what is trained, or built."""
