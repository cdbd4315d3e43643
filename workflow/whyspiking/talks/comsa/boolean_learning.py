"""Learning of the gates in JAX: many small networks per gate, all at once (README, 5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.comsa import model
from whyspiking.talks.comsa.boolean_task import GATES, N_INPUT, samples, truth
from whyspiking.talks.comsa.model import NAMES, PULSES
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.first_spike.closed_form import spike_times
from whyspiking.training.history import BROKEN, LOSS, History, refuse_broken

NEVER = 1e3
"""Time units at which a silent output counts in the softmax: its probability is 0."""

type Arrays = dict[str, Array]
"""`model.Arrays` of one network, or with the network as first axis."""
type State = tuple[Arrays, Arrays, Arrays, Array]
"""Arrays, both moments of Adam, number of updates."""


def initial(params: ct.Params, streams: Streams) -> dict[str, NDArray]:
    """Weights ~ N(mu, sigma^2) and evenly spaced pulses of all networks, network first."""
    rng = streams.rng("init")
    n = len(GATES) * params.n_networks
    arrays = {}
    for name, n_in, n_out in (
        ("w_hidden", N_INPUT, params.n_hidden),
        ("w_output", params.n_hidden, params.n_output),
    ):
        sigma = np.sqrt(2 / (n_in + n_out + params.n_pulses))
        shape = (n, n_in + params.n_pulses, n_out)
        arrays[name] = rng.normal(params.weight_mean * sigma, sigma, shape).astype(np.float32)
    for name in PULSES:
        first_pulse, last_pulse = getattr(params, name)
        pulses = np.linspace(first_pulse, last_pulse, params.n_pulses).astype(np.float32)
        arrays[name] = np.tile(pulses, (n, 1))
    return arrays


def train(params: ct.Params, streams: Streams, progress: ct.Progress) -> ct.Network:
    """Train all networks of all gates; each keeps its arrays of best validation accuracy.

    Args:
        params: Parameters of the experiment.
        streams: Randomness: "init", "shuffle", and the examples.
        progress: Called ten times.

    Returns:
        Arrays with the networks along the first axis, gate by gate, best first within a gate;
        `validation` (gate, network).

    Raises:
        UserError: If the loss or a gradient of any network is not finite; names epoch, step and
            array.
    """
    run, choose = compile_functions(params)
    gate_of = np.repeat(np.arange(len(GATES)), params.n_networks)
    x, y = (jnp.asarray(array) for array in _draw_examples(params, "train", streams))
    x = x.astype(jnp.float32)
    validation_inputs, targets = _draw_examples(params, "validation", streams)
    validation_inputs = jnp.asarray(validation_inputs, jnp.float32)
    arrays: Any = {name: jnp.asarray(values) for name, values in initial(params, streams).items()}
    moments = ({k: jnp.zeros_like(v) for k, v in arrays.items()} for _ in range(2))
    training = SimpleNamespace(state=(arrays, *moments, jnp.zeros(gate_of.size)))
    shuffle = streams.rng("shuffle")
    best = {name: np.asarray(values).copy() for name, values in arrays.items()}
    best_accuracy, history, seconds = np.full(gate_of.size, -1.0), History(), []
    checkpoint = Checkpoint(training, best, best_accuracy, shuffle, history, seconds)
    for epoch in checkpoint.rounds(range(params.epochs), progress):
        started = time.process_time()
        training.state, broken = run(
            training.state, x, y, _draw_order(params, shuffle, gate_of.size)
        )
        refuse_broken(broken, epoch + 1, params.weight_rate)
        epoch_accuracy = (np.asarray(choose(training.state[0], validation_inputs)) == targets).mean(
            axis=1
        )
        seconds.append(time.process_time() - started)
        for name, values in best.items():
            values[epoch_accuracy > best_accuracy] = np.asarray(training.state[0][name])[
                epoch_accuracy > best_accuracy
            ]
        np.maximum(best_accuracy, epoch_accuracy, out=best_accuracy)
        medians = np.median(epoch_accuracy.reshape(len(GATES), -1), axis=1)
        metric_names = (f"validation_accuracy_{gate}" for gate in GATES)
        history.note(epoch + 1, **dict(zip(metric_names, medians, strict=True)))
        if (epoch + 1) % max(1, params.epochs // 10) == 0:
            news = ", ".join(f"{g} {m:.3f}" for g, m in zip(GATES, medians, strict=True))
            progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {news}")
    ranked = np.lexsort((-best_accuracy, gate_of))
    final = {name: values[ranked] for name, values in best.items()}
    validation = best_accuracy[ranked].reshape(len(GATES), -1)
    timing = {"epochs": params.epochs, "epoch_seconds": float(np.mean(seconds))}
    info = {"engine": "jax", **timing, "networks": int(gate_of.size)}
    return ct.Network({**final, "validation": validation}, info, history.rows)


def _draw_examples(params: ct.Params, split: ct.Split, streams: Streams) -> tuple[NDArray, NDArray]:
    """Draw inputs (network, example, 2) and classes (network, example) of all networks."""
    values = samples(params, split, streams).reshape(-1, len(GATES), N_INPUT)
    classes = [truth(gate, values[:, i_gate]) for i_gate, gate in enumerate(GATES)]
    per_gate = (values.transpose(1, 0, 2), np.array(classes))
    inputs, targets = (np.repeat(gate_array, params.n_networks, axis=0) for gate_array in per_gate)
    return inputs, targets


def _draw_order(params: ct.Params, shuffle: np.random.Generator, n_networks: int) -> Array:
    """Draw each network's order of examples in one epoch, (step, network, batch)."""
    n_steps = params.n_train // params.batch
    order = np.argsort(shuffle.random((n_networks, params.n_train)), axis=1)
    order = order[:, : n_steps * params.batch].reshape(n_networks, n_steps, params.batch)
    return jnp.asarray(order.transpose(1, 0, 2))


def compile_functions(params: ct.Params) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Compile one epoch of all networks, and their choices."""

    def choose(arrays: Arrays, x: Array) -> Array:
        return choices(first_spikes(params, arrays, x)[1])

    return jax.jit(partial(train_epoch, params)), jax.jit(jax.vmap(choose))


def train_epoch(
    params: ct.Params, state: State, x: Array, y: Array, order: Array
) -> tuple[State, dict[str, Array]]:
    """Train all networks for one epoch; state, examples and order have the network as an axis.

    Returns:
        The new state; whether loss or gradients of any network were not finite, (step,).
    """
    update_all: Any = jax.vmap(partial(update, params))
    take = jax.vmap(lambda values, index: values[index])

    def train_batch(state: State, i_examples: Array) -> tuple[State, dict[str, Array]]:
        state, broken = update_all(state, take(x, i_examples), take(y, i_examples))
        return state, {name: networks.any() for name, networks in broken.items()}

    return jax.lax.scan(train_batch, state, order)


def update(params: ct.Params, state: State, x: Array, y: Array) -> tuple[State, dict[str, Array]]:
    """Do one step of Adam for one network and batch, if any example is decided wrongly.

    Returns:
        The new state; whether loss or gradients were not finite.
    """
    arrays, mean, square, count = state
    differentiate = jax.value_and_grad(partial(loss, params), has_aux=True)
    (value, (hidden, times, wrong)), gradients = differentiate(arrays, x, y)
    for name, layer in (("w_hidden", hidden), ("w_output", times)):
        silent_share = (jnp.isinf(layer) & wrong[:, None]).sum(axis=0) / params.batch
        gradients[name] = gradients[name] - params.penalty_no_spike * silent_share[None, :]  # Eq. 6
    is_due = wrong.any()
    count = count + is_due
    broken = {f"{BROKEN}{name}": ~jnp.isfinite(g).all() & is_due for name, g in gradients.items()}
    broken[f"{BROKEN}{LOSS}"] = ~jnp.isfinite(value)
    updated = adam(params, (arrays, mean, square, count), gradients)
    previous = (arrays, mean, square)
    selected = jax.tree.map(
        lambda new_value, old_value: jnp.where(is_due, new_value, old_value), updated, previous
    )
    return (*selected, count), broken


def loss(
    params: ct.Params, arrays: Arrays, x: Array, y: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    """Compute Eq. 3 over the wrongly decided examples; return the times and which are wrong too.

    Only wrong examples teach: the rule that makes these tasks learnable.
    """
    hidden, times = first_spikes(params, arrays, x)
    is_wrong = choices(times) != y
    shares = jax.nn.log_softmax(-jnp.where(jnp.isfinite(times), times, NEVER))
    losses = -jnp.take_along_axis(shares, y[:, None], axis=1)[:, 0]
    return jnp.sum(jnp.where(is_wrong, losses, 0)) / params.batch, (hidden, times, is_wrong)


def first_spikes(params: ct.Params, arrays: Arrays, x: Array) -> tuple[Array, Array]:
    """Hidden spikes in units of 1/K, output spikes in time units; (example, neuron)."""
    k, c = params.decay_rate, model.threshold(params)

    def append_pulses(times: Array, pulses: Array) -> Array:
        pulse_times = jnp.broadcast_to(pulses * k, (times.shape[0], pulses.shape[0]))
        return jnp.concatenate([times, pulse_times], axis=1)

    hidden = spike_times(append_pulses(x * k, arrays["input_pulses"]), arrays["w_hidden"], c, 1)
    hidden_with_pulses = append_pulses(hidden, arrays["hidden_pulses"])
    return hidden, spike_times(hidden_with_pulses, arrays["w_output"], c, 1) / k


def choices(times: Array) -> Array:
    """Choose the class that fires first, -1 where none does."""
    return jnp.where(jnp.isfinite(times).any(axis=1), times.argmin(axis=1), -1)


def adam(params: ct.Params, state: State, gradients: Arrays) -> tuple[Arrays, Arrays, Arrays]:
    """Step with Adam, epsilon inside the root, one rate for weights and one for pulses (>= 0).

    Optax rounds otherwise, and small rounding changes what these networks learn.
    """
    arrays, mean, square, count = state
    b1, b2 = params.adam_beta1, params.adam_beta2
    mean = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mean, gradients)
    square = jax.tree.map(lambda s, g: b2 * s + (1 - b2) * g * g, square, gradients)
    new_arrays = {}
    for name in NAMES:
        rate = params.pulse_rate if name in PULSES else params.weight_rate
        first_moment = mean[name] / (1 - b1**count)
        scale = jnp.sqrt(square[name] / (1 - b2**count) + params.adam_epsilon)
        stepped = arrays[name] - rate * first_moment / scale
        new_arrays[name] = jnp.maximum(stepped, 0) if name in PULSES else stepped
    return new_arrays, mean, square
