"""The authors' integrator, which gave the released MNIST network its spike times.

Steps of dt, forward Euler in the potential (code v1.0.0, `forward` of the integrating neuron layer,
in our words). With charge q_k = sum of the weights of the inputs of step k, that is those with
k dt <= t_i < (k + 1) dt:

    V_k+1 = e^{-dt} V_k + dt x_k      x_k+1 = e^{-dt} x_k + q_k      fires at k dt if V_k+1 > c

Times are in units of tau_s = tau_m. The potential lags and overshoots by O(dt): a neuron whose
potential in closed form stays just below threshold may fire here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CHUNK = 1000
"""Samples at a time; bounds the memory."""


def first_spikes(
    times: NDArray, weights: NDArray, threshold: float, *, dt: float, end: float
) -> NDArray[np.float64]:
    """Compute the first spikes of a layer, (sample, neuron), multiples of dt, inf where silent.

    Args:
        times: Input spike times, inf where silent, (sample, input).
        weights: (input, neuron).
        threshold: c.
        dt: Step, in the unit of `times`.
        end: When the run ends.
    """
    chunk_starts = range(0, len(times), CHUNK)
    return np.vstack(
        [_integrate_chunk(times[k : k + CHUNK], weights, threshold, dt, end) for k in chunk_starts]
    )


def _integrate_chunk(
    times: NDArray, weights: NDArray, threshold: float, dt: float, end: float
) -> NDArray[np.float64]:
    from scipy import sparse

    n_steps = int(np.ceil(end / dt))
    # Spikes in the last step, or never, affect no neuron.
    input_steps = np.minimum(np.asarray(times, float) / dt, n_steps - 1).astype(int)
    order = np.argsort(input_steps, axis=None, kind="stable")
    bounds = np.searchsorted(input_steps.ravel()[order], np.arange(n_steps + 1))
    v = np.zeros((len(times), weights.shape[1]))
    x, first_spike_times, decay = np.zeros_like(v), np.full_like(v, np.inf), np.exp(-dt)
    for k in range(n_steps):
        v = decay * v + dt * x
        x *= decay
        i_arriving = order[bounds[k] : bounds[k + 1]]
        if i_arriving.size:
            sample_and_input = np.divmod(i_arriving, times.shape[1])
            x += (
                sparse.csr_array((np.ones(i_arriving.size), sample_and_input), times.shape)
                @ weights
            )
        first_spike_times[(v > threshold) & np.isinf(first_spike_times)] = k * dt
    return first_spike_times
