"""The recurrent control: a GRU of as many weights on the same frames (README, section 5)."""

from __future__ import annotations

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Progress, Task, Trials
from whyspiking.talks.neftci import model, task
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import BROKEN, History, batches, refuse_broken, stacked

ENGINE = "jax"
EVALUATED_AT_ONCE = 250


def initial(params: Params, streams: Streams) -> dict[str, NDArray[np.float32]]:
    """Uniform weights (Glorot & Bengio 2010); gates z, r and the candidate side by side."""
    rng = streams.rng("control-init")
    n_in, n, k = model.sizes(params)[0], params.n_gru, params.n_classes

    def uniform(rows: int, columns: int, copies: int = 1) -> NDArray[np.float32]:
        limit = np.sqrt(6 / (rows + columns))
        return rng.uniform(-limit, limit, (rows, copies * columns)).astype(np.float32)

    return {
        "input": uniform(n_in, n, 3),
        "state": uniform(n, n, 3),
        "bias": np.zeros(3 * n, np.float32),
        "out": uniform(n, k),
        "out_bias": np.zeros(k, np.float32),
    }


def readout(arrays: Any, frames: Any) -> Any:
    """Logits in every step (Cho et al. 2014, with the reset before the product of the candidate).

    Args:
        arrays: From `initial`.
        frames: (time, trial, input).

    Returns:
        (time, trial, class).
    """
    n = arrays["out"].shape[0]
    drive = (frames.reshape(-1, frames.shape[2]) @ arrays["input"]).reshape(
        *frames.shape[:2], 3 * n
    ) + arrays["bias"]

    def step(h: Any, now: Any) -> Any:
        gates = jax.nn.sigmoid(now[:, : 2 * n] + h @ arrays["state"][:, : 2 * n])
        keep, reset = gates[:, :n], gates[:, n:]
        new = jnp.tanh(now[:, 2 * n :] + (reset * h) @ arrays["state"][:, 2 * n :])
        h = keep * h + (1 - keep) * new
        return h, h

    states = jax.lax.scan(step, jnp.zeros((frames.shape[1], n)), drive)[1]
    return states @ arrays["out"] + arrays["out_bias"]


def train(params: Params, streams: Streams, progress: Progress) -> Network:
    """Cross-entropy in every step that counts, BPTT, Adam with a cosine decay; last epoch kept.

    Randomness: "control-init", "shuffle".
    """
    data, held_out = task.recordings_of(params, "train"), task.recordings_of(params, "validation")
    n, batch, first = len(data.labels), params.batch_gru, model.burn_in(params)
    n_batches = n // batch
    adam = optax.adam(optax.cosine_decay_schedule(params.rate_gru, params.epochs * n_batches))

    def loss(arrays: Any, frames: Any, labels: Any) -> Any:
        logits = readout(arrays, frames)[first:]
        return optax.softmax_cross_entropy_with_integer_labels(
            logits, jnp.broadcast_to(labels, logits.shape[:2])
        ).mean()

    @jax.jit
    def update(arrays: Any, state: Any, frames: Any, labels: Any) -> Any:
        slopes = jax.grad(loss)(arrays, frames, labels)
        updates, state = adam.update(slopes, state, arrays)
        broken = {f"{BROKEN}{name}": ~jnp.isfinite(g).all() for name, g in slopes.items()}
        return optax.apply_updates(arrays, updates), state, broken

    arrays: Any = {name: jnp.asarray(x) for name, x in initial(params, streams).items()}
    state, shuffle = adam.init(arrays), streams.rng("shuffle")
    history, seconds = History(), []
    value = float("nan")
    kept = Checkpoint(shuffle, history)
    epochs, (arrays, state, seconds) = kept.resume(
        range(params.epochs), (arrays, state, seconds), progress
    )
    for epoch in epochs:
        kept.keep(epoch, (arrays, state, seconds))
        began, broken = time.process_time(), []
        for chosen in batches(n, batch, shuffle):
            given = data.unpacked(chosen), data.labels[chosen]
            arrays, state, found = update(arrays, state, *given)
            broken.append(found)
        refuse_broken(stacked(broken), epoch + 1, params.rate_gru)
        seconds.append(time.process_time() - began)
        choices = _decide(params, arrays, held_out.labels, held_out.unpacked()).choices
        value = float((choices == held_out.labels).mean())
        updates = (epoch + 1) * n_batches
        seen = {"samples": updates * batch, "updates": updates}
        history.note(epoch + 1, validation_accuracy=value, **seen)
        progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {value:.4f}")
    found = {name: np.asarray(x) for name, x in arrays.items()}
    return Network(
        found,
        {
            "engine": ENGINE,
            "rule": "bptt",
            "epochs": params.epochs,
            "epoch_seconds": float(np.mean(seconds)),
            "validation_accuracy": value,
            "parameters": int(sum(x.size for x in found.values())),
            "counts": count_operations(params, found, held_out.unpacked()),
        },
        history.rows,
    )


def evaluate(params: Params, network: Network, given: Task) -> Trials:
    """Vote over time of the largest logit, as the spiking network decides."""
    frames = task.frames_of(params, given.stimulus.spikes[task.INPUT])
    return _decide(params, network.arrays, given.targets, frames)


def count_operations(params: Params, arrays: Any, frames: NDArray) -> dict[str, float]:
    """Operations per trial, by name of `tables.GLOSSARY`; zeros of the input are skipped.

    Args:
        params: Number of steps.
        arrays: From `initial`.
        frames: Some inputs, (time, trial, input).
    """
    n_in, wide = arrays["input"].shape
    n = arrays["out"].shape[0]
    active = np.count_nonzero(frames) / frames.shape[1]
    # Three products per unit and step combine gates and candidate.
    states = params.n_frames * (n * wide + 3 * n + arrays["out"].size)
    return {
        "macs_effective": float(active * wide + states),
        "macs_dense": float(params.n_frames * n_in * wide + states),
        "neuron_updates": float(params.n_frames * n),
        "synapses": float(arrays["input"].size + arrays["state"].size + arrays["out"].size),
        "footprint": 4.0 * sum(x.size for x in arrays.values()),
    }


def _decide(params: Params, arrays: Any, targets: NDArray, frames: NDArray) -> Trials:
    run = jax.jit(readout)
    read = [
        np.asarray(run(arrays, frames[:, k : k + EVALUATED_AT_ONCE]))
        for k in range(0, frames.shape[1], EVALUATED_AT_ONCE)
    ]
    return model.decide(params, targets, np.concatenate(read, axis=1).transpose(1, 0, 2))
