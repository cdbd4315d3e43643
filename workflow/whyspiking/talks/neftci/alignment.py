"""M3: the local gradients compared with back-propagation on the same network and digits.

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
    """Variables of one layer in a trial.

    Attributes:
        traces: P, (time, trial, pre).
        spikes: S, (time, trial, post).
        slopes: Surrogate at U (Eq. 5), (time, trial, post).
    """

    traces: NDArray
    spikes: NDArray
    slopes: NDArray


class Gradient(NamedTuple):
    """Gradients of the weights (pre, post) and the biases (post,) of one layer."""

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
    values_by_metric: dict[str, list[float]] = {}
    for _ in range(params.align_batches):
        digits = rng.choice(len(data.labels), batch, replace=False)
        labels, courses = data.labels[digits], forward(c, weights, data.unpacked(digits))
        true_target, permuted_target = (
            np.eye(params.n_classes, dtype=np.float32)[classes]
            for classes in (labels, rng.permutation(labels))
        )
        backprop = end_to_end(c, weights, courses, true_target)
        for suffix, target in (("", true_target), ("_permuted", permuted_target)):
            for layer, value in cosines(local(c, weights, courses, target), backprop).items():
                values_by_metric.setdefault(f"{PREFIX}{layer}{suffix}", []).append(value)
    return {metric: float(np.mean(values)) for metric, values in values_by_metric.items()}


def forward(c: Constants, weights: Weights, frames: NDArray) -> list[Course]:
    """All layers over a whole trial (Eqs. 1 to 3).

    Args:
        c: Decays, surrogate.
        weights: Of all layers, whose precision is kept.
        frames: Input, (time, trial, input).
    """
    courses, spikes = [], np.asarray(frames, weights.w[0].dtype)
    for w, b in zip(weights.w, weights.b, strict=True):
        traces = traces_of(spikes, c)
        potentials, spikes = spikes_of(traces @ np.asarray(w) + np.asarray(b), c)
        courses.append(Course(traces, spikes, fast_sigmoid(c.slope)(potentials)))
    return courses


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
        _sum_gradient(
            course.traces,
            _differentiate_loss(c, np.asarray(g), course.spikes, target) * course.slopes,
        )
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
    gradients: list[Gradient] = []
    d_spikes = _differentiate_loss(c, np.asarray(weights.g[-1]), courses[-1].spikes, target)
    for w, course in zip(reversed(weights.w), reversed(courses), strict=True):
        d_u = np.empty_like(d_spikes)
        d_r = np.zeros_like(d_spikes[0])
        for step in reversed(range(len(d_u))):
            # The refractory trace of the next step goes down by (1 - gamma) with each spike.
            d_u[step] = (d_spikes[step] - (1 - c.gamma) * d_r) * course.slopes[step]
            d_r = d_u[step] + c.gamma * d_r
        gradients.insert(0, _sum_gradient(course.traces, d_u))
        if len(gradients) < len(courses):
            d_spikes = _backpropagate_traces(c, d_u @ np.asarray(w).T)
    return gradients


def cosines(a: Sequence[Gradient], b: Sequence[Gradient]) -> dict[str, float]:
    """Cosines of two gradients: of "layer1" and so on, and of all, "network"; 0 if one is 0."""

    def dots(first_list: Sequence[Gradient], second_list: Sequence[Gradient]) -> list[float]:
        pairs = zip(first_list, second_list, strict=True)
        return [sum(float(np.vdot(x, y)) for x, y in zip(*pair, strict=True)) for pair in pairs]

    products = np.array([dots(a, b), dots(a, a), dots(b, b)])
    names = [*(f"layer{k}" for k in range(1, len(a) + 1)), "network"]
    dot, a_square, b_square = np.hstack([products, products.sum(axis=1, keepdims=True)])
    scale = np.sqrt(a_square * b_square)
    cosine = np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0)
    return dict(zip(names, cosine.tolist(), strict=True))


def over_training(history: Iterable[dict[str, Any]]) -> dict[str, float]:
    """M3 as the mean over all moments in a history; nothing where it was not measured."""
    values_by_metric: dict[str, list[float]] = {}
    for row in history:
        if row["metric"].startswith(PREFIX):
            values_by_metric.setdefault(row["metric"], []).append(row["value"])
    return {metric: float(np.mean(values)) for metric, values in values_by_metric.items()}


def _differentiate_loss(c: Constants, g: NDArray, spikes: NDArray, target: NDArray) -> NDArray:
    """Derivative of a layer's own loss by its spikes, (time, trial, post); mean over trials."""
    derivative = np.clip(spikes @ g - target, -1, 1) @ g.T / spikes.shape[1]
    derivative[: c.burn_in] = 0
    return derivative


def _backpropagate_traces(c: Constants, d_p: NDArray) -> NDArray:
    """Derivative by the spikes that feed the traces P, backwards through Eq. 1; same shape."""
    total_p, total_q = np.zeros_like(d_p[0]), np.zeros_like(d_p[0])
    derivative = np.empty_like(d_p)
    for step in reversed(range(len(d_p))):
        total_q = c.beta * total_q + (1 - c.alpha) * total_p
        total_p = d_p[step] + c.alpha * total_p
        derivative[step] = (1 - c.beta) * total_q
    return derivative


def _sum_gradient(traces: NDArray, delta: NDArray) -> Gradient:
    n_in, n_out = traces.shape[2], delta.shape[2]
    return Gradient(traces.reshape(-1, n_in).T @ delta.reshape(-1, n_out), delta.sum(axis=(0, 1)))
