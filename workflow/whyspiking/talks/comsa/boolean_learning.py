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
        first, last = getattr(params, name)
        pulses = np.linspace(first, last, params.n_pulses).astype(np.float32)
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
    run, choose = compiled(params)
    gate_of = np.repeat(np.arange(len(GATES)), params.n_networks)
    x, y = (jnp.asarray(part) for part in _of_all(params, "train", streams))
    x = x.astype(jnp.float32)
    held_out, targets = _of_all(params, "validation", streams)
    held_out = jnp.asarray(held_out, jnp.float32)
    arrays: Any = {name: jnp.asarray(values) for name, values in initial(params, streams).items()}
    moments = ({k: jnp.zeros_like(v) for k, v in arrays.items()} for _ in range(2))
    now = SimpleNamespace(state=(arrays, *moments, jnp.zeros(gate_of.size)))
    shuffle = streams.rng("shuffle")
    best = {name: np.asarray(values).copy() for name, values in arrays.items()}
    accuracy, history, seconds = np.full(gate_of.size, -1.0), History(), []
    kept = Checkpoint(now, best, accuracy, shuffle, history, seconds)
    for epoch in kept.rounds(range(params.epochs), progress):
        began = time.process_time()
        now.state, broken = run(now.state, x, y, _order(params, shuffle, gate_of.size))
        refuse_broken(broken, epoch + 1, params.weight_rate)
        reached = (np.asarray(choose(now.state[0], held_out)) == targets).mean(axis=1)
        seconds.append(time.process_time() - began)
        for name, values in best.items():
            values[reached > accuracy] = np.asarray(now.state[0][name])[reached > accuracy]
        np.maximum(accuracy, reached, out=accuracy)
        medians = np.median(reached.reshape(len(GATES), -1), axis=1)
        named = (f"validation_accuracy_{gate}" for gate in GATES)
        history.note(epoch + 1, **dict(zip(named, medians, strict=True)))
        if (epoch + 1) % max(1, params.epochs // 10) == 0:
            news = ", ".join(f"{g} {m:.3f}" for g, m in zip(GATES, medians, strict=True))
            progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {news}")
    ranked = np.lexsort((-accuracy, gate_of))
    final = {name: values[ranked] for name, values in best.items()}
    validation = accuracy[ranked].reshape(len(GATES), -1)
    took = {"epochs": params.epochs, "epoch_seconds": float(np.mean(seconds))}
    info = {"engine": "jax", **took, "networks": int(gate_of.size)}
    return ct.Network({**final, "validation": validation}, info, history.rows)


def _of_all(params: ct.Params, split: ct.Split, streams: Streams) -> tuple[NDArray, NDArray]:
    """Inputs (network, example, 2) and classes (network, example) of all networks."""
    values = samples(params, split, streams).reshape(-1, len(GATES), N_INPUT)
    classes = [truth(gate, values[:, index]) for index, gate in enumerate(GATES)]
    each = (values.transpose(1, 0, 2), np.array(classes))
    inputs, targets = (np.repeat(part, params.n_networks, axis=0) for part in each)
    return inputs, targets


def _order(params: ct.Params, shuffle: np.random.Generator, n_networks: int) -> Array:
    """Examples of one epoch in an order of each network's own, (step, network, batch)."""
    n_steps = params.n_train // params.batch
    order = np.argsort(shuffle.random((n_networks, params.n_train)), axis=1)
    order = order[:, : n_steps * params.batch].reshape(n_networks, n_steps, params.batch)
    return jnp.asarray(order.transpose(1, 0, 2))


def compiled(params: ct.Params) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """One epoch of all networks, and their choices, as compiled functions."""

    def chosen(arrays: Arrays, x: Array) -> Array:
        return choices(first_spikes(params, arrays, x)[1])

    return jax.jit(partial(epoch_of_all, params)), jax.jit(jax.vmap(chosen))


def epoch_of_all(
    params: ct.Params, state: State, x: Array, y: Array, order: Array
) -> tuple[State, dict[str, Array]]:
    """One epoch of all networks, whose state, examples and order have the network as an axis.

    Returns:
        The new state; whether loss or gradients of any network were not finite, (step,).
    """
    every: Any = jax.vmap(partial(update, params))
    take = jax.vmap(lambda values, index: values[index])

    def one(state: State, chosen: Array) -> tuple[State, dict[str, Array]]:
        state, broken = every(state, take(x, chosen), take(y, chosen))
        return state, {name: networks.any() for name, networks in broken.items()}

    return jax.lax.scan(one, state, order)


def update(params: ct.Params, state: State, x: Array, y: Array) -> tuple[State, dict[str, Array]]:
    """One step of Adam for one network and batch; none where all examples are decided rightly.

    Returns:
        The new state; whether loss or gradients were not finite.
    """
    arrays, mean, square, count = state
    differentiate = jax.value_and_grad(partial(loss, params), has_aux=True)
    (value, (hidden, times, wrong)), slopes = differentiate(arrays, x, y)
    for name, layer in (("w_hidden", hidden), ("w_output", times)):
        silent = (jnp.isinf(layer) & wrong[:, None]).sum(axis=0) / params.batch
        slopes[name] = slopes[name] - params.penalty_no_spike * silent[None, :]  # Eq. 6
    due = wrong.any()
    count = count + due
    broken = {f"{BROKEN}{name}": ~jnp.isfinite(g).all() & due for name, g in slopes.items()}
    broken[f"{BROKEN}{LOSS}"] = ~jnp.isfinite(value)
    new = adam(params, (arrays, mean, square, count), slopes)
    old = (arrays, mean, square)
    kept = jax.tree.map(lambda after, before: jnp.where(due, after, before), new, old)
    return (*kept, count), broken


def loss(
    params: ct.Params, arrays: Arrays, x: Array, y: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    """Eq. 3 over the wrongly decided examples, and hidden and output times and which are wrong.

    Only wrong examples teach: the rule that makes these tasks learnable.
    """
    hidden, times = first_spikes(params, arrays, x)
    wrong = choices(times) != y
    shares = jax.nn.log_softmax(-jnp.where(jnp.isfinite(times), times, NEVER))
    costs = -jnp.take_along_axis(shares, y[:, None], axis=1)[:, 0]
    return jnp.sum(jnp.where(wrong, costs, 0)) / params.batch, (hidden, times, wrong)


def first_spikes(params: ct.Params, arrays: Arrays, x: Array) -> tuple[Array, Array]:
    """Hidden spikes in units of 1/K, output spikes in time units; (example, neuron)."""
    k, c = params.decay_rate, model.threshold(params)

    def join(times: Array, pulses: Array) -> Array:
        shown = jnp.broadcast_to(pulses * k, (times.shape[0], pulses.shape[0]))
        return jnp.concatenate([times, shown], axis=1)

    hidden = spike_times(join(x * k, arrays["input_pulses"]), arrays["w_hidden"], c, 1)
    onward = join(hidden, arrays["hidden_pulses"])
    return hidden, spike_times(onward, arrays["w_output"], c, 1) / k


def choices(times: Array) -> Array:
    """The class that fires first, -1 where none does."""
    return jnp.where(jnp.isfinite(times).any(axis=1), times.argmin(axis=1), -1)


def adam(params: ct.Params, state: State, slopes: Arrays) -> tuple[Arrays, Arrays, Arrays]:
    """Adam with its epsilon inside the root, one rate for weights and one for pulses (>= 0).

    Optax rounds otherwise, and small rounding changes what these networks learn.
    """
    arrays, mean, square, count = state
    b1, b2 = params.adam_beta1, params.adam_beta2
    mean = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mean, slopes)
    square = jax.tree.map(lambda s, g: b2 * s + (1 - b2) * g * g, square, slopes)
    new = {}
    for name in NAMES:
        rate = params.pulse_rate if name in PULSES else params.weight_rate
        top = mean[name] / (1 - b1**count)
        bottom = jnp.sqrt(square[name] / (1 - b2**count) + params.adam_epsilon)
        moved = arrays[name] - rate * top / bottom
        new[name] = jnp.maximum(moved, 0) if name in PULSES else moved
    return new, mean, square
