"""The control of evidence accumulation: an LSTM on spike counts per bin, trained by BPTT in JAX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.scherr import task as evidence_task
from whyspiking.talks.scherr.descent import descend
from whyspiking.training.history import History

PIECE = 256
"""Trials that are evaluated together."""


def initial(params: ct.Params, streams: Streams) -> dict[str, NDArray[np.float32]]:
    """Weights of input and state, gates i, f, g, o side by side; uniform (Glorot & Bengio 2010).

    Biases let memories last between one bin and a trial (Tallec & Ollivier 2018): with a forget
    bias of 1 a pilot stayed at chance.
    """
    rng = streams.rng("control-init")
    n_in, n = evidence_task.n_inputs(params), params.n_lstm
    n_bins = -(-evidence_task.n_steps(params) * params.dt_ms // params.bin_ms)
    bias = np.zeros(4 * n)
    bias[n : 2 * n] = np.log(rng.uniform(1, n_bins - 1, n))
    bias[:n] = -bias[n : 2 * n]

    def uniform(rows: int, columns: int) -> NDArray:
        limit = np.sqrt(6 / (rows + columns))
        return rng.uniform(-limit, limit, (rows, columns))

    gates = np.hstack([uniform(n_in + n, n) for _ in range(4)])
    arrays = {
        "input": gates[:n_in],
        "state": gates[n_in:],
        "gates_bias": bias,
        "out": uniform(n, 2),
        "out_bias": np.zeros(2),
    }
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def logits(arrays: Mapping[str, Any], features: Any, first_bin: int) -> Any:
    """Mean output over the recall, (trial, class).

    Args:
        arrays: From `initial`.
        features: Counts per bin, (trial, bin, channel), float32.
        first_bin: First bin of the recall.
    """
    import jax
    import jax.numpy as jnp

    from whyspiking.training.products import product

    shape = features.shape[0], arrays["out"].shape[0]
    drive = product(features, arrays["input"]) + arrays["gates_bias"]

    def step(carry: Any, now: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(now + product(h, arrays["state"]), 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    rest = jnp.zeros(shape), jnp.zeros(shape)
    _, h = jax.lax.scan(step, rest, jnp.swapaxes(drive, 0, 1))
    return product(h[first_bin:].mean(axis=0), arrays["out"]) + arrays["out_bias"]


def first_bin(params: ct.Params) -> int:
    """First bin of the recall."""
    until_recall_ms = evidence_task.n_steps(params) * params.dt_ms - params.recall_ms
    return round(until_recall_ms / params.bin_ms)


def train(params: ct.Params, streams: Streams, progress: ct.Progress) -> ct.Network:
    """Train on fresh trials for a fixed number of iterations, the rate decaying as for the others.

    Args:
        params: Parameters of the experiment.
        streams: Randomness: "control-init", "data-train", "data-validation".
        progress: Called every ten iterations.
    """
    import optax

    n_iterations, first = params.iterations["lstm"], first_bin(params)
    whole = int((1 - params.decay_share) * n_iterations)
    falling = optax.linear_schedule(params.lstm_rate, 0.0, n_iterations - whole)
    schedule = optax.join_schedules([optax.constant_schedule(params.lstm_rate), falling], [whole])
    history = History()

    def loss(arrays: Any, x: Any, labels: Any) -> Any:
        y = logits(arrays, x, first)
        value = optax.softmax_cross_entropy_with_integer_labels(y, labels).mean()
        return value, (y.argmax(axis=1) != labels).mean()

    def draw(rng: np.random.Generator) -> tuple[Any, Any]:
        trials = evidence_task.draw(params, rng, params.batch)
        return evidence_task.binned(params, trials).astype(np.float32), trials.labels

    def note(iteration: int, value: Any, error: Any) -> None:
        history.note(iteration + 1, train_loss=value, train_error=float(error))
        if iteration % 10 == 9 or iteration + 1 == n_iterations:
            mean = np.mean(history.values("train_error")[-10:])
            progress((iteration + 1) / n_iterations, f"iteration {iteration + 1}: error {mean:.3f}")

    arrays = descend(
        loss, optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule)),
        initial(params, streams), draw, streams.rng("data-train"), n_iterations, note, history,
        progress, unit="iteration", rate=params.lstm_rate,
    )  # fmt: skip
    held_out = evidence_task.draw(params, streams.rng("data-validation"), params.n_validation)
    features = evidence_task.binned(params, held_out)
    wrong = choose(arrays, features, first) != held_out.labels
    return ct.Network(
        arrays=arrays,
        info={
            "engine": "jax",
            "rule": "bptt",
            "epochs": n_iterations,
            "validation_error": float(wrong.mean()),
            "parameters": int(sum(x.size for x in arrays.values())),
            "counts": count_operations(arrays, features),
            # The battery perturbs these, and the spikes before they are counted.
            "weights": ["input", "state", "out"],
        },
        history=history.rows,
    )


def choose(arrays: Mapping[str, NDArray], features: NDArray, first: int) -> NDArray[np.int64]:
    """Class with the larger mean output over the recall, (trial,)."""
    import jax

    run = jax.jit(logits, static_argnums=2)
    parts = [
        np.asarray(run(arrays, features[k : k + PIECE].astype(np.float32), first)).argmax(axis=1)
        for k in range(0, len(features), PIECE)
    ]
    return np.concatenate(parts)


def count_operations(arrays: Mapping[str, NDArray], features: NDArray) -> dict[str, float]:
    """Operations per trial, by name of `glossary.GLOSSARY`; zero counts are left out, not states.

    Args:
        arrays: From `initial`.
        features: Counts per bin, (trial, bin, channel).
    """
    n_bins = features.shape[1]
    n_in, n = len(arrays["input"]), len(arrays["state"])
    busy = np.count_nonzero(features) / features.shape[0]
    # Three products per unit and step combine gates and cell; the readout follows the mean.
    states = n_bins * (4 * n * n + 3 * n) + arrays["out"].size
    return {
        "macs_effective": float(busy * 4 * n + states),
        "macs_dense": float(n_bins * n_in * 4 * n + states),
        "neuron_updates": float(n_bins * n),
        "synapses": float(sum(arrays[name].size for name in ("input", "state", "out"))),
        "footprint": 4.0 * sum(x.size for x in arrays.values()),
    }
