"""M3: where the local rule points, beside back-propagation on the same network and digits.

In NumPy: compiling both gradients would take longer than working out the few that are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.datasets.recordings import Recordings
from whyspiking.talks.neftci import model
from whyspiking.talks.neftci.initial_weights import spikes_of, traces_of
from whyspiking.talks.neftci.model import Constants, Weights
from whyspiking.training.surrogates import fast_sigmoid

PREFIX = "alignment_"


class Course(NamedTuple):
    """What one layer does in a trial.

    Attributes:
        traces: P, (time, trial, pre).
        spikes: S, (time, trial, post).
        slopes: Surrogate at U (Eq. 5), (time, trial, post).
    """

    traces: NDArray
    spikes: NDArray
    slopes: NDArray


class Gradient(NamedTuple):
    """Of the weights (pre, post) and the biases (post,) of one layer."""

    w: NDArray
    b: NDArray


def moments(n_points: int, n_batches: int) -> frozenset[int]:
    """Numbers of batches after which to measure, evenly from none to all; empty for no points."""
    return frozenset(np.linspace(0, n_batches, n_points).round().astype(int).tolist())


def measure(
    params: ct.Params,
    weights: Weights,
    data: Recordings,
    batch: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Cosine of the local gradients with the gradient by back-propagation, mean over batches.

    Both belong to the same digits and to weights that do not move meanwhile, before an optimiser
    scales them. The null is the local rule on the same digits with labels permuted.

    Args:
        params: `align_batches`, `n_classes`, decays, burn-in, surrogate.
        weights: The network as it is.
        data: Digits to draw from.
        batch: Digits per batch.
        rng: Source of digits and permutations.

    Returns:
        By name of `glossary.GLOSSARY`: of each layer, and of all weights and biases together.
    """
    c = model.constants(params)
    found: dict[str, list[float]] = {}
    for _ in range(params.align_batches):
        chosen = rng.choice(len(data.labels), batch, replace=False)
        labels, courses = data.labels[chosen], forward(c, weights, data.unpacked(chosen))
        own, permuted = (
            np.eye(params.n_classes, dtype=np.float32)[shown]
            for shown in (labels, rng.permutation(labels))
        )
        whole = end_to_end(c, weights, courses, own)
        for ending, target in (("", own), ("_permuted", permuted)):
            for place, value in cosines(local(c, weights, courses, target), whole).items():
                found.setdefault(f"{PREFIX}{place}{ending}", []).append(value)
    return {metric: float(np.mean(values)) for metric, values in found.items()}


def forward(c: Constants, weights: Weights, frames: NDArray) -> list[Course]:
    """All layers over a whole trial (Eqs. 1 to 3).

    Args:
        c: Decays, surrogate.
        weights: Of all layers, whose precision is kept.
        frames: Input, (time, trial, input).
    """
    found, spikes = [], np.asarray(frames, weights.w[0].dtype)
    for w, b in zip(weights.w, weights.b, strict=True):
        traces = traces_of(spikes, c)
        potentials, spikes = spikes_of(traces @ np.asarray(w) + np.asarray(b), c)
        found.append(Course(traces, spikes, fast_sigmoid(c.slope)(potentials)))
    return found


def local(
    c: Constants, weights: Weights, courses: Sequence[Course], target: NDArray
) -> list[Gradient]:
    """Gradients of the local rule (Eq. 7), summed over the trial.

    Args:
        c: Burn-in.
        weights: Their readouts.
        courses: From `forward`.
        target: Wanted readout, (trial, class).

    Returns:
        Per layer, mean over trials.
    """
    return [
        _product(course.traces, _blame(c, np.asarray(g), course.spikes, target) * course.slopes)
        for course, g in zip(courses, weights.g, strict=True)
    ]


def end_to_end(
    c: Constants, weights: Weights, courses: Sequence[Course], target: NDArray
) -> list[Gradient]:
    """Gradient of the last layer's loss through all layers and steps.

    With d for the derivative of the loss by a state, from the last step backwards:
        dU[t] = sigma'(U[t]) (dS[t] - (1 - gamma) dR[t+1]),  dR[t] = dU[t] + gamma dR[t+1],
        dP[t] = W dU[t] + alpha dP[t+1],  dQ[t] = beta dQ[t+1] + (1 - alpha) dP[t+1],
        dS[t] = (1 - beta) dQ[t] in the layer below,  dW = sum over t of P[t] dU[t].

    Arguments and result as `local`.
    """
    found: list[Gradient] = []
    of_spikes = _blame(c, np.asarray(weights.g[-1]), courses[-1].spikes, target)
    for w, course in zip(reversed(weights.w), reversed(courses), strict=True):
        of_u = np.empty_like(of_spikes)
        of_r = np.zeros_like(of_spikes[0])
        for step in reversed(range(len(of_u))):
            # The refractory trace of the next step goes down by (1 - gamma) with each spike.
            of_u[step] = (of_spikes[step] - (1 - c.gamma) * of_r) * course.slopes[step]
            of_r = of_u[step] + c.gamma * of_r
        found.insert(0, _product(course.traces, of_u))
        if len(found) < len(courses):
            of_spikes = _through_traces(c, of_u @ np.asarray(w).T)
    return found


def cosines(ours: Sequence[Gradient], theirs: Sequence[Gradient]) -> dict[str, float]:
    """Of each layer, "layer1" and so on, and of all together, "network"; 0 where one is zero."""

    def dots(left: Sequence[Gradient], right: Sequence[Gradient]) -> list[float]:
        pairs = zip(left, right, strict=True)
        return [sum(float(np.vdot(x, y)) for x, y in zip(*pair, strict=True)) for pair in pairs]

    products = np.array([dots(ours, theirs), dots(ours, ours), dots(theirs, theirs)])
    names = [*(f"layer{k}" for k in range(1, len(ours) + 1)), "network"]
    dot, size, other = np.hstack([products, products.sum(axis=1, keepdims=True)])
    scale = np.sqrt(size * other)
    found = np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0)
    return dict(zip(names, found.tolist(), strict=True))


def over_training(history: Iterable[dict[str, Any]]) -> dict[str, float]:
    """M3 as the mean over all moments in a history; nothing where it was not measured."""
    found: dict[str, list[float]] = {}
    for row in history:
        if row["metric"].startswith(PREFIX):
            found.setdefault(row["metric"], []).append(row["value"])
    return {metric: float(np.mean(values)) for metric, values in found.items()}


def _blame(c: Constants, g: NDArray, spikes: NDArray, target: NDArray) -> NDArray:
    """Derivative of a layer's own loss by its spikes, (time, trial, post); mean over trials."""
    found = np.clip(spikes @ g - target, -1, 1) @ g.T / spikes.shape[1]
    found[: c.burn_in] = 0
    return found


def _through_traces(c: Constants, of_p: NDArray) -> NDArray:
    """Derivative by the spikes that feed the traces P, backwards through Eq. 1; same shape."""
    total_p, total_q = np.zeros_like(of_p[0]), np.zeros_like(of_p[0])
    found = np.empty_like(of_p)
    for step in reversed(range(len(of_p))):
        total_q = c.beta * total_q + (1 - c.alpha) * total_p
        total_p = of_p[step] + c.alpha * total_p
        found[step] = (1 - c.beta) * total_q
    return found


def _product(traces: NDArray, delta: NDArray) -> Gradient:
    n_in, n_out = traces.shape[2], delta.shape[2]
    return Gradient(traces.reshape(-1, n_in).T @ delta.reshape(-1, n_out), delta.sum(axis=(0, 1)))
