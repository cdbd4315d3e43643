"""Noisy AND, OR and XOR of two inputs, many small networks per gate side by side (README, 5).

A trial holds one example per gate, so the input has two channels per gate. Networks are trained in
JAX, all at once, and simulated in Brian2 as one network with blocks on its diagonal. Within a gate
they are ordered by validation accuracy, best first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Binding,
    Condition,
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Task,
    Trials,
)
from whyspiking.talks.comsa import model, pulsed
from whyspiking.talks.comsa.model import NAMES, PULSES
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.first_spike import encoding
from whyspiking.training.history import BROKEN, LOSS, History, refuse_broken

GATES = ("xor", "and", "or")
N_INPUT = 2
WITHOUT_LEARNING = ("fixed_pulses", "no_pulses")
"""Variants whose pulses are not learned."""
NEVER = 1e3
"""Time units at which a silent output counts in the softmax: its probability is 0."""


def examples(gate: str, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noisy inputs of one gate, (example, 2): false in [0, 0.45), true in [0.55, 1).

    Half of the examples belong to the class whose inputs are all true (AND), all false (OR) or even
    in number (XOR); in the other half AND and OR flip one or two inputs, equally often, and XOR has
    one true input.
    """
    first = rng.random(n) < 0.5
    either = rng.integers(0, 2, n)  # which input, where only one is true or flipped
    one = np.stack([either == 0, either == 1], axis=1)
    both = np.repeat(rng.random(n) < 0.5, N_INPUT).reshape(n, N_INPUT)
    if gate == "xor":
        true = np.where(first[:, None], both, one)
    else:
        flipped = ~first[:, None] & (both | one)
        true = flipped ^ (gate == "and")
    return 0.55 * true + 0.45 * rng.random((n, N_INPUT))


def truth(gate: str, values: NDArray) -> NDArray[np.int64]:
    """Class 0 or 1 of noisy inputs (example, 2)."""
    true = np.asarray(values) > 0.5
    found = {"xor": true.sum(axis=1) == 1, "and": true.all(axis=1), "or": true.any(axis=1)}
    return found[gate].astype(np.int64)


def samples(params: Params, split: Split, streams: Streams) -> NDArray[np.float64]:
    """One example per gate and trial, (trial, 2 x gate)."""
    n = {"train": params.n_train, "validation": params.n_validation, "test": params.n_test}[split]
    return np.hstack([examples(gate, n, streams.rng(f"{gate}-{split}")) for gate in GATES])


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The task of a split; its targets are those of XOR, the other gates' follow from the input."""
    if split == "fresh":
        return None
    values = samples(params, split, streams)
    return encoding.as_task(
        values * params.unit_ms,
        values,
        truth("xor", values[:, :N_INPUT]),
        trial_ms=params.trial_ms,
        n_classes=params.n_output,
    )


def initial(params: Params, streams: Streams) -> dict[str, NDArray]:
    """Weights ~ N(mu, sigma^2) and evenly spaced pulses of all networks, network first."""
    rng = streams.rng("init")
    n = len(GATES) * params.n_networks
    found = {}
    for name, n_in, n_out in (
        ("w_hidden", N_INPUT, params.n_hidden),
        ("w_output", params.n_hidden, params.n_output),
    ):
        sigma = np.sqrt(2 / (n_in + n_out + params.n_pulses))
        shape = (n, n_in + params.n_pulses, n_out)
        found[name] = rng.normal(params.weight_mean * sigma, sigma, shape).astype(np.float32)
    for name in PULSES:
        first, last = getattr(params, name)
        pulses = np.linspace(first, last, params.n_pulses).astype(np.float32)
        found[name] = np.tile(pulses, (n, 1))
    return found


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train all networks of all gates; each keeps its model of best validation accuracy.

    In the variant "fixed_pulses" pulses stay where they start, in "no_pulses" they never come.
    Randomness: "init", "shuffle", and the examples; equal in all variants.

    Returns:
        Arrays with the networks along the first axis, gate by gate, best first within a gate;
        `validation` (gate, network).

    Raises:
        UserError: If the loss or a gradient of any network is not finite; names epoch, step and
            array.
    """
    import jax.numpy as jnp

    if variant in WITHOUT_LEARNING:
        params = replace(params, values={**params.values, "pulse_rate": 0.0})
    run, choose = _compiled(params)
    gate_of = np.repeat(np.arange(len(GATES)), params.n_networks)
    data = {}
    for split in ("train", "validation"):
        values = samples(params, split, streams).reshape(-1, len(GATES), N_INPUT)
        classes = [truth(gate, values[:, index]) for index, gate in enumerate(GATES)]
        data[split] = values.transpose(1, 0, 2)[gate_of], np.array(classes)[gate_of]
    start = initial(params, streams)
    if variant == "no_pulses":
        start |= {name: np.full_like(start[name], np.inf) for name in PULSES}
    arrays: Any = {name: jnp.asarray(values) for name, values in start.items()}
    state: Any = (arrays, *({k: jnp.zeros_like(v) for k, v in arrays.items()} for _ in range(2)))
    state = (*state, jnp.zeros(gate_of.size))
    x, y = (jnp.asarray(part) for part in data["train"])
    x = x.astype(jnp.float32)
    held_out = jnp.asarray(data["validation"][0], jnp.float32)
    shuffle, n_steps = streams.rng("shuffle"), params.n_train // params.batch
    best = {name: np.asarray(values).copy() for name, values in arrays.items()}
    accuracy, history, seconds = np.full(gate_of.size, -1.0), History(), []
    kept = Checkpoint(shuffle, history, *best.values())
    epochs, (state, accuracy, seconds) = kept.resume(
        range(params.epochs), (state, accuracy, seconds), progress
    )
    for epoch in epochs:
        kept.keep(epoch, (state, accuracy, seconds))
        began = time.process_time()
        order = np.argsort(shuffle.random((gate_of.size, params.n_train)), axis=1)
        order = order[:, : n_steps * params.batch].reshape(gate_of.size, n_steps, params.batch)
        state, broken = run(state, x, y, jnp.asarray(order.transpose(1, 0, 2)))
        refuse_broken(broken, epoch + 1, params.weight_rate)
        found = (np.asarray(choose(state[0], held_out)) == data["validation"][1]).mean(axis=1)
        seconds.append(time.process_time() - began)
        for name, values in best.items():
            values[found > accuracy] = np.asarray(state[0][name])[found > accuracy]
        accuracy = np.maximum(accuracy, found)
        medians = np.median(found.reshape(len(GATES), -1), axis=1)
        named = (f"validation_accuracy_{gate}" for gate in GATES)
        history.note(epoch + 1, **dict(zip(named, medians, strict=True)))
        if (epoch + 1) % max(1, params.epochs // 10) == 0:
            told = ", ".join(f"{g} {m:.3f}" for g, m in zip(GATES, medians, strict=True))
            progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {told}")
    ranked = np.lexsort((-accuracy, gate_of))
    return Network(
        arrays={
            **{name: values[ranked] for name, values in best.items()},
            "validation": accuracy[ranked].reshape(len(GATES), -1),
        },
        info={
            "engine": "jax",
            "epochs": params.epochs,
            "epoch_seconds": float(np.mean(seconds)),
            "networks": int(gate_of.size),
        },
        history=history.rows,
    )


def _compiled(params: Params) -> tuple[Any, Any]:
    """One epoch of all networks, and their choices, as compiled JAX functions."""
    import jax
    import jax.numpy as jnp

    from whyspiking.training.first_spike.closed_form import spike_times

    k, c = params.decay_rate, model.threshold(params)

    def outputs(arrays: Mapping[str, Any], x: Any) -> tuple[Any, Any]:
        def join(times: Any, pulses: Any) -> Any:
            shown = jnp.broadcast_to(pulses * k, (times.shape[0], pulses.shape[0]))
            return jnp.concatenate([times, shown], axis=1)

        hidden = spike_times(join(x * k, arrays["input_pulses"]), arrays["w_hidden"], c, 1)
        onward = join(hidden, arrays["hidden_pulses"])
        return hidden, spike_times(onward, arrays["w_output"], c, 1) / k

    def choices(times: Any) -> Any:
        return jnp.where(jnp.isfinite(times).any(axis=1), times.argmin(axis=1), -1)

    def loss(arrays: Mapping[str, Any], x: Any, y: Any) -> Any:
        hidden, times = outputs(arrays, x)
        wrong = choices(times) != y
        shares = jax.nn.log_softmax(-jnp.where(jnp.isfinite(times), times, NEVER))
        costs = -jnp.take_along_axis(shares, y[:, None], axis=1)[:, 0]
        # Only examples that are decided wrongly teach: the rule that makes these tasks learnable.
        return jnp.sum(jnp.where(wrong, costs, 0)) / params.batch, (hidden, times, wrong)

    def update(
        arrays: dict[str, Any], mean: Any, square: Any, step: Any, x: Any, y: Any
    ) -> tuple[tuple[Any, Any, Any, Any], dict[str, Any]]:
        differentiate = jax.value_and_grad(loss, has_aux=True)
        (value, (hidden, times, wrong)), found = differentiate(arrays, x, y)
        for name, layer in (("w_hidden", hidden), ("w_output", times)):
            silent = (jnp.isinf(layer) & wrong[:, None]).sum(axis=0) / params.batch
            found[name] = found[name] - params.penalty_no_spike * silent[None, :]
        due = wrong.any()
        step = step + due
        broken = {f"{BROKEN}{name}": ~jnp.isfinite(g).all() & due for name, g in found.items()}
        broken[f"{BROKEN}{LOSS}"] = ~jnp.isfinite(value)
        b1, b2 = params.adam_beta1, params.adam_beta2
        new_mean = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, mean, found)
        new_square = jax.tree.map(lambda s, g: b2 * s + (1 - b2) * g * g, square, found)
        new = {}
        for name in NAMES:
            rate = params.pulse_rate if name in PULSES else params.weight_rate
            top = new_mean[name] / (1 - b1**step)
            bottom = jnp.sqrt(new_square[name] / (1 - b2**step) + params.adam_epsilon)
            moved = arrays[name] - rate * top / bottom
            new[name] = jnp.maximum(moved, 0) if name in PULSES else moved

        def kept(after: Any, before: Any) -> Any:
            return jax.tree.map(lambda a, b: jnp.where(due, a, b), after, before)

        return (kept(new, arrays), kept(new_mean, mean), kept(new_square, square), step), broken

    every: Any = jax.vmap(update)

    @jax.jit
    def run(state: Any, x: Any, y: Any, order: Any) -> Any:
        def one(state: Any, chosen: Any) -> tuple[Any, dict[str, Any]]:
            take = jax.vmap(lambda values, index: values[index])
            state, broken = every(*state, take(x, chosen), take(y, chosen))
            return state, {name: networks.any() for name, networks in broken.items()}

        return jax.lax.scan(one, state, order)

    return run, jax.jit(jax.vmap(lambda arrays, x: choices(outputs(arrays, x)[1])))


# ---- evaluation ------------------------------------------------------------------------------


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run the networks in closed form."""
    times = first_output_times(params, network.arrays, model.times_of(params, task))
    return decide(params, times, task)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First output spikes up to the end of the trial in closed form."""
    times = first_output_times(params, network.arrays, model.times_of(params, task))
    return model.within_trial(params, {"output": times.reshape(len(times), -1)})


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first output spike of the XOR network decides; silence is no decision."""
    return decide(params, simulated_times(params, recording.spikes["output"]), task)


def first_output_times(params: Params, arrays: Mapping[str, NDArray], values: NDArray) -> NDArray:
    """First output spikes of every network in closed form, float64.

    Args:
        params: Neuron parameters.
        arrays: As `train` returns them.
        values: Inputs, (trial, 2 x gate).

    Returns:
        Time units, inf where silent; (trial, network, class).
    """
    values, found = np.asarray(values, float), []
    for index in range(len(arrays["w_hidden"])):
        gate = index // params.n_networks
        own = {name: arrays[name][index] for name in NAMES}
        part = values[:, gate * N_INPUT : (gate + 1) * N_INPUT]
        found.append(model.first_spikes(params, own, part)[1])
    return np.stack(found, axis=1)


def accuracies(params: Params, times: NDArray, values: NDArray) -> NDArray[np.float64]:
    """Accuracy of every network, (gate, network); silence is wrong.

    Args:
        params: Number of networks per gate.
        times: First output spikes, (trial, network, class).
        values: Inputs, (trial, 2 x gate).
    """
    choices = np.where(np.isfinite(times.min(axis=2)), times.argmin(axis=2), -1)
    found = []
    for index, gate in enumerate(GATES):
        own = choices[:, index * params.n_networks : (index + 1) * params.n_networks]
        target = truth(gate, values[:, index * N_INPUT : (index + 1) * N_INPUT])
        found.append((own == target[:, None]).mean(axis=0))
    return np.array(found)


def decide(params: Params, times: NDArray, task: Task) -> Trials:
    """Decisions of the XOR network in the middle of the order of validation accuracies."""
    return encoding.decide(times[:, params.n_networks // 2], task, params.unit_ms)


def simulated_times(params: Params, output: Spikes) -> NDArray:
    """First output spikes of a recording in time units, (trial, network, class)."""
    times = output.first_ms() / params.unit_ms
    return times.reshape(len(times), -1, params.n_output)


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Median accuracy over the networks of each gate."""
    times = simulated_times(params, recording.spikes["output"])
    found = accuracies(params, times, np.asarray(task.features))
    return {f"accuracy_{gate}": float(np.median(a)) for gate, a in zip(GATES, found, strict=True)}


def to_brian(params: Params) -> BrianModel:
    """All networks side by side."""
    n = len(GATES) * params.n_networks
    return pulsed.network(
        params,
        f"comsa-boolean-{n}",
        n_input=len(GATES) * N_INPUT,
        n_hidden=n * params.n_hidden,
        n_output=n * params.n_output,
        n_pulses=n * params.n_pulses,
    )


def bind(params: Params, network: Network) -> Binding:
    """Weights of all networks as blocks on the diagonals of two matrices."""
    w_hidden, w_output = network.arrays["w_hidden"], network.arrays["w_output"]
    # The networks of one gate share its input channels; pulses and hidden neurons belong to one.
    gate_of = np.arange(len(w_hidden)) // params.n_networks
    inputs = np.zeros((len(GATES), N_INPUT, len(w_hidden), params.n_hidden))
    for index, gate in enumerate(gate_of):
        inputs[gate, :, index] = w_hidden[index, :N_INPUT]
    together = {
        "w_hidden": np.vstack(
            [inputs.reshape(len(GATES) * N_INPUT, -1), _diagonal(w_hidden[:, N_INPUT:])]
        ),
        "w_output": np.vstack(
            [_diagonal(w_output[:, : params.n_hidden]), _diagonal(w_output[:, params.n_hidden :])]
        ),
        **{name: network.arrays[name].ravel() for name in PULSES},
    }
    return pulsed.bind(params, together, len(GATES) * N_INPUT)


def _diagonal(blocks: NDArray) -> NDArray[np.float64]:
    """Blocks (block, row, column) along the diagonal of one matrix, zero elsewhere."""
    n, rows, columns = blocks.shape
    found = np.zeros((n, rows, n, columns))
    found[np.arange(n), :, np.arange(n)] = blocks
    return found.reshape(n * rows, n * columns)
