"""Eqs. 1 to 7 of DECOLLE in NumPy, step by step, with plain gradient descent."""

import numpy as np

from whyspiking.talks.neftci import model


def weights_after(params, start, raster, wanted, eta):
    """Weights of all layers after one trial of learning with rate `eta`.

    Args:
        params: Decays, slope of the surrogate.
        start: The network before.
        raster: Input spikes, (step, input).
        wanted: What each layer's readout of one channel should say, (step, layer).
        eta: Learning rate per step.
    """
    alpha, beta, gamma, _, slope = model.constants(params)
    w, b, g = ([np.array(x, float) for x in kind] for kind in model.weights_of(start))
    q, p = ([np.zeros(x.shape[0]) for x in w] for _ in range(2))
    r = [np.zeros(x.shape[1]) for x in w]
    for now, target in zip(raster, wanted, strict=True):
        spikes = now
        for k in range(len(w)):
            p[k] = alpha * p[k] + (1 - alpha) * q[k]
            q[k] = beta * q[k] + (1 - beta) * spikes
            u = p[k] @ w[k] + b[k] + r[k]
            spikes = (u > 0).astype(float)
            r[k] = gamma * r[k] - (1 - gamma) * spikes
            error = np.clip(spikes @ g[k] - target[k], -1, 1)
            delta = eta * (g[k] @ error) / (slope * np.abs(u) + 1) ** 2
            w[k] -= np.outer(p[k], delta)
            b[k] -= delta
    return w
