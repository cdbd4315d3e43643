"""Results, kernels and checks that both engines of first-spike layers share.

A neuron has the membrane potential V(t) = sum over inputs i before t of w_i k(t - t_i), with time
in units of tau_s, and fires once, when V reaches the threshold c. With
    tau_m = tau_s      k(d) = d e^{-d}                (Goeltz et al. 2021; Comsa et al. 2020)
    tau_m = 2 tau_s    k(d) = e^{-d/2} - e^{-d}       (Goeltz et al. 2021)
the time T has a closed form, and its derivatives follow from V(T) = c:
    dT/dw_i = -k(T - t_i) / V'(T),    dT/dt_i = w_i k'(T - t_i) / V'(T)
for inputs before T, zero for all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LayerOutput:
    """First spikes of one layer.

    Attributes:
        times: T in units of tau_s, inf where the neuron stays silent; (sample, neuron).
        slopes: V'(T), rise of the potential at the spike per tau_s, 0 where silent.
    """

    times: NDArray
    slopes: NDArray


def kernel(delay: Any, tau_ratio: int) -> Any:
    """Potential k(d) after one input of weight 1, and 0 before it.

    Args:
        delay: Time since the input, in units of tau_s; any shape.
        tau_ratio: tau_m / tau_s, 1 or 2.
    """
    delay_positive = np.maximum(delay, 0)
    return (
        delay_positive * np.exp(-delay_positive)
        if tau_ratio == 1
        else np.exp(-delay_positive / 2) - np.exp(-delay_positive)
    )


def measured(
    times: NDArray, weights: NDArray, spike_times: NDArray, threshold: float, tau_ratio: int
) -> LayerOutput:
    """Spike times measured elsewhere, with the slopes that the ideal neuron would have there.

    That V has reached the threshold at the measured time is taken as known, so
    V'(T) = A e^{-T} - c (half of it for tau_m = 2 tau_s), A = sum over earlier inputs of
    w_i e^{t_i}. This is what allows gradients in closed form around a forward pass that ran on
    other substrate, as Goeltz et al. 2021 do "in the loop"; their code keeps the slope of the
    causal set's ideal spike time, 1 + W, and is 0 where there is none.

    Args:
        times: Input times, (sample, input).
        weights: (input, neuron).
        spike_times: Measured output times, inf where silent; (sample, neuron).
        threshold: c.
        tau_ratio: tau_m / tau_s of the ideal neuron, 1 or 2.
    """
    check_layer(times.shape, weights.shape, tau_ratio)
    has_fired = np.isfinite(spike_times)
    spike_or_zero = np.where(has_fired, spike_times, 0.0)
    delays = spike_or_zero[:, None, :] - np.where(np.isfinite(times), times, np.inf)[:, :, None]
    decayed = np.where(delays > 0, np.exp(-np.maximum(delays, 0)), 0.0)
    slopes = np.einsum("bin,in->bn", decayed, weights) - threshold
    return LayerOutput(spike_times, np.where(has_fired, slopes / tau_ratio, 0.0))


def min_slope(floor: float, threshold: float, tau_ratio: int) -> float:
    """The slope V'(T) at which the relative distance from grazing, 1 + W, equals `floor`.

    For tau_m = tau_s the published formulas divide by 1 + W = 1 - c/(A e^{-T}); the same quantity
    is used for tau_m = 2 tau_s.
    """
    return threshold * floor / (1 - floor) / tau_ratio


def check_layer(times: tuple[int, ...], weights: tuple[int, ...], tau_ratio: int) -> None:
    """Check the shapes of a layer.

    Raises:
        ValueError: If the shapes or the ratio do not fit.
    """
    if tau_ratio not in (1, 2):
        raise ValueError(f"tau_m / tau_s is {tau_ratio}; a closed form exists for 1 and 2")
    if len(times) != 2 or len(weights) != 2 or times[1] != weights[0]:
        raise ValueError(
            f"times {times} must be (sample, input), weights {weights} (input, neuron)"
        )
