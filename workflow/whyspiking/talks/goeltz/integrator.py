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
    """First spikes of one layer, (sample, neuron), multiples of dt below `end`, inf where silent.

    Args:
        times: Input spike times, inf where silent, (sample, input).
        weights: (input, neuron).
        threshold: c.
        dt: Step, in the unit of `times`.
        end: When the run ends.
    """
    parts = range(0, len(times), CHUNK)
    return np.vstack([_run(times[k : k + CHUNK], weights, threshold, dt, end) for k in parts])


def _run(
    times: NDArray, weights: NDArray, threshold: float, dt: float, end: float
) -> NDArray[np.float64]:
    from scipy import sparse

    n_steps = int(np.ceil(end / dt))
    # What comes in the last step, or never, is felt by nobody.
    step = np.minimum(np.asarray(times, float) / dt, n_steps - 1).astype(int)
    order = np.argsort(step, axis=None, kind="stable")
    bounds = np.searchsorted(step.ravel()[order], np.arange(n_steps + 1))
    v = np.zeros((len(times), weights.shape[1]))
    x, out, decay = np.zeros_like(v), np.full_like(v, np.inf), np.exp(-dt)
    for k in range(n_steps):
        v = decay * v + dt * x
        x *= decay
        arrived = order[bounds[k] : bounds[k + 1]]
        if arrived.size:
            places = np.divmod(arrived, times.shape[1])
            x += sparse.csr_array((np.ones(arrived.size), places), times.shape) @ weights
        out[(v > threshold) & np.isinf(out)] = k * dt
    return out
