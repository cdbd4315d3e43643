"""The first-spike neuron with linear potentials (README, Eq. 1 and 2; Singh et al. 2023).

Every input spike makes the potential rise from then on, by its weight per unit of time; the neuron
fires once, where the potential reaches the threshold. Times are in units of the input window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DELAY = 1.0
"""From the window's start to the first hidden spike: by then all of an input has come."""


def spike_times(times: NDArray, weights: NDArray, theta: float) -> NDArray[np.float64]:
    """First spikes, event by event; inf where the neuron stays silent.

    Args:
        times: Input spikes, (trial, input).
        weights: Of any sign, (input,).
        theta: Threshold, positive.
    """
    order = np.argsort(times, axis=1)
    t, w = np.take_along_axis(times, order, 1), weights[order]
    slope, offset = np.cumsum(w, axis=1), np.cumsum(w * t, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.where(slope > 0, (theta + offset) / slope, np.inf)
    until = np.hstack([t[:, 1:], np.full((len(t), 1), np.inf)])
    valid = (reached >= t) & (reached <= until)
    first = np.where(valid, reached, np.inf)
    return first.min(axis=1)


def hinge(u: NDArray, knots: NDArray) -> NDArray[np.float64]:
    """Spikes of hidden neurons with a pulse each: slope 1 in u up to a knot, 1/2 beyond it.

    Inputs of weights summing to 1 and threshold `DELAY` would make the neuron fire at
    u + `DELAY`; a pulse of weight 1 at its knot + `DELAY` halves the rest of the way. The first
    neuron has no pulse.

    Args:
        u: Weighted mean of the input times, (trial,).
        knots: (neuron,).
    """
    knots = np.concatenate([[np.inf], knots[1:]])
    return DELAY + u[:, None] - np.maximum(u[:, None] - knots, 0) / 2


def readout(slopes: NDArray) -> NDArray[np.float64]:
    """Weights of the output neuron that make of hinges the sum of slopes x relu(u - knot).

    The first knot must be 0. A pulse with the weight that is missing to 1 makes the output neuron's
    spike time, once all have arrived, the weighted sum of theirs.

    Args:
        slopes: Change of slope at each knot, (neuron,).
    """
    found = -2.0 * slopes
    found[0] = slopes[0] + 2 * slopes[1:].sum()
    return found


def waiting(times: NDArray, weights: NDArray) -> float:
    """Threshold that the output neuron needs so as not to fire before all its inputs have.

    The largest potential that it has when an input arrives, the pulse being the last.

    Args:
        times: Of its inputs, the pulse left out, (trial, input).
        weights: (input,).
    """
    order = np.argsort(times, axis=1)
    t, w = np.take_along_axis(times, order, 1), weights[order]
    end = np.full((len(t), 1), 1 + DELAY)
    held = np.cumsum(w, axis=1) * np.diff(np.hstack([t, end]), axis=1)
    return max(0.0, float(np.cumsum(held, axis=1).max()))
