"""Adaptive neurons step by step in double precision (Eqs. 1 to 4 of bohte's README)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def run(
    drive: NDArray,
    w_rec: NDArray | float,
    alpha: NDArray | float,
    rho: NDArray,
    threshold: float,
    beta: float,
    u_start: NDArray | float = 0.0,
    s_start: NDArray | float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spikes and membranes of one trial, (time, neuron), from what arrives at each step."""
    n = drive.shape[1]
    w = np.broadcast_to(w_rec, (n, n))
    u, eta, s = np.full(n, u_start), np.full(n, threshold), np.full(n, s_start)
    told = []
    for now in drive:
        eta = rho * eta + (1 - rho) * s
        theta = threshold + beta * eta
        u = alpha * u + (1 - alpha) * (now + s @ w) - theta * s
        s = (u > theta).astype(float)
        told.append((s, u))
    spikes, membranes = map(np.array, zip(*told, strict=True))
    return spikes, membranes
