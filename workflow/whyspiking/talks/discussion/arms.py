"""What is set element distinctness, or its mirror: networks of every size (README, section 3).

An arm is given trials of three splits and yields, size by size, its units, its accuracy on test
trials, and the numbers that training set. Settings are chosen on validation trials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.datasets.distinctness import Settings
from whyspiking.talks.discussion import fitting, leaky_neuron, one_neuron
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
    """One leaky neuron, or its graded twin, on the first `n_few` trials."""
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


def clocked(
    params: ct.Params, settings: Settings, data: Splits, streams: Streams
) -> Iterator[Found]:
    """The leaky neuron on a clock: it is told times to the step, for each of `steps` a network.

    Its units are given as updates of a trial: it is updated in every step.
    """
    for step in params.clock_ms:
        told = [(np.floor(times / step) * step, classes) for times, classes in data]
        found = next(neuron(params, settings, (told[0], told[1], told[2]), streams))
        yield round(settings.trial_ms / step), *found[1:]


def population(
    params: ct.Params, settings: Settings, data: Splits, streams: Streams, *, clock: bool = False
) -> Iterator[Found]:
    """Leaky neurons that vote by a spike or none; with a spike at the trial's end, if told so."""
    if clock:
        ends = [np.full((len(times), 1), settings.trial_ms) for times, _ in data]
        pairs_of = zip(data, ends, strict=True)
        seen = [(np.hstack([times, end]), classes) for (times, classes), end in pairs_of]
    else:
        seen = list(data)
    for n in params.neurons:
        begin, rates = partial(population_start, seen[0][0].shape[1], n), params.vote_rates
        tried = fitting.tries(votes_loss, begin, seen[0], rates, streams, f"init {n}")
        yield n, *_best(tried, votes, *seen[1:])


def votes(arrays: Arrays, times: Any) -> Any:
    """Weighted votes of leaky neurons, (trial,)."""
    own = {name: arrays[name] for name in ("w", "log_tau", "theta")}
    return arrays["out"] @ jax.vmap(leaky_neuron.fired, (0, None))(own, times) + arrays["out_bias"]


def votes_loss(arrays: Arrays, times: Any, classes: Any) -> Any:
    """Cross-entropy of two classes."""
    return optax.sigmoid_binary_cross_entropy(votes(arrays, times), classes).mean()


def population_start(n_in: int, n: int, rng: np.random.Generator) -> dict[str, NDArray]:
    """Random neurons with weights of either sign, and random votes."""
    drawn = [leaky_neuron.start(n_in, rng) for _ in range(n)]
    arrays = {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}
    arrays["w"] *= rng.choice([-1, 1], arrays["w"].shape)
    return arrays | {"out": rng.normal(size=n), "out_bias": np.zeros(())}


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
    "clocked": clocked,
    "population": population,
    "with_clock": partial(population, clock=True),
}
"""Variant -> what is trained, or built."""
