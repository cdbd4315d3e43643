"""The network: closed-form forward and backward pass, and the same network in Brian2.

Time inside this module is in units of tau_s = 1 ms, so it equals milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.types import Binding, Network, Params, Task, Trials
from whyspiking.talks.goeltz.task import with_bias
from whyspiking.training import first_spike
from whyspiking.training.first_spike import LayerOutput, brian_network, compiled, encoding

Weights = tuple[NDArray, ...]
"""w_hidden (input + bias, hidden), further hidden layers, and w_output (hidden + bias, output)."""


@dataclass(frozen=True)
class Pass:
    """Spikes of one batch, layer by layer.

    Attributes:
        received: What each layer received: input times, or those of the layer before, with bias;
            (sample, input + bias).
        layers: First spikes of each layer, the output last.
    """

    received: tuple[NDArray, ...]
    layers: tuple[LayerOutput, ...]

    @property
    def hidden(self) -> LayerOutput:
        """The first hidden layer."""
        return self.layers[0]

    @property
    def output(self) -> LayerOutput:
        """The output layer."""
        return self.layers[-1]


Substrate = Callable[[NDArray, Weights], Pass]
"""A forward pass: input times with bias and weights -> spikes with the slopes at them."""


def names_of(n_layers: int) -> list[str]:
    """Names of the weight matrices: w_hidden, w_hidden_2, ..., w_output."""
    further = [f"w_hidden_{k}" for k in range(2, n_layers)]
    return ["w_hidden", *further, "w_output"]


def weights_of(network: Network) -> Weights:
    """The weight matrices of a trained network, layer by layer."""
    n_layers = 2
    while f"w_hidden_{n_layers}" in network.arrays:
        n_layers += 1
    return tuple(network.arrays[name] for name in names_of(n_layers))


def hidden_sizes(params: Params) -> list[int]:
    """Neurons of each hidden layer."""
    return [int(n) for n in np.atleast_1d(params.n_hidden)]


def threshold(params: Params) -> float:
    """C = theta g_l in the code's units theta = 1, g_l = tau_s / tau_m (README, Eq. 2)."""
    return params.theta / params.tau_ratio


def ideal_substrate(
    params: Params, jitter: Callable[[NDArray], NDArray] | None = None
) -> Substrate:
    """The closed form (README, Eq. 3).

    Args:
        params: Parameters of the experiment.
        jitter: Applied to hidden spike times on their way to the next layer.
    """
    c = threshold(params)

    def forward(times: NDArray, weights: Weights) -> Pass:
        received = [times]
        layers = [compiled.forward(times, weights[0], c, params.tau_ratio)]
        for w in weights[1:]:
            sent = layers[-1].times if jitter is None else jitter(layers[-1].times)
            received.append(with_bias(sent, params))
            layers.append(compiled.forward(received[-1], w, c, params.tau_ratio))
        return Pass(tuple(received), tuple(layers))

    return forward


def uneven_substrate(params: Params, taus: Mapping[str, NDArray]) -> Substrate:
    """Neurons with time constants of their own, found numerically; stands for a chip.

    Only spike times come from the substrate: slopes, and so gradients, are those of the ideal
    neuron at the measured times. The published training in the loop takes the slope from the
    causal set instead (README, section 8).

    Args:
        params: Parameters of the experiment.
        taus: `tau_m_hidden`, `tau_s_hidden`, `tau_m_output`, `tau_s_output`, each (neuron,), in
            units of the nominal tau_s.
    """
    c = np.array(threshold(params))

    def first(times: NDArray, w: NDArray, tau_m: NDArray, tau_s: NDArray) -> NDArray:
        if (tau_s == 1).all() and (tau_m == 2).all():  # the other closed form
            return compiled.forward(times, w, float(c), 2).times
        return compiled.forward_general(times, w, tau_m, tau_s, c)

    def simulate(times: NDArray, weights: Weights) -> tuple[NDArray, NDArray]:
        hidden = first(times, weights[0], taus["tau_m_hidden"], taus["tau_s_hidden"])
        onward = with_bias(hidden, params)
        return hidden, first(onward, weights[1], taus["tau_m_output"], taus["tau_s_output"])

    return in_the_loop(params, simulate)


def in_the_loop(
    params: Params, simulate: Callable[[NDArray, Weights], tuple[NDArray, NDArray]]
) -> Substrate:
    """A substrate of two layers, of which only the spike times can be measured.

    Args:
        params: Parameters of the experiment.
        simulate: Input times with bias and weights -> measured hidden and output times.
    """
    c, ratio = threshold(params), params.tau_ratio

    def forward(times: NDArray, weights: Weights) -> Pass:
        hidden, output = simulate(times, weights)
        onward = with_bias(hidden, params)
        return Pass(
            (times, onward),
            (
                first_spike.measured(times, weights[0], hidden, c, ratio),
                first_spike.measured(onward, weights[1], output, c, ratio),
            ),
        )

    return forward


def gradients(params: Params, spikes: Pass, weights: Weights, by_output: NDArray) -> Weights:
    """Derivatives of the loss by the weight matrices (README, Eqs. 5 to 7).

    Args:
        params: Parameters of the experiment.
        spikes: Forward pass of the batch.
        weights: Weights of that pass.
        by_output: Derivative by the output times, (sample, class).
    """
    limits = {
        "min_slope": first_spike.min_slope(params.slope_floor, threshold(params), params.tau_ratio),
        "max_dw": params.max_dw_norm,
    }
    kind = weights[0].dtype
    by_time, found = by_output, []
    for layer in reversed(range(len(weights))):
        received, w = spikes.received[layer].astype(kind), weights[layer]
        # Nobody asks for derivatives by the times of the input.
        first_time = 0 if layer else received.shape[1]
        by_weight, by_received = compiled.backward(
            received, w, spikes.layers[layer], by_time, params.tau_ratio,
            first_time=first_time, **limits,
        )  # fmt: skip
        found.append(by_weight)
        if layer:
            by_time = by_received[:, : weights[layer - 1].shape[1]]
    return tuple(reversed(found))


def evaluate(
    params: Params, weights: Weights, task: Task, forward: Substrate | None = None
) -> Trials:
    """Decisions by the first output spike; `forward` is by default the closed form."""
    times = forward_pass(params, weights, task, forward).output.times
    return encoding.decide(times, task, params.tau_s_ms)


def forward_pass(
    params: Params, weights: Weights, task: Task, forward: Substrate | None = None
) -> Pass:
    """All first spikes for the trials of a task."""
    forward = forward or ideal_substrate(params)
    times = task.stimulus.spikes["input"].first_ms() / params.tau_s_ms
    return forward(times.astype(weights[0].dtype), weights)


def accuracy(params: Params, weights: Weights, task: Task | None, forward: Substrate) -> float:
    """Share of right decisions."""
    if task is None:
        return float("nan")
    trials = evaluate(params, weights, task, forward)
    return float((trials.choices == trials.targets).mean())


# ---- the same network in Brian2 -------------------------------------------------------------


def to_brian(params: Params) -> BrianModel:
    """The structure, one for all experiments of equal size; the numbers are values of each run."""
    n_input = params.n_input + len(params.bias_times)
    hidden = hidden_sizes(params)
    sizes = "-".join(map(str, (n_input, *hidden, params.n_output)))
    return brian_network.network(
        f"goeltz-{sizes}",
        n_input=n_input,
        n_hidden=hidden,
        n_output=params.n_output,
        direct=bool(params.bias_times),
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
    )


def values(params: Params, weights: Weights) -> dict[str, NDArray | float]:
    """Weights and ideal neurons as values of the Brian2 model, in base units.

    Args:
        params: Parameters of the experiment.
        weights: w_hidden (input + bias, hidden), ..., w_output (hidden + bias, output).

    Raises:
        ValueError: If there is a bias and more than one hidden layer: further hidden layers have
            no synapses from the input in Brian2.
    """
    w_hidden, *further, w_output = (np.asarray(w, float) for w in weights)
    if further and params.bias_times:
        raise ValueError("bias spikes reach the first hidden layer and the output only")
    # The bias spike feeds both layers; the other inputs have no synapses onto the output.
    none = np.zeros((params.n_input, params.n_output))
    n_last = hidden_sizes(params)[-1]
    return brian_network.values(
        w_hidden,
        w_output[:n_last],
        np.vstack([none, w_output[n_last:]]) if params.bias_times else None,
        further=further,
        threshold=threshold(params),
        tau_m_ms=params.tau_ratio * params.tau_s_ms,
        tau_s_ms=params.tau_s_ms,
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the Brian2 model, and name its layers for counting."""
    return brian_network.bind(values(params, weights_of(network)))
