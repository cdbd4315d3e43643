"""The network: neurons that fire once, their spike times in closed form, exact derivatives.

Times are in units of tau_s, which is 1 ms, so they equal milliseconds. A neuron (README, Eqs. 2
and 3) receives spikes at t_i through weights w_i:

    tau_m dV/dt = x - V      tau_s dx/dt = -x      x += w_i at t_i
    it fires once, at the first T at which V(T) = c = theta tau_s / tau_m     (`threshold`)
    T = inf where V never reaches c: a silent neuron sends nothing, and has no derivatives

With a = sum w_i e^{t_i}, b = sum w_i t_i e^{t_i} and a2 = sum w_i e^{t_i/2} over the causal set,
the inputs that arrive before T:

    tau_m = tau_s       T = b/a - W(-c/a e^{b/a})                   W: Lambert's function
    tau_m = 2 tau_s     T = 2 ln(2a / (a2 + sqrt(a2^2 - 4ac)))

and from V(T) = c, with k(d) = d e^{-d} or e^{-d/2} - e^{-d} (README, Eqs. 5 to 7):

    dT/dw_i = -k(T - t_i) / V'(T)      dT/dt_i = w_i k'(T - t_i) / V'(T)

Computed by `training/first_spike/core.hpp` and, for tests, in JAX by its `closed_form`. Bias spikes
are the times `bias_times` in talk.yaml, one number for each: every layer receives them as further
inputs (`task.with_bias`; Brian2 takes them with one hidden layer only). The same equations for
Brian2: `training/first_spike/brian_network`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.goeltz.task import with_bias
from whyspiking.training import first_spike
from whyspiking.training.first_spike import LayerOutput, compiled, encoding

Weights = tuple[NDArray, ...]
"""w_hidden (input + bias, hidden) and w_output (hidden + bias, output)."""

WEIGHT_NAMES = ("w_hidden", "w_output")
"""Names of the weight matrices of a trained network."""


@dataclass(frozen=True)
class Pass:
    """Times that each layer received, (sample, input + bias), and its first spikes; output last."""

    received: tuple[NDArray, ...]
    layers: tuple[LayerOutput, ...]

    @property
    def hidden(self) -> LayerOutput:
        """The hidden layer."""
        return self.layers[0]

    @property
    def output(self) -> LayerOutput:
        """The output layer."""
        return self.layers[-1]


def weights_of(network: ct.Network) -> Weights:
    """Return the weight matrices of a trained network, layer by layer."""
    return tuple(network.arrays[name] for name in WEIGHT_NAMES)


def threshold(params: ct.Params) -> float:
    """C = theta g_l in the code's units theta = 1, g_l = tau_s / tau_m (README, Eq. 2)."""
    return params.theta / params.tau_ratio


Forward = Callable[[NDArray, Weights], Pass]
"""Input times with bias (sample, input + bias) and weights -> spikes with the slopes at them."""


def closed_form(params: ct.Params) -> Forward:
    """Make the forward pass of ideal neurons (README, Eq. 3)."""
    c = threshold(params)

    def forward(times: NDArray, weights: Weights) -> Pass:
        received = [times]
        layers = [compiled.forward(times, weights[0], c, params.tau_ratio)]
        for w in weights[1:]:
            received.append(with_bias(layers[-1].times, params))
            layers.append(compiled.forward(received[-1], w, c, params.tau_ratio))
        return Pass(tuple(received), tuple(layers))

    return forward


def gradients(params: ct.Params, spikes: Pass, weights: Weights, by_output: NDArray) -> Weights:
    """Compute the derivatives of the loss by the weights of a pass (README, Eqs. 5 to 7).

    They follow from those by the output times, (sample, class).
    """
    limits = {
        "min_slope": first_spike.min_slope(params.slope_floor, threshold(params), params.tau_ratio),
        "max_dw": params.max_dw_norm,
    }
    dtype = weights[0].dtype
    by_time, by_weights = by_output, []
    for layer in reversed(range(len(weights))):
        received, w = spikes.received[layer].astype(dtype), weights[layer]
        # Derivatives by the times of the network's input are not needed.
        first_time = 0 if layer else received.shape[1]
        by_weight, by_received = compiled.backward(
            received, w, spikes.layers[layer], by_time, params.tau_ratio,
            first_time=first_time, **limits,
        )  # fmt: skip
        by_weights.append(by_weight)
        if layer:
            by_time = by_received[:, : weights[layer - 1].shape[1]]
    return tuple(reversed(by_weights))


def forward_pass(
    params: ct.Params, weights: Weights, task: ct.Task, forward: Forward | None = None
) -> Pass:
    """Compute all first spikes for the trials of a task, by default in closed form."""
    forward = forward or closed_form(params)
    times = task.stimulus.spikes["input"].first_ms() / params.tau_s_ms
    return forward(times.astype(weights[0].dtype), weights)


def evaluate(
    params: ct.Params, weights: Weights, task: ct.Task, forward: Forward | None = None
) -> ct.Trials:
    """Decisions by the first output spike, ties to the lower class; silence is no decision."""
    times = forward_pass(params, weights, task, forward).output.times
    return encoding.decide(times, task, params.tau_s_ms)


def accuracy(params: ct.Params, weights: Weights, task: ct.Task, forward: Forward) -> float:
    """Compute the share of correct decisions."""
    trials = evaluate(params, weights, task, forward)
    return float((trials.choices == trials.targets).mean())
