"""Thresholds and time constants of a substrate's neurons, fitted to the output spikes it gave.

Every neuron has three factors, of its threshold, tau_m and tau_s; their logarithms have a Gaussian
prior around 0. Random parts of the samples take turns in steps of Gauss and Newton, with errors far
beyond `fit_scale` weighing less, so that a fit does not stick where a spike comes or goes; the mean
of the last third of the steps is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.goeltz import model
from whyspiking.talks.goeltz.imperfections import LAYERS
from whyspiking.talks.goeltz.model import Weights
from whyspiking.talks.goeltz.task import with_bias
from whyspiking.training.first_spike import compiled

PARTS = ("threshold", "tau_m", "tau_s")
"""Rows of the factors; columns: hidden neurons, then outputs."""
GAIN = 0.5
"""Share of a full step that is taken."""
EPSILON = 1e-3
STEEPEST = 20.0
"""A difference quotient beyond this is a spike that comes or goes, and has no derivative."""


def fit(
    params: ct.Params,
    weights: Weights,
    times: NDArray,
    saved: NDArray,
    rng: np.random.Generator,
    *,
    alike: bool,
    progress: ct.Progress,
) -> NDArray[np.float64]:
    """Factors of all neurons, (part, neuron).

    Args:
        params: `fit_steps`; `fit_batch` samples in each; `fit_spread`, sd of the prior; `fit_scale`
            in units of tau_s.
        weights: As the substrate holds them.
        times: Input with bias, (sample, input + bias).
        saved: Output spikes of the substrate, inf where silent, (sample, output).
        rng: Chooses samples.
        alike: All neurons have the same three factors.
        progress: Called now and then.
    """
    n_neurons = sum(w.shape[1] for w in weights)
    free = np.zeros(len(PARTS) * (1 if alike else n_neurons))
    prior = np.eye(free.size) / params.fit_spread**2
    last: list[NDArray] = []
    for step in range(params.fit_steps):
        chosen = rng.choice(len(times), params.fit_batch, replace=False)
        factors = _spread(free, n_neurons)
        output, by_factor = derivatives(params, weights, times[chosen], factors)
        if alike:
            by_factor = by_factor.sum(axis=-1)
        slopes = by_factor.reshape(output.size, free.size)
        with np.errstate(invalid="ignore"):
            errors = (saved[chosen] - output).ravel()
        both = np.isfinite(errors)
        errors[~both] = 0.0
        each = both / np.hypot(1, errors / params.fit_scale) / params.fit_scale**2
        each *= len(times) / params.fit_batch
        curvature = (slopes * each[:, None]).T @ slopes + prior
        free = free + GAIN * np.linalg.solve(curvature, slopes.T @ (each * errors) - prior @ free)
        if 3 * step >= 2 * params.fit_steps:
            last.append(free)
        if step % 10 == 9:
            progress((step + 1) / params.fit_steps, f"step {step + 1}")
    return _spread(np.mean(last, axis=0), n_neurons)


def _spread(free: NDArray, n_neurons: int) -> NDArray[np.float64]:
    rows = np.exp(free).reshape(len(PARTS), -1)
    return np.broadcast_to(rows, (len(PARTS), n_neurons)).copy()


def neurons(factors: NDArray, n_hidden: int) -> dict[str, NDArray]:
    """Factors by name, such as `tau_m_hidden`, as a network stores them."""
    layers = dict(zip(LAYERS, np.split(factors, [n_hidden], axis=1), strict=True))
    return {
        f"{part}_{layer}": row
        for layer, rows in layers.items()
        for part, row in zip(PARTS, rows, strict=True)
    }


def first_spikes(params: ct.Params, times: NDArray, w: NDArray, factors: NDArray) -> NDArray:
    """One layer of such neurons, (sample, neuron)."""
    threshold, tau_m, tau_s = factors
    c = model.threshold(params) * threshold
    return compiled.forward_general(times, w, params.tau_ratio * tau_m, tau_s, c)


def derivatives(
    params: ct.Params, weights: Weights, times: NDArray, factors: NDArray
) -> tuple[NDArray, NDArray]:
    """Output spikes, and their derivatives by the logarithms of all factors.

    Those of hidden neurons follow from how an output moves with their spike (chain rule).

    Returns:
        (sample, output), and (sample, output, part, neuron); 0 where a spike is missing.
    """
    n_hidden = weights[0].shape[1]
    hidden = first_spikes(params, times, weights[0], factors[:, :n_hidden])
    received = with_bias(hidden, params)
    output = first_spikes(params, received, weights[1], factors[:, n_hidden:])
    found = np.zeros((*output.shape, *factors.shape))
    for neuron in range(factors.shape[1]):
        is_output = neuron >= n_hidden
        layer, column = int(is_output), [neuron - n_hidden if is_output else neuron]
        came, before = (received, output) if is_output else (times, hidden)
        if is_output:
            by_own = np.eye(output.shape[1])[column]
        else:
            moved = received.copy()
            moved[:, neuron] += EPSILON
            by_own = _quotient(
                first_spikes(params, moved, weights[1], factors[:, n_hidden:]), output
            )
        for part in range(len(PARTS)):
            other = factors[:, [neuron]].copy()
            other[part] *= np.exp(EPSILON)
            own = first_spikes(params, came, weights[layer][:, column], other)
            found[:, :, part, neuron] = by_own * _quotient(own, before[:, column])
    return output, found


def _quotient(moved: NDArray, before: NDArray) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        found = (moved - before) / EPSILON
    return np.where(np.abs(found) < STEEPEST, found, 0.0)
