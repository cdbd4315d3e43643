"""The recurrent control: a GRU of as many weights on the same frames (README, section 5).

Gated recurrent units (Cho et al. 2014) that read rasters step by step, trained by BPTT.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.neftci import decisions, model, task
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import BROKEN, History, batches, refuse_broken, stacked
from whyspiking.training.products import product

ENGINE = "jax"
WEIGHTS = ("input", "state", "out")
"""Arrays whose entries are synapses."""
EVALUATED_AT_ONCE = 250


def train(params: ct.Params, streams: Streams, progress: ct.Progress) -> ct.Network:
    """Cross-entropy in every step that counts, BPTT, Adam with a cosine decay; last epoch kept.

    Randomness: "control-init", "shuffle".
    """
    data, held_out = task.recordings_of(params, "train"), task.recordings_of(params, "validation")
    n, batch, first_step = len(data.labels), params.batch_gru, model.burn_in(params)
    n_batches = n // batch
    learner = Learner(params.rate_gru, params.epochs * n_batches, first_step)
    update = jax.jit(learner.update)
    initial_arrays = initial(model.sizes(params)[0], params.n_gru, params.n_classes, streams)
    arrays: Any = {name: jnp.asarray(x) for name, x in initial_arrays.items()}
    trained = SimpleNamespace(arrays=arrays, state=learner.start(arrays))
    shuffle = streams.rng("shuffle")
    history, seconds = History(), []
    value = float("nan")
    checkpoint = Checkpoint(trained, seconds, shuffle, history)
    for epoch in checkpoint.rounds(range(params.epochs), progress):
        start_s, not_finite = time.process_time(), []
        for digits in batches(n, batch, shuffle):
            inputs = data.unpacked(digits), data.labels[digits]
            trained.arrays, trained.state, is_broken = update(
                trained.arrays, trained.state, *inputs
            )
            not_finite.append(is_broken)
        refuse_broken(stacked(not_finite), epoch + 1, params.rate_gru)
        seconds.append(time.process_time() - start_s)
        choices = _decide(params, trained.arrays, held_out.labels, held_out.unpacked()).choices
        value = float((choices == held_out.labels).mean())
        updates = (epoch + 1) * n_batches
        presented = {"samples": updates * batch, "updates": updates}
        history.note(epoch + 1, validation_accuracy=value, **presented)
        progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {value:.4f}")
    final_arrays = {name: np.asarray(x) for name, x in trained.arrays.items()}
    return ct.Network(
        final_arrays,
        {
            "engine": ENGINE,
            "rule": "bptt",
            "epochs": params.epochs,
            "epoch_seconds": float(np.mean(seconds)),
            "validation_accuracy": value,
            "parameters": int(sum(x.size for x in final_arrays.values())),
            "counts": count_operations(final_arrays, held_out.unpacked()),
        },
        history.rows,
    )


def evaluate(params: ct.Params, network: ct.Network, trials: ct.Task) -> ct.Trials:
    """Vote over time of the largest logit, as the spiking network decides."""
    frames = task.frames_of(params, trials.stimulus.spikes[task.INPUT])
    return _decide(params, network.arrays, trials.targets, frames)


def _decide(params: ct.Params, arrays: Any, targets: NDArray, frames: NDArray) -> ct.Trials:
    return decisions.decide(params, targets, read(arrays, frames))


def initial(n_in: int, n: int, n_classes: int, streams: Streams) -> dict[str, NDArray[np.float32]]:
    """Uniform weights (Glorot & Bengio 2010); gates z, r and the candidate side by side.

    Args:
        n_in: Inputs.
        n: Units.
        n_classes: Channels of the readout.
        streams: Randomness: "control-init".
    """
    rng = streams.rng("control-init")

    def uniform(rows: int, columns: int, copies: int = 1) -> NDArray[np.float32]:
        limit = np.sqrt(6 / (rows + columns))
        return rng.uniform(-limit, limit, (rows, copies * columns)).astype(np.float32)

    return {
        "input": uniform(n_in, n, 3),
        "state": uniform(n, n, 3),
        "bias": np.zeros(3 * n, np.float32),
        "out": uniform(n, n_classes),
        "out_bias": np.zeros(n_classes, np.float32),
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
    drive = product(frames, arrays["input"]) + arrays["bias"]

    def step(h: Any, inputs: Any) -> Any:
        gates = jax.nn.sigmoid(inputs[:, : 2 * n] + product(h, arrays["state"][:, : 2 * n]))
        keep, reset = gates[:, :n], gates[:, n:]
        candidate = jnp.tanh(inputs[:, 2 * n :] + product(reset * h, arrays["state"][:, 2 * n :]))
        h = keep * h + (1 - keep) * candidate
        return h, h

    states = jax.lax.scan(step, jnp.zeros((frames.shape[1], n)), drive)[1]
    return product(states, arrays["out"]) + arrays["out_bias"]


class Learner:
    """Adam with a cosine decay on the cross-entropy in every step that counts.

    Attributes:
        start: Arrays -> state of Adam before the first update.
    """

    def __init__(self, rate: float, n_updates: int, first_step: int) -> None:
        """Say how it learns.

        Args:
            rate: Of Adam at the start; it falls to zero along a half cosine.
            n_updates: In all.
            first_step: First step that counts; negative: from the end.
        """
        self._adam = optax.adam(optax.cosine_decay_schedule(rate, n_updates))
        self._first = first_step
        self.start = self._adam.init

    def loss(self, arrays: Any, frames: Any, labels: Any) -> Any:
        """Mean over trials and steps that count; `frames` (time, trial, input)."""
        logits = readout(arrays, frames)[self._first :]
        return optax.softmax_cross_entropy_with_integer_labels(
            logits, jnp.broadcast_to(labels, logits.shape[:2])
        ).mean()

    def update(self, arrays: Any, state: Any, frames: Any, labels: Any) -> Any:
        """Arrays and state after a batch, and for `refuse_broken` what was not finite."""
        slopes = jax.grad(self.loss)(arrays, frames, labels)
        updates, state = self._adam.update(slopes, state, arrays)
        is_broken = {f"{BROKEN}{name}": ~jnp.isfinite(g).all() for name, g in slopes.items()}
        return optax.apply_updates(arrays, updates), state, is_broken


def read(arrays: Any, frames: NDArray) -> NDArray:
    """Logits of any number of trials, a few hundred at a time, (trial, time, class)."""
    run_readout = jax.jit(readout)
    logits = [
        np.asarray(run_readout(arrays, frames[:, k : k + EVALUATED_AT_ONCE]))
        for k in range(0, frames.shape[1], EVALUATED_AT_ONCE)
    ]
    return np.concatenate(logits, axis=1).transpose(1, 0, 2)


def count_operations(arrays: Any, frames: NDArray) -> dict[str, float]:
    """Operations per trial, by name of `glossary.GLOSSARY`; zeros of the input are skipped.

    Args:
        arrays: From `initial`.
        frames: Some inputs, (time, trial, input).
    """
    n_steps = len(frames)
    n_in, wide = arrays["input"].shape
    n = arrays["out"].shape[0]
    active = np.count_nonzero(frames) / frames.shape[1]
    # Three products per unit and step combine gates and candidate.
    states = n_steps * (n * wide + 3 * n + arrays["out"].size)
    return {
        "macs_effective": float(active * wide + states),
        "macs_dense": float(n_steps * n_in * wide + states),
        "neuron_updates": float(n_steps * n),
        "synapses": float(sum(arrays[name].size for name in WEIGHTS)),
        "footprint": 4.0 * sum(x.size for x in arrays.values()),
    }
