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
MAX_SLOPE = 20.0
"""A difference quotient beyond this is a spike that comes or goes, and has no derivative."""


def fit(
    params: ct.Params,
    weights: Weights,
    times: NDArray,
    saved: NDArray,
    rng: np.random.Generator,
    *,
    is_shared: bool,
    progress: ct.Progress,
) -> NDArray[np.float64]:
    """Fit the factors of all neurons, (factor, neuron).

    Args:
        params: `fit_steps`; `fit_batch` samples in each; `fit_spread`, sd of the prior; `fit_scale`
            in units of tau_s.
        weights: As the substrate holds them.
        times: Input with bias, (sample, input + bias).
        saved: Output spikes of the substrate, inf where silent, (sample, output).
        rng: Chooses samples.
        is_shared: All neurons have the same three factors.
        progress: Called now and then.
    """
    n_neurons = sum(w.shape[1] for w in weights)
    log_factors = np.zeros(len(PARTS) * (1 if is_shared else n_neurons))
    prior = np.eye(log_factors.size) / params.fit_spread**2
    late_log_factors: list[NDArray] = []
    for step in range(params.fit_steps):
        i_batch = rng.choice(len(times), params.fit_batch, replace=False)
        factors = _expand_factors(log_factors, n_neurons)
        output, by_factor = derivatives(params, weights, times[i_batch], factors)
        if is_shared:
            by_factor = by_factor.sum(axis=-1)
        slopes = by_factor.reshape(output.size, log_factors.size)
        with np.errstate(invalid="ignore"):
            errors = (saved[i_batch] - output).ravel()
        both_fired = np.isfinite(errors)
        errors[~both_fired] = 0.0
        precision = both_fired / np.hypot(1, errors / params.fit_scale) / params.fit_scale**2
        precision *= len(times) / params.fit_batch
        curvature = (slopes * precision[:, None]).T @ slopes + prior
        log_factors = log_factors + GAIN * np.linalg.solve(
            curvature, slopes.T @ (precision * errors) - prior @ log_factors
        )
        if 3 * step >= 2 * params.fit_steps:
            late_log_factors.append(log_factors)
        if step % 10 == 9:
            progress((step + 1) / params.fit_steps, f"step {step + 1}")
    return _expand_factors(np.mean(late_log_factors, axis=0), n_neurons)


def _expand_factors(log_factors: NDArray, n_neurons: int) -> NDArray[np.float64]:
    rows = np.exp(log_factors).reshape(len(PARTS), -1)
    return np.broadcast_to(rows, (len(PARTS), n_neurons)).copy()


def neurons(factors: NDArray, n_hidden: int) -> dict[str, NDArray]:
    """Split the factors by name, such as `tau_m_hidden`, as a network stores them."""
    layers = dict(zip(LAYERS, np.split(factors, [n_hidden], axis=1), strict=True))
    return {
        f"{factor}_{layer}": row
        for layer, rows in layers.items()
        for factor, row in zip(PARTS, rows, strict=True)
    }


def first_spikes(params: ct.Params, times: NDArray, w: NDArray, factors: NDArray) -> NDArray:
    """Compute the first spikes of one layer of such neurons, (sample, neuron)."""
    threshold, tau_m, tau_s = factors
    c = model.threshold(params) * threshold
    return compiled.forward_general(times, w, params.tau_ratio * tau_m, tau_s, c)


def derivatives(
    params: ct.Params, weights: Weights, times: NDArray, factors: NDArray
) -> tuple[NDArray, NDArray]:
    """Compute output spikes and their derivatives by the logarithms of all factors.

    Those of hidden neurons follow from how an output moves with their spike (chain rule).

    Returns:
        (sample, output), and (sample, output, factor, neuron); 0 where a spike is missing.
    """
    n_hidden = weights[0].shape[1]
    hidden = first_spikes(params, times, weights[0], factors[:, :n_hidden])
    received = with_bias(hidden, params)
    output = first_spikes(params, received, weights[1], factors[:, n_hidden:])
    by_factor = np.zeros((*output.shape, *factors.shape))
    for i_neuron in range(factors.shape[1]):
        is_output = i_neuron >= n_hidden
        i_layer, column = int(is_output), [i_neuron - n_hidden if is_output else i_neuron]
        input_times, spike_times = (received, output) if is_output else (times, hidden)
        # An output neuron's factors change its own spikes only; a hidden one's spike moves all.
        if is_output:
            by_neuron = np.eye(output.shape[1])[column]
        else:
            shifted_received = received.copy()
            shifted_received[:, i_neuron] += EPSILON
            by_neuron = _compute_quotient(
                first_spikes(params, shifted_received, weights[1], factors[:, n_hidden:]), output
            )
        for i_factor in range(len(PARTS)):
            shifted_factors = factors[:, [i_neuron]].copy()
            shifted_factors[i_factor] *= np.exp(EPSILON)
            shifted_times = first_spikes(
                params, input_times, weights[i_layer][:, column], shifted_factors
            )
            by_factor[:, :, i_factor, i_neuron] = by_neuron * _compute_quotient(
                shifted_times, spike_times[:, column]
            )
    return output, by_factor


def _compute_quotient(shifted: NDArray, base: NDArray) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        quotient = (shifted - base) / EPSILON
    return np.where(np.abs(quotient) < MAX_SLOPE, quotient, 0.0)
