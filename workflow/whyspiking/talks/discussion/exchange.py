"""The exchange rate: how many ReLU units one first-spike neuron is worth, and the reverse.

The teacher is a first-spike neuron with linear potentials and positive weights, whose output time
is the least of up to 2^d - 1 affine functions of its d inputs (Singh et al. 2023). `neuron`, the
same with other numbers, and `relu`, layers of H units, learn that time by squared error.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.discussion import fitting, linear_neuron
from whyspiking.talks.discussion.constructed import make_task

__all__ = ["evaluate", "make_task", "train"]

PLACES = {"inputs 2": 2, "inputs 4": 4, "inputs 10": 10}
"""How rows call a teacher -> its inputs."""


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> None:
    """Its networks were scored where they were trained."""


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Learn a teacher of every number of inputs, by one neuron or by layers of ReLU units."""
    rows: list[list[Any]] = []
    for name, d in PLACES.items():
        rng = streams.rng(name)
        weights, theta = rng.uniform(0.5, 1.5, d), d / 4
        xs = [
            rng.uniform(size=(n, d)) for n in (params.n_train, params.n_validation, params.n_test)
        ]
        raw = [linear_neuron.spike_times(x, weights, theta) for x in xs]
        middle, spread = raw[0].mean(), raw[0].std()
        shown = [2 * x - 1 if variant == "relu" else x for x in xs]
        wanted = [(t - middle) / spread if variant == "relu" else t for t in raw]
        for n in params.units if variant == "relu" else (1,):
            begin, loss, answer = _student(variant, d, n)
            drawn, purpose = (shown[0], wanted[0]), f"init {d} {n}"
            tried = fitting.tries(loss, begin, drawn, params.rates, streams, purpose)
            found = min(tried, key=partial(_missed, answer, shown[1], wanted[1]))
            error = _missed(answer, shown[2], wanted[2], found) / np.std(wanted[2])
            numbers = sum(np.size(value) for value in found.values())
            measured = {"relative_error": float(error), "parameters": numbers}
            rows.append([name, n, measured, params.n_test])
        progress(len(rows) / 10, f"{name}: {rows[-1][2]['relative_error']:.1e}")
    if variant == "neuron":
        rows.append(["relu unit", 1, {"largest_error": reverse(streams)}, params.n_test])
    return ct.Network({}, {"engine": "jax", "epochs": 1, "measured_at": rows})


def _student(variant: str, d: int, n: int) -> tuple[Any, Any, Any]:
    """What draws first values, the loss, and the output."""
    if variant == "relu":
        return partial(fitting.relu_start, [d, n]), fitting.relu_square, fitting.relu
    return partial(_neuron_start, d), neuron_loss, output_time


def _neuron_start(d: int, rng: np.random.Generator) -> dict[str, NDArray]:
    return {"log_w": rng.normal(0, 0.5, d), "log_theta": rng.normal(0, 0.5, ())}


def _missed(answer: Any, x: NDArray, wanted: NDArray, arrays: Any) -> float:
    """Root mean square error."""
    return float(np.sqrt(np.mean((np.asarray(answer(arrays, np.float32(x))) - wanted) ** 2)))


def output_time(arrays: Mapping[str, Any], x: Any) -> Any:
    """The least, over the first so many inputs, of the times at which they reach the threshold."""
    order = jnp.argsort(x, axis=1)
    t, w = jnp.take_along_axis(x, order, 1), jnp.exp(arrays["log_w"])[order]
    reached = (jnp.exp(arrays["log_theta"]) + jnp.cumsum(w * t, 1)) / jnp.cumsum(w, 1)
    return reached.min(axis=1)


def neuron_loss(arrays: Mapping[str, Any], x: Any, y: Any) -> Any:
    """Squared error of the output time."""
    return jnp.mean((output_time(arrays, x) - y) ** 2)


def pieces(weights: NDArray, theta: float, x: NDArray) -> int:
    """How many different affine functions the neuron's output is at these points."""
    order = np.argsort(x, axis=1)
    t, w = np.take_along_axis(x, order, 1), weights[order]
    used = ((theta + np.cumsum(w * t, 1)) / np.cumsum(w, 1)).argmin(axis=1)
    members = np.zeros(x.shape, bool)
    np.put_along_axis(members, order, np.arange(x.shape[1]) <= used[:, None], 1)
    return len(np.unique(members, axis=0))


def reverse(streams: Streams, d: int = 4) -> float:
    """A ReLU unit of d inputs as one first-spike neuron with a pulse: the largest error.

    Its hinge in u, a weighted mean, is relu(u - knot) = 2 (u + `DELAY` - spike time).
    """
    rng = streams.rng("reverse")
    x, weights = rng.uniform(size=(2000, d)), rng.uniform(0.5, 1.5, d)
    u, knot = x @ (weights / weights.sum()), 0.5
    pulse = np.full((len(x), 1), knot + linear_neuron.DELAY)
    inputs = np.append(weights / weights.sum(), 1.0)
    spikes = linear_neuron.spike_times(np.hstack([x, pulse]), inputs, linear_neuron.DELAY)
    told = 2 * (u + linear_neuron.DELAY - spikes)
    return float(np.abs(told - np.maximum(u - knot, 0)).max())
